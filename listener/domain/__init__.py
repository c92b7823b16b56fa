"""What there is and which rules it obeys: no input or output, no settings, handed the time."""
