"""Exporting wordings, as a plan writes them."""

from collections.abc import Mapping, Sequence

from listener.domain.wording import Wording


def wording_words(wordings: Sequence[Wording], brands: Mapping[int, str]) -> list[dict[str, str]]:
    """Those that there are, by name."""
    return [words(one, brands) for one in wordings]


def words(one: Wording, brands: Mapping[int, str]) -> dict[str, str]:
    """One wording."""
    found = {
        "name": one.name,
        "text": one.text,
        "brand": None if one.brand_id is None else brands[one.brand_id],
        "place": one.connector,
        "language": one.language,
        "tag": one.tag,
    }
    return {name: value for name, value in found.items() if value is not None}
