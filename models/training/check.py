"""Says what is wrong with our own posts, and how they are balanced."""

import sys

from models.training import corpus


def main() -> int:
    """Print every fault and the table; 1 when there is a fault."""
    read = corpus.posts()
    found = corpus.faults(read, corpus.brands())
    sys.stdout.write("\n".join((*found, corpus.balance(read), f"{len(found)} faults", "")))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
