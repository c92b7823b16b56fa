"""Who may do what: one table, and what is not in it is denied."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from listener.domain.staff import Role, Staff


class Act(StrEnum):
    """What somebody may be allowed to do."""

    KEEP_ACCOUNT = "keep one's own account"
    READ_SOURCES = "read how sources are doing"
    READ_CASES = "read cases and mentions"
    WORK_CASES = "work cases"
    ASSIGN = "give cases to others"
    READ_BRANDS = "read how brands are doing"
    DECLARE = "declare a crisis and say how it goes on"
    WRITE_WORDINGS = "write wordings for all"
    SET_POLICIES = "set policies"
    CONFIGURE = "configure"
    MANAGE_STAFF = "manage people"


EVERYBODY: Final = frozenset(Role)
RIGHTS: Final[Mapping[Act, frozenset[Role]]] = MappingProxyType(
    {
        Act.KEEP_ACCOUNT: EVERYBODY,
        Act.READ_SOURCES: EVERYBODY,
        Act.READ_CASES: EVERYBODY,
        Act.WORK_CASES: frozenset({Role.AGENT, Role.LEAD, Role.ADMIN}),
        Act.ASSIGN: frozenset({Role.LEAD, Role.ADMIN}),
        Act.READ_BRANDS: frozenset({Role.LEAD, Role.MANAGER, Role.ADMIN}),
        Act.DECLARE: frozenset({Role.LEAD, Role.MANAGER, Role.ADMIN}),
        Act.WRITE_WORDINGS: frozenset({Role.LEAD, Role.ADMIN}),
        Act.SET_POLICIES: frozenset({Role.LEAD, Role.ADMIN}),
        Act.CONFIGURE: frozenset({Role.ADMIN}),
        Act.MANAGE_STAFF: frozenset({Role.ADMIN}),
    }
)


def may(person: Staff, act: Act, brand_id: int | None = None) -> bool:
    """Whether somebody may do this, to something of this brand if it is of one."""
    if not person.active or person.role not in RIGHTS.get(act, frozenset()):
        return False
    return brand_id is None or person.sees(brand_id)
