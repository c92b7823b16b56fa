"""How the shipped weights come to be: a corpus of our own and what is learnt from it."""
