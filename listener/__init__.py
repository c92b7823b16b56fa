"""Listener: hears unhappy customers in public and gets a person to answer."""

__version__ = "0.1.0"
