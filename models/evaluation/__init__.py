"""Measures models on labelled posts, whoever wrote and labelled them."""
