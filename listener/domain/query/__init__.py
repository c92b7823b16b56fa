"""A brand's query: which posts name it, said in words, signs and filters."""

from listener.domain.query.domains import registered
from listener.domain.query.parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, QueryError, parse
from listener.domain.query.tree import (
    And,
    Comparison,
    Domain,
    Field,
    Filter,
    Handle,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Stars,
    Tag,
    Term,
    Words,
    positive,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_TERMS",
    "And",
    "Comparison",
    "Domain",
    "Field",
    "Filter",
    "Handle",
    "Near",
    "Not",
    "Or",
    "Phrase",
    "Query",
    "QueryError",
    "Stars",
    "Tag",
    "Term",
    "Words",
    "parse",
    "positive",
    "registered",
]
