"""Writes a question as the two texts that a model reads: whom it is about, what was said."""

from models.text import normalise

MOST_OF_A_NAME = 80  # characters; room must be left for what was said
MOST_OF_A_PARENT = 160
SOMEBODY = "the company"  # whom a text is about that nobody has named


def about(brand: str, stars: float | None, answers: str | None = None) -> str:
    """The first text: the brand, the stars where the place gives any, and what is answered."""
    told = brand[:MOST_OF_A_NAME].strip() or SOMEBODY
    if stars is not None:
        rounded = f"{stars:g}"
        told += f" {rounded} star{'' if rounded == '1' else 's'}"
    if answers and (parent := normalise(answers[:MOST_OF_A_PARENT])):
        told += f", answering: {parent}"
    return told
