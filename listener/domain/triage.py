"""Triage: which verdicts call for a person, how soon, and why."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.kit.contract import Kind
from listener.domain.foreign import in_food
from models.verdict import Feeling, Verdict

FLAG = 0.5
SURE = 0.97  # what words need to outweigh four or five stars
DOUBTED = 0.05  # what the model must hold possible for words of grave harm to call a person
TOLD = 0.05  # how far corrections must move a probability to be worth a sentence
FEW_STARS, MANY_STARS = 2.0, 4.0

# Words that mean harm beyond annoyance, in the languages that staff most often meet. A stem
# ends in *, an underscore is a space. They only raise the urgency of what is a complaint.
HARM: Final[Mapping[str, str]] = {
    "safety": "injur* glass explod* burnt fire smoke dangerous electric_shock bleeding hospital "
    "ambulance choked choking metal shard* splinter* staple needle razor sharp_piece blood "
    "verletz* gefährlich explosion* feuer metall* splitter scherbe* krankenhaus "
    "peligros* herid* fuego incendi* vidrio metal* dangereu* blessé* feu verre métal* vetro",
    "health": "allerg* anaphyla* poison* vomit* mould mouldy mold moldy rotten maggot* undeclared "
    "infant_formula out_of_date past_its_date schimmel* vergift* verdorben* abgelaufen* "
    "intoxic* intoxiqu* moho alergi* caducad* moisi* empoisonn* périmé* nut_free gluten_free",
    "fraud": "fraud* scam* stolen stole phishing hacked unauthorised unauthorized got_into_my "
    "betrug* betrüg* abzocke estafa* robad* fraude* arnaque* escroqu* truffa*",
    "money": "overcharged double-charged overdrawn overdraft charged_twice double_charged "
    "doppelt_abgebucht cobrado_dos dos_veces deux_fois due_volte",
    "privacy": "leaked data_leak data_breach gdpr privacy somebody_else's_account "
    "someone_else's_account somebody_else's_orders someone_else's_orders my_address "
    "my_private_number datenschutz* datenleck filtraci* rgpd",
    "legal": "lawyer* solicitor sue suing lawsuit court ombudsman trading_standards anwalt* "
    "klage verklag* abogad* denuncia* demanda avocat* tribunal plainte",
    "discrimination": "racist racism sexist homophob* discriminat* wheelchair rassist* "
    "diskrimin* racista discrimina* raciste",
    "threat": "followed_me threatened threatening harass* shaking_with_fear bedroht belästig* "
    "amenaz* acos* menac* harcel*",
    "outage": "outage everyone",
    "stranded": "stranded gestrandet tirad* coincé*",
}


def _pattern(words: str) -> re.Pattern[str]:
    stems = (
        re.escape(word).replace(r"\*", r"\w*").replace("_", r"\s+").replace("'", "['’]")
        for word in words.split()
    )
    return re.compile(rf"\b(?:{'|'.join(stems)})\b", re.IGNORECASE)


_HARM: Final = {harm: _pattern(words) for harm, words in HARM.items()}
_CHARGED_TWICE = re.compile(
    r"\b(?:charged|billed|debited|paid)\b.{0,40}\b(?:twice|double|two times)\b"
    r"|\b(?:twice|double)\b.{0,20}\b(?:charged|billed|debited)\b"
    r"|\bdoppelt\b.{0,30}\babgebucht\b|\bcobrad\w*\b.{0,30}\b(?:dos veces|doble)\b"
    r"|\bdébité\w*\b.{0,30}\bdeux fois\b",
    re.IGNORECASE,
)
URGENT_HARMS: Final = frozenset(
    {"safety", "health", "fraud", "privacy", "legal", "money", "stranded", "threat"}
)
GRAVE_HARMS: Final = frozenset({"safety", "health", "fraud", "privacy", "threat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known about a post beside the verdict."""

    text: str
    stars: float | None = None
    kind: Kind = Kind.POST
    reach: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What triage makes of a verdict.

    `flagged`: this brand's staff should see it as a complaint. `unsure`: a person should
    look, without a deadline. `conflict`: stars and words disagree.
    """

    flagged: bool
    unsure: bool
    urgent: bool
    conflict: bool
    complaint: float
    priority: int  # 0 to 100
    reasons: tuple[str, ...]

    @property
    def needs_a_person(self) -> bool:
        """Whether a case is opened."""
        return self.flagged or self.unsure


def assess(verdict: Verdict, post: Circumstances) -> Finding:
    """Weigh the verdict with stars, harm words and reach; say why, in sentences."""
    few = post.stars is not None and post.stars <= FEW_STARS
    many = post.stars is not None and post.stars >= MANY_STARS
    silent = not post.text.strip()
    complains = verdict.complaint >= FLAG and not silent
    # Many stars and angry words: one of them is a mistake, so a person looks, without alarm.
    doubtful = many and complains and verdict.complaint < SURE
    flagged = few or (complains and not doubtful)
    possible = verdict.complaint >= DOUBTED and not silent
    harms = harm(post.text) if few or verdict.unsure or possible else ()
    # A glove in the food, told so flatly that the model lets it pass, is still seen by somebody.
    grave = possible and not flagged and not many and not GRAVE_HARMS.isdisjoint(harms)
    unsure = (verdict.unsure and not few and not silent) or doubtful or grave
    conflict = bool(
        (few and not silent and verdict.feeling is Feeling.POSITIVE) or (many and complains)
    )
    complaint = max(verdict.complaint, 0.95) if few else 0.05 if silent else verdict.complaint
    harms = harms if flagged or unsure else ()
    urgent = flagged and not URGENT_HARMS.isdisjoint(harms)
    points, reasons = 0.0, []
    if few:
        points += 40
        reasons.append(f"{stars(post.stars)}: a complaint whatever the words say.")
    elif flagged:
        points += 40 * complaint
        reasons.append(f"Reads like a complaint ({complaint:.0%}).")
    if unsure:
        points += 10
        doubt = "" if doubtful else verdict.why or "too close to call"
        if grave and not verdict.unsure:
            reasons.append("The model doubts that it complains, but it speaks of grave harm.")
        elif doubt:
            reasons.append(f"The model is not sure: {doubt}.")
    if verdict.alone is not None and abs(verdict.complaint - verdict.alone) >= TOLD:
        reasons.append(f"What staff corrected moved this from {verdict.alone:.0%}.")
    if conflict:
        reasons.append(
            "Few stars, but the words sound pleased."
            if few
            else f"{stars(post.stars)}, but the words complain."
        )
    for kind in harms:
        points += 30 if kind in URGENT_HARMS else 10
        reasons.append(f"Speaks of harm: {kind}.")
    if post.kind is Kind.ARTICLE and flagged:
        points += 10
        reasons.append("An article: many will read it.")
    if post.reach and post.reach >= 1000:
        points += min(15.0, 5 * (math.log10(post.reach) - 2))
        reasons.append(f"Reaches {post.reach:,} people.")
    return Finding(
        flagged=flagged,
        unsure=unsure,
        urgent=urgent,
        conflict=conflict,
        complaint=complaint,
        priority=min(100, round(points)) if flagged or unsure else 0,
        reasons=tuple(reasons),
    )


def harm(text: str) -> tuple[str, ...]:
    """The kinds of harm that a text speaks of, most serious first."""
    found = {kind for kind, pattern in _HARM.items() if pattern.search(text)}
    if _CHARGED_TWICE.search(text):
        found.add("money")
    if "safety" not in found and in_food(text):  # glass and metal are that anyway
        found.add("health")
    return tuple(kind for kind in _HARM if kind in found)


def stars(number: float | None) -> str:
    """A count of stars in words."""
    count = round(number or 0)
    return "One star" if count == 1 else f"{count} stars"
