"""Reads which languages somebody else's model has learnt."""

import re

from models.errors import BadDeclaration

SETTING = "LISTENER_MODEL_LANGUAGES"
CODE = re.compile(r"[a-z]{2,3}|und-[A-Z][a-z]{3}")

# Letters that many languages share are named by themselves (see models.text), so that a model
# for one of these languages is also asked about a text of which only the letters are known.
LETTERS = {
    "und-Arab": "ar fa ur ps ckb ug sd",
    "und-Beng": "bn as",
    "und-Cyrl": "ru uk be bg mk sr kk ky mn tg tt",
    "und-Deva": "hi mr ne sa",
    "und-Ethi": "am ti",
}


def parse(words: str) -> frozenset[str]:
    """Read language codes as an operator writes them: `en, de`; BadDeclaration if they are none."""
    codes = [one for one in re.split(r"[\s,]+", words) if one]
    for code in codes:
        if not CODE.fullmatch(code):
            raise BadDeclaration(
                f"{SETTING} holds {code!r}. Write the languages that the model has learnt as "
                "ISO 639 codes with commas between them, for example en,de."
            )
    if not codes:
        raise BadDeclaration(
            f"{SETTING} is empty. Take it away to believe the model in every language, or name "
            "those it has learnt, for example en,de."
        )
    return frozenset(codes).union(
        letters for letters, users in LETTERS.items() if not {*users.split()}.isdisjoint(codes)
    )
