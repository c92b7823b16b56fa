"""Charts: every picture of ours is drawn here, as SVG that stands in a page as it is.

Readable in both themes, because colours are the style sheet's, and without any, because what
differs has its own pattern and its own word. Each has a sentence for whoever does not see it;
the page puts a table with the same figures behind it. No style attribute, no script: the page's
policy stays as strict as it is.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from markupsafe import Markup

from listener.channels.terminal import printable
from listener.domain.digest import Digest, First, Gap
from listener.domain.picture import Lane, Pictures, Slice

WIDTH: Final = 400  # in units of its own; the page makes it as wide as there is room
TALL: Final = 120  # of the part with bars
EDGE: Final = 28  # left of the bars, for the numbers
ROW: Final = 18
LANE: Final = 26
WIDEST: Final = 48.0  # of a bar where there are few
# How long a first answer was waited for, at most.
WAITS: Final = (
    (timedelta(minutes=15), "15 min"),
    (timedelta(hours=1), "1 h"),
    (timedelta(hours=4), "4 h"),
    (timedelta(hours=12), "12 h"),
    (timedelta(days=1), "1 day"),
    (timedelta(days=3), "3 days"),
    (timedelta.max, "longer"),
)


def of_digest(digest: Digest, pictures: Pictures) -> dict[str, Markup]:
    """The pictures of a digest by name, in their order; none that would show nothing."""
    drawn: dict[str, Markup] = {}
    if any(one.total or one.alarms for one in pictures.slices):
        drawn["volume"] = volume(pictures.slices)
    if pictures.lanes:
        drawn["themes"] = themes(pictures.lanes, [one.label for one in pictures.slices])
    if digest.firsts:
        drawn["answers"] = answers(digest.firsts)
    if pictures.sources:
        starts, ends = digest.stretch.starts, digest.stretch.ends
        drawn["coverage"] = coverage(pictures.sources, digest.gaps, starts, ends)
    return drawn


def says(picture: Markup) -> str:
    """What a picture shows, in its own sentence."""
    return fromstring(picture).get("aria-label", "")  # noqa: S314  (we have drawn it)


def volume(slices: Sequence[Slice]) -> Markup:
    """What was said over time: complaints solid at the foot, praise hatched, the rest in outline.

    Above a slice in which an alarm was raised stands a triangle.
    """
    highest = max((one.total for one in slices), default=0)
    total, bad = sum(one.total for one in slices), sum(one.complaints for one in slices)
    rang = sum(len(one.alarms) for one in slices)
    label = f"{total} mentions over time, {bad} of them complaints, at most {highest} at once"
    label += f"; {rang} alarm{'' if rang == 1 else 's'}." if rang else "."
    drawing = canvas(TALL + 58, label)
    hatch(drawing, "hatch-volume")
    scale(drawing, highest)
    step = (WIDTH - EDGE) / max(len(slices), 1)
    wide = max(step - 2, 1)
    for place, one in enumerate(slices):
        x, y = EDGE + place * step + 1, 20.0 + TALL
        for kind, count in (
            ("complaint", one.complaints),
            ("praise", one.praise),
            ("other", one.others),
        ):
            if count:
                high = TALL * count / highest
                y -= high
                bar = rect(drawing, kind, x, y, wide, high)
                if kind == "praise":
                    bar.set("fill", "url(#hatch-volume)")
        if one.alarms:
            middle = x + wide / 2
            shape(drawing, "alarm-mark", [(middle, 6), (middle + 5, 15), (middle - 5, 15)])
    ticks(drawing, [one.label for one in slices], step)
    key: list[tuple[str, str]] = [("complaint", "Complaints"), ("praise", "Praise")]
    key.append(("other", "Everything else"))
    legend(drawing, key, TALL + 54, "hatch-volume", alarm=bool(rang))
    return drawn(drawing)


def answers(firsts: Sequence[First]) -> Markup:
    """How long first answers were waited for: in time hatched, too late solid."""
    rows = waits(firsts)
    highest = max((good + late for _, good, late in rows), default=0)
    late = sum(one.late for one in firsts)
    drawing = canvas(TALL + 58, f"{len(firsts)} first answers by how long they took; {late} late.")
    hatch(drawing, "hatch-answers")
    scale(drawing, highest)
    step = (WIDTH - EDGE) / len(rows)
    for place, (_, good, bad) in enumerate(rows):
        x, y = EDGE + place * step + 6, 20.0 + TALL
        for kind, count in (("complaint", bad), ("praise", good)):
            if count:
                high = TALL * count / highest
                y -= high
                bar = rect(drawing, kind, x, y, step - 12, high)
                if kind == "praise":
                    bar.set("fill", "url(#hatch-answers)")
        if good + bad:
            text(drawing, x + step / 2 - 6, y - 3, str(good + bad), anchor="middle")
        text(drawing, x + step / 2 - 6, 20 + TALL + 12, rows[place][0], anchor="middle")
    key = [("complaint", "Too late"), ("praise", "In time")]
    legend(drawing, key, TALL + 54, "hatch-answers")
    return drawn(drawing)


def waits(firsts: Sequence[First]) -> list[tuple[str, int, int]]:
    """First answers by how long they took: up to what, how many in time, how many late."""
    found: list[list[int]] = [[0, 0] for _ in WAITS]
    for one in firsts:
        place = next(at for at, (most, _) in enumerate(WAITS) if one.waited <= most)
        found[place][one.late] += 1
    return [(word, good, late) for (_, word), (good, late) in zip(WAITS, found, strict=True)]


def coverage(
    sources: Sequence[str], gaps: Sequence[Gap], starts: datetime, ends: datetime
) -> Markup:
    """Which time of every source was read: a bar each, open in outline where it was not."""
    broken = {gap.source for gap in gaps}
    label = f"{len(sources)} sources; with gaps: {', '.join(sorted(broken)) or 'none'}."
    drawing = canvas(ROW * len(sources) + 24, label)
    left = 130
    length = (ends - starts).total_seconds()

    def place(moment: datetime) -> float:
        share = (min(max(moment, starts), ends) - starts).total_seconds() / length
        return left + (WIDTH - left - 2) * share

    for number, source in enumerate(sources):
        y = ROW * number + 4
        text(drawing, left - 6, y + 10, cut(source, 20), anchor="end")
        rect(drawing, "read", left, y, WIDTH - left - 2, 11)
        for gap in gaps:
            if gap.source == source:
                x = place(gap.start)
                rect(drawing, "gap", x, y, max(place(gap.end) - x, 2), 11)
    foot = ROW * len(sources) + 4
    rect(drawing, "read", left, foot + 4, 11, 11)
    text(drawing, left + 16, foot + 13, "read")
    rect(drawing, "gap", left + 56, foot + 4, 11, 11)
    text(drawing, left + 72, foot + 13, "not read")
    return drawn(drawing)


def themes(lanes: Sequence[Lane], labels: Sequence[str]) -> Markup:
    """Themes over time: a lane each with a bar for every slice, all to one scale."""
    highest = max((count for one in lanes for count in one.counts), default=0) or 1
    said = ", ".join(f"{one.name} {one.total}" for one in lanes)
    drawing = canvas(LANE * len(lanes) + 20, f"Complaints by theme over time: {said}.")
    left, right = 130, 34
    step = (WIDTH - left - right) / max(len(labels), 1)
    for number, one in enumerate(lanes):
        foot = LANE * (number + 1)
        text(drawing, left - 6, foot - 2, cut(one.name, 20), anchor="end")
        line = {"class": "axis", "x1": f"{left}", "x2": f"{WIDTH - right}"}
        SubElement(drawing, "line", line | {"y1": f"{foot}", "y2": f"{foot}"})
        for place, count in enumerate(one.counts):
            if count:
                high = (LANE - 6) * count / highest
                rect(
                    drawing,
                    "complaint",
                    left + place * step + 0.5,
                    foot - high,
                    max(step - 1, 1),
                    high,
                )
        text(drawing, WIDTH - right + 6, foot - 2, f"{one.total:,}")
    foot = LANE * len(lanes) + 14
    if labels:
        text(drawing, left, foot, labels[0])
        text(drawing, WIDTH - right, foot, labels[-1], anchor="end")
    return drawn(drawing)


def rise(pairs: Sequence[Sequence[Any]], *, table: bool = True) -> Markup:
    """The day before an alarm: bars for what came, high ones darker, a line for what is usual."""
    highest = max((max(count, usual) for count, usual in pairs), default=0) or 1
    drawing = canvas(
        TALL + 24,
        f"The day before: at most {round(highest)} in a quarter of an hour."
        + (" The numbers are in the table below." if table else ""),
    )
    scale(drawing, highest)
    step = (WIDTH - EDGE) / max(len(pairs), 1)
    for place, (count, usual) in enumerate(pairs):
        if count:
            kind = "bar over" if count > 2 * usual and count > 1 else "bar"
            high = TALL * count / highest
            rect(drawing, kind, EDGE + place * step + 0.5, 20 + TALL - high, step - 1, high)
    line = " ".join(
        f"{EDGE + (place + 0.5) * step:.1f},{20 + TALL - TALL * usual / highest:.1f}"
        for place, (_, usual) in enumerate(pairs)
    )
    SubElement(drawing, "polyline", {"class": "usual", "points": line})
    return drawn(drawing)


def spread(days: Sequence[tuple[date, int]]) -> Markup:
    """How many people said the same on each day: a bar a day."""
    highest = max((people for _, people in days), default=0)
    label = f"At most {highest} people in one of {len(days)} days. The table has each day."
    drawing = canvas(TALL + 40, label)
    scale(drawing, highest)
    step = (WIDTH - EDGE) / max(len(days), 1)
    wide = max(min(step - 2, WIDEST), 1)
    for place, (_, people) in enumerate(days):
        if people:
            high = TALL * people / highest
            rect(drawing, "bar", EDGE + place * step + 1, 20 + TALL - high, wide, high)
    ticks(drawing, [f"{day:%d %b}" for day, _ in days], step)
    return drawn(drawing)


# --- the few strokes that all are made of


def canvas(height: float, label: str) -> Element:
    """An empty picture with its sentence."""
    box = f"0 0 {WIDTH} {height:g}"
    said = printable(label)
    return Element("svg", {"class": "chart", "viewBox": box, "role": "img", "aria-label": said})


def drawn(drawing: Element) -> Markup:
    """The picture as it stands in a page; all text in it has been escaped."""
    return Markup(tostring(drawing, encoding="unicode"))  # noqa: S704  (ElementTree escapes)


def hatch(drawing: Element, name: str) -> None:
    """A pattern of slanting lines, under a name that is its own on the page."""
    pattern = SubElement(
        SubElement(drawing, "defs"),
        "pattern",
        {"id": name, "width": "5", "height": "5", "patternUnits": "userSpaceOnUse"},
    )
    SubElement(pattern, "path", {"class": "hatch", "d": "M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2"})


def scale(drawing: Element, highest: float) -> None:
    """The ground, and how much the highest bar is."""
    line = {"class": "axis", "x1": f"{EDGE}", "x2": f"{WIDTH}"}
    for y in (20, 20 + TALL):
        SubElement(drawing, "line", line | {"y1": f"{y}", "y2": f"{y}"})
    text(drawing, EDGE - 4, 24, f"{highest:,.0f}", anchor="end")
    text(drawing, EDGE - 4, 20 + TALL, "0", anchor="end")


def ticks(drawing: Element, labels: Sequence[str], step: float) -> None:
    """A few words under the bars, as many as there is room for."""
    every = max(1, -(-len(labels) // 8))
    for place in range(0, len(labels), every):
        x = EDGE + place * step + 1
        if x + 7 * len(labels[place]) <= WIDTH:
            text(drawing, x, 20 + TALL + 12, labels[place])


def legend(
    drawing: Element, key: Sequence[tuple[str, str]], y: float, pattern: str, *, alarm: bool = False
) -> None:
    """What the patterns mean."""
    x = float(EDGE)
    for kind, words in key:
        mark = rect(drawing, kind, x, y - 9, 10, 10)
        if kind == "praise":
            mark.set("fill", f"url(#{pattern})")
        text(drawing, x + 14, y, words)
        x += 30 + 6 * len(words)
    if alarm:
        shape(drawing, "alarm-mark", [(x + 5, y - 9), (x + 10, y), (x, y)])
        text(drawing, x + 14, y, "Alarm")


def rect(drawing: Element, kind: str, x: float, y: float, width: float, height: float) -> Element:
    """A bar."""
    where = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    return SubElement(drawing, "rect", {"class": kind} | where)


def shape(drawing: Element, kind: str, corners: Sequence[tuple[float, float]]) -> None:
    """A closed shape."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    SubElement(drawing, "polygon", {"class": kind, "points": points})


def text(drawing: Element, x: float, y: float, words: str, *, anchor: str = "start") -> None:
    """A few words."""
    where = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    SubElement(drawing, "text", where).text = printable(words)


def cut(words: str, most: int) -> str:
    """The beginning of a name, with a sign that there is more."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
