"""How fast the parts are, each against a named baseline in the same run."""
