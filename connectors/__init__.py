"""Connectors: each file reads one place and knows nothing of brands, cases or databases."""
