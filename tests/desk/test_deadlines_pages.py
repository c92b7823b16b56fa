"""What the pages about deadlines and routing show can be applied, and their examples are right."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from listener.desk.plan import Plan, read
from listener.domain.hours import ALWAYS, Calendar, Hours, after, periods

DOCS = Path(__file__).parents[2] / "docs"
DEADLINES = (DOCS / "deadlines.md").read_text()
ROUTING = (DOCS / "routing.md").read_text()
EXAMPLES = re.findall(
    r"^\| ([^|]+) \| (\w{3} \d+ Nov \d\d:\d\d) \| (\d+) (minutes|hours) \| (\w{3} \d+ Nov \d\d:\d\d) \|$",
    DEADLINES,
    re.MULTILINE,
)
DAYS = periods(["mon-fri 09:00-17:00"])
LUNCH = periods(["mon-fri 09:00-12:00", "mon-fri 13:00-17:00"])


def calendar(what: str) -> Calendar:
    """The hours that an example speaks of."""
    if "crisis" in what or "review" in what:
        return ALWAYS
    if "closed Monday" in what:
        return Calendar((Hours("UTC", DAYS, closed=frozenset({date(2026, 11, 9)})),))
    return Calendar((Hours("UTC", LUNCH if "lunch" in what else DAYS),))


def moment(words: str) -> datetime:
    """A moment of November 2026, whose day of the week must be right."""
    found = datetime.strptime(f"{words} 2026", "%a %d %b %H:%M %Y").replace(tzinfo=UTC)
    assert f"{found:%a}" == words[:3]
    return found


def blocks(page: str) -> str:
    """All that a page would have one write into a plan."""
    return "\n".join(re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(("what", "since", "number", "unit", "due"), EXAMPLES)
def test_worked_examples(what: str, since: str, number: str, unit: str, due: str) -> None:
    allowed = timedelta(**{unit: int(number)})

    assert after(calendar(what), moment(since), allowed) == moment(due)


def test_there_are_examples_for_everything() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("page", [DEADLINES, ROUTING])
def test_what_is_shown_can_be_applied(page: str) -> None:
    plan: Plan = read(blocks(page))

    assert plan.team
    assert plan.policy or (plan.route and plan.ladder and plan.member)
