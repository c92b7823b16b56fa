"""Which brands a post names, decided before anything is stored."""

from listener.domain.matching.accounts import is_own
from listener.domain.matching.matcher import Match, Matcher
from listener.domain.matching.reading import TextSpan

__all__ = ["Match", "Matcher", "TextSpan", "is_own"]
