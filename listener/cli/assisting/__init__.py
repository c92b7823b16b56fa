"""What a person's own assistant may ask, in that person's name: everything they may read."""
