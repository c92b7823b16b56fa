"""The command line: what an admin types, for people and, with --json, for machines."""

from listener.cli.main import main

__all__ = ["main"]
