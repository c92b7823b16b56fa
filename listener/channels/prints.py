"""Prints: the same pictures as on the pages, as PNG for mail and Slack, which show no SVG.

The colours are those of the light theme, on white, since nobody knows the reader's; what
differs has its own pattern there too. The font is shipped, so that it looks alike everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

import resvg_py
from font_source_sans_pro import SourceSansPro
from markupsafe import Markup

from listener.channels import charts
from listener.domain.digest import Digest
from listener.domain.picture import Pictures

PIXELS: Final = 1_120  # across: twice the width at which a mail shows it
PAPER: Final = "#ffffff"
INK, SOFT, LINE, ACCENT = "#1a1d21", "#565d66", "#8b929a", "#1d4f91"
# What the style sheet of the pages says of each class; it has both themes, and variables.
STYLE: Final = f"""
text {{ font-family: "Source Sans Pro"; font-size: 11px; fill: {SOFT}; }}
.axis {{ stroke: {LINE}; stroke-width: 1; }}
.complaint, .read, .alarm-mark, .bar.over {{ fill: {INK}; }}
.bar {{ fill: {SOFT}; }}
.hatch {{ fill: none; stroke: {INK}; stroke-width: 1.2; }}
.praise {{ stroke: {INK}; stroke-width: 0.8; }}
.other {{ fill: none; stroke: {SOFT}; stroke-width: 0.8; }}
.gap {{ fill: {PAPER}; stroke: {INK}; stroke-width: 1; stroke-dasharray: 2 2; }}
.usual {{ fill: none; stroke: {ACCENT}; stroke-width: 2; }}
"""
CAPTIONS: Final[Mapping[str, str]] = {
    "volume": "What was said",
    "themes": "What it was about",
    "answers": "How long first answers took",
    "coverage": "What of each source was read",
}


@dataclass(frozen=True, slots=True)
class Print:
    """One picture, with what it is called and what it shows in a sentence."""

    name: str
    caption: str
    says: str
    png: bytes


def of_digest(digest: Digest, pictures: Pictures) -> Sequence[Print]:
    """The pictures that the page of a digest shows, in its order. Takes some tens of milliseconds."""
    drawn = charts.of_digest(digest, pictures)
    return [
        Print(name, CAPTIONS[name], charts.says(picture), png(picture))
        for name, picture in drawn.items()
    ]


def of_rise(pairs: Sequence[Sequence[float]]) -> Print:
    """The day before an alarm: for each quarter of an hour what came, and what is usual."""
    drawn = charts.rise(pairs, table=False)
    return Print("rise", "The day before", charts.says(drawn), png(drawn))


def illustrate(mail: EmailMessage, page: str, pictures: Sequence[tuple[Print, str]]) -> None:
    """Give a mail its page, with the pictures that it shows under these names inside."""
    mail.add_alternative(page, subtype="html")
    read = mail.get_body(("html",))
    for one, name in pictures:
        if isinstance(read, EmailMessage):
            read.add_related(
                one.png,
                "image",
                "png",
                cid=f"<{name}>",
                disposition="inline",
                filename=f"{one.name}.png",
            )


def png(picture: Markup) -> bytes:
    """A picture of `charts` as PNG, of PIXELS across."""
    svg = str(picture).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        background=PAPER,
        width=PIXELS,
        style_sheet=STYLE,
        font_files=[SourceSansPro],
        font_family="Source Sans Pro",
    )
