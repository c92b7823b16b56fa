"""Writes a question as the two texts that a model reads: whom it is about, what was said."""

MOST_OF_A_NAME = 80  # characters; room must be left for what was said
SOMEBODY = "the company"  # whom a text is about that nobody has named


def about(brand: str, stars: float | None) -> str:
    """The first text: the brand, and the stars where the place gives any."""
    brand = brand[:MOST_OF_A_NAME].strip() or SOMEBODY
    if stars is None:
        return brand
    rounded = f"{stars:g}"
    return f"{brand} {rounded} star{'' if rounded == '1' else 's'}"
