"""Answers to an assistant: bounded, with strangers' words apart from ours and marked as theirs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from listener.channels import digests
from listener.channels.terminal import printable
from listener.desk.meaning import Found
from listener.domain.alarm import sentence
from listener.domain.digest import SHOWN, Digest, Praise, Risk, shortened
from listener.domain.mention import Mention
from listener.store.alarms import Shown as ShownAlarm
from listener.store.crises import Shown as ShownCrisis
from listener.store.portraits import Portrait
from listener.store.rows import Lead
from listener.store.themes import Shown as ShownTheme

LENGTH: Final = 400  # characters of one quote
PLACES: Final = 20

Answer = dict[str, Any]


def foreign(words: str, *, most: int = LENGTH) -> str:
    """Words that a stranger wrote, as text that drives nothing; cut where they are long."""
    return shortened(printable(words), most)


def listed(what: str, rows: Sequence[Answer], *, more: Mapping[str, Any] | None) -> Answer:
    """Rows of a page; `more` is what to ask for the next, None where this was the last."""
    return {
        what: list(rows),
        "more": None if more is None else {"there_are_more": True, "ask_again_with": dict(more)},
    }


def mention(one: Lead, url: str) -> Answer:
    """A mention."""
    return {
        "mention": one.id,
        "untrusted_words": foreign(f"{one.title}: {one.text}" if one.title else one.text),
        "untrusted_author": foreign(one.author, most=80),
        "words_are_cut": one.cut or len(one.text) > LENGTH,
        "place": one.source,
        "published_at": moment(one.published_at),
        "language": one.language and foreign(one.language, most=20),
        "stars": one.stars,
        "reaches_people": one.reach,
        "complaint": one.flagged,
        "ours": one.ours,
        "case": one.case_id,
        "case_page": one.case_id and f"{url}/cases/{one.case_id}",
        "untrusted_link": foreign(one.url),
    }


def near(found: Found, url: str, more: Mapping[str, Any] | None) -> Answer:
    """What was found by meaning, and in what."""
    return listed(
        "mentions",
        [{"how_near": one.near.value} | mention(one.mention, url) for one in found.mentions],
        more=more,
    ) | {
        "brand": found.brand,
        "looked_through": found.looked,
        "of_the_last_days": 90,
        "older_of_these_days_left_out": found.cut,
        "not_yet_read_by_the_model": found.waiting,
        "read_by_another_model_and_left_out": found.others,
    }


def theme(one: ShownTheme, url: str) -> Answer:
    """A theme as a list has it."""
    standing = one.theme
    return {
        "theme": standing.key,
        "brand": one.brand,
        "untrusted_name": foreign(standing.name),
        "people": standing.people,
        "mentions": one.mentions,
        "places": dict(one.places[:PLACES]),
        "open_cases": len(one.cases),
        "untrusted_quote": None if one.quote is None else foreign(one.quote.words),
        "since": moment(standing.began_at),
        "last_said": moment(standing.last_at),
        "quiet": standing.muted,
        "seen_to_by": one.owner,
        "put_right_at": standing.link,
        "page": f"{url}/themes/{standing.key}",
    }


def portrait(one: Portrait, url: str) -> Answer:
    """All of a theme."""
    standing = one.theme
    return {
        "theme": standing.key,
        "brand": one.brand,
        "untrusted_name": foreign(standing.name),
        "people": standing.people,
        "people_since_it_began": one.people,
        "figures_are_of_the_latest_only": one.cut,
        "people_by_place": dict(one.places[:PLACES]),
        "people_by_day": {day.isoformat(): count for day, count in one.days if count},
        "quotes": [quote(found, url) for found in one.quotes],
        "open_cases": [
            {"case": case.number, "status": case.status, "owner": case.owner}
            for case in one.cases[:SHOWN]
        ],
        "open_cases_in_all": len(one.cases),
        "closed_cases": one.closed,
        "since": moment(standing.began_at),
        "last_said": moment(standing.last_at),
        "ended": standing.ended_at and moment(standing.ended_at),
        "quiet": standing.muted,
        "seen_to_by": one.owner,
        "put_right_at": standing.link,
        "untrusted_history": [
            f"{moment(line.at)} {foreign(line.says)}" for line in one.story[:SHOWN]
        ],
        "page": f"{url}/themes/{standing.key}",
    }


def quote(one: Mention, url: str) -> Answer:
    """A mention's own words."""
    return {
        "mention": one.key,
        "untrusted_words": foreign(one.words),
        "untrusted_author": foreign(one.author_name or one.author_handle, most=80),
        "published_at": moment(one.published_at),
        "case_page": one.case_id and f"{url}/cases/{one.case_id}",
    }


def alarm(one: ShownAlarm, url: str) -> Answer:
    """An alarm."""
    standing = one.alarm
    return {
        "alarm": standing.key,
        "brand": one.brand,
        "about": standing.sort.value,
        "untrusted_sentence": foreign(sentence(standing, one.source)),
        "since": moment(standing.since),
        "raised_at": moment(standing.raised_at),
        "count": standing.count,
        "usual": [standing.low, standing.high] if standing.sort.is_rise else None,
        "quotes": [quote(found, url) for found in one.said],
        "seen_to_by": one.who,
        "put_off_until": standing.snoozed_until and moment(standing.snoozed_until),
        "over_at": standing.over_at and moment(standing.over_at),
        "page": f"{url}/alarms",
    }


def crisis(one: ShownCrisis, url: str) -> Answer:
    """A crisis, and how it stands."""
    declared = one.crisis
    return {
        "crisis": declared.key,
        "brand": one.brand,
        "untrusted_name": foreign(declared.name),
        "led_by": one.lead,
        "declared_at": moment(declared.declared_at),
        "cases": one.numbers.cases,
        "cases_not_closed": one.numbers.unclosed,
        "cases_waiting_for_an_answer": one.numbers.waiting,
        "next_update_due_at": None if declared.ended_at else moment(declared.update_due_at),
        "update_missed_at": one.missed_at and moment(one.missed_at),
        "over_at": declared.ended_at and moment(declared.ended_at),
        "page": f"{url}/crises/{declared.key}",
    }


def digest(one: Digest, url: str) -> Answer:
    """A digest: the answer first; of each list as many as the page shows first, and how many."""
    return {
        "brand": one.brand,
        "of": one.stretch.name,
        "first_day": one.stretch.first.isoformat(),
        "last_day": one.stretch.last.isoformat(),
        "zone": one.stretch.zone,
        "answer": one.answer,
        "mentions": one.now.mentions,
        "complaints": one.now.complaints,
        "usual_complaints": None if one.complaints is None else one.complaints.words,
        "what_changed": digests.changes(one),
        "crises": [
            {
                "crisis": found.number,
                "untrusted_name": foreign(found.name, most=80),
                "led_by": found.lead,
                "declared_at": moment(found.since),
                "ended_at": found.ended and moment(found.ended),
                "cases": found.cases,
                "unanswered": found.waiting,
            }
            for found in one.crises
        ],
        "overdue_in_all": len(one.overdue),
        "overdue": [risk(found, url) for found in one.overdue[:SHOWN]],
        "spreading": [risk(found, url) for found in one.spreading[:SHOWN]],
        "waits_longest": None if one.oldest is None else risk(one.oldest, url),
        "why_people_complain": [
            {
                "untrusted_name": foreign(found.name),
                "people": found.people,
                "mentions": len(found.mentions),
                "theme": found.theme,
                "seen_to_by": found.owner,
                "put_right_at": found.link,
                "untrusted_quote": foreign(found.quote.text),
            }
            for found in one.causes[:SHOWN]
        ],
        "closed_cases": one.closed,
        "still_waiting_of_those_opened": one.unanswered,
        "won_back": [kind(found) for found in one.won_back[:SHOWN]],
        "untrusted_first_answers": [foreign(line) for line in digests.team(one)[: SHOWN + 1]],
        "how_far_to_trust_this": [foreign(line) for line in digests.trust(one)[: SHOWN * 2]],
        "worth_sharing": [kind(found) for found in one.praise[:SHOWN]],
        "page": digests.address(one, url),
    }


def risk(one: Risk, url: str) -> Answer:
    """A case that is open."""
    return {
        "case": one.case_id,
        "untrusted_words": foreign(one.words),
        "untrusted_author": foreign(one.author, most=80),
        "place": one.source,
        "owner": one.owner,
        "due_at": one.due_at and moment(one.due_at),
        "mentions": one.mentions,
        "page": f"{url}/cases/{one.case_id}",
    }


def kind(one: Praise) -> Answer:
    """Something kind."""
    return {
        "mention": one.mention_id,
        "untrusted_words": foreign(one.words),
        "untrusted_author": foreign(one.author, most=80),
        "place": one.source,
    }


def moment(at: datetime) -> str:
    """A moment, exact, by UTC."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
