"""Learns from what people corrected, one brand at a time, and only what a gate lets through."""
