"""Lets `python -m listener` do what `listener` does."""

from listener.cli import main

main()
