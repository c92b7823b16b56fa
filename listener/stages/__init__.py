"""What happens by itself: each file one stage."""
