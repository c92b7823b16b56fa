"""The digest as it leaves the house: in plain words, and as a mail that shows them too."""

from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import urlencode

import css_inline

from listener.channels.letter import environment, link, still
from listener.channels.prints import Print, illustrate
from listener.channels.terminal import printable
from listener.domain.digest import SHOWN, Declared, Digest, Risk, counted, shortened
from listener.domain.score import lasting, left

SUBJECT: Final = 120


def message(
    digest: Digest,
    *,
    sender: Address,
    to: Address,
    url: str,
    number: str,
    house: str,
    pictures: Sequence[Print] = (),
) -> EmailMessage:
    """The mail, under an id that is the same at every try, with its pictures inside."""
    mail = EmailMessage(policy=SMTP)
    domain = f"{house}.{sender.domain}"
    subject = printable(f"{digest.brand}: {digest.answer}")
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = subject if len(subject) <= SUBJECT else subject[: SUBJECT - 1] + "…"
    mail["Date"] = digest.at
    mail["Message-ID"] = f"<{number}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    said = [printable(line) for line in plain(digest, url=url).splitlines()]
    mail.set_content("\n".join([*said, "", f"The whole digest: {address(digest, url)}", ""]))
    shown = [(one, f"{one.name}.{number}@{domain}") for one in pictures]
    illustrate(mail, page(digest, url, shown), shown)
    return mail


def page(digest: Digest, url: str, pictures: Sequence[tuple[Print, str]] = ()) -> str:
    """The mail for those who read pages, its style written into every element."""
    made = (
        environment()
        .get_template("digest.html")
        .render(
            parts=[
                ("What changed", changes(digest)),
                ("Open risks", list(risks(digest, ""))),
                ("What was put right", right(digest)),
                ("The team", team(digest)),
                ("How far this can be trusted", trust(digest)),
            ],
            causes=[
                (
                    calm(one.name),
                    one.people,
                    calm(one.owner or "nobody") if one.seen_to else "",
                    link(one.link or ""),
                    calm(shortened(one.quote.text)),
                )
                for one in digest.causes
            ],
            pictures=[(one.caption, calm(one.says), name) for one, name in pictures],
            praise=[(calm(one.words), calm(one.author)) for one in digest.praise],
            why=why(digest),
            calm=calm,
            head=calm(f"{digest.brand}, {digest.stretch.name}"),
            answer=calm(digest.answer),
            address=address(digest, url),
            site=url,
        )
    )
    return css_inline.inline(made, keep_style_tags=False, load_remote_stylesheets=False)


def calm(text: str) -> str:
    """What a stranger may have written, with nothing in it that a mail program would obey."""
    return still(printable(text))


def address(digest: Digest, url: str) -> str:
    """Where the whole digest stands."""
    asked = {"brand": digest.brand, "of": digest.stretch.of.value}
    return f"{url}/digest?{urlencode(asked | {'on': digest.stretch.first.isoformat()})}"


def plain(digest: Digest, *, url: str = "") -> str:
    """A digest as lines of text, the answer first; `url` is where its cases stand."""
    return "\n".join(lines(digest, url)).strip() + "\n"


def lines(digest: Digest, url: str) -> Iterator[str]:
    """The lines, with an empty one before every heading."""
    yield f"{digest.brand}, {digest.stretch.name}"
    yield digest.answer
    yield from headed("What changed", changes(digest))
    yield from headed("Open risks", [*risks(digest, url)])
    yield from headed("Why people complain", why(digest))
    yield from headed("What was put right", right(digest))
    yield from headed("The team", team(digest))
    yield from headed("How far this can be trusted", trust(digest))
    yield from headed("Worth sharing", [f"“{one.words}” {one.author}" for one in digest.praise])


def headed(heading: str, under: list[str]) -> Iterator[str]:
    """A part with its heading; nothing at all where there is nothing to say."""
    if under:
        yield from ("", heading, *(f"  {line}" for line in under))


def changes(digest: Digest) -> list[str]:
    """What rose or fell beyond chance."""
    if digest.complaints is None:
        return ["Nothing can be called usual before three like stretches have been read."]
    said = [one.said(digest.stretch.kind) for one in digest.changes]
    said += [digest.share] if digest.share else []
    return said or [
        (
            f"Nothing beyond what chance brings: {digest.complaints.words} complaints are usual "
            f"for {digest.stretch.kind}."
        )
    ]


def risks(digest: Digest, url: str) -> Iterator[str]:
    """Which crisis is open, what is overdue, what spreads, and else what waits longest."""
    for crisis in digest.burning:
        where = f" {url}/crises/{crisis.number}" if url else ""
        yield f"Crisis: {in_short(crisis)}, for {lasting(digest.at - crisis.since)} now{where}"
    for word, listed in (("Overdue", digest.overdue), ("Spreading", digest.spreading)):
        for one in listed[:SHOWN]:
            yield f"{word}: {named(digest, one, url)}"
        if len(listed) > SHOWN:
            yield f"{word}: {len(listed) - SHOWN} more; the page has them all."
    if digest.oldest is None and not digest.overdue:
        yield "No case waits for an answer."
    elif digest.oldest is not None and not digest.overdue:
        yield f"Waits longest: {named(digest, digest.oldest, url)}"


def named(digest: Digest, one: Risk, url: str) -> str:
    """A case by its name."""
    clock = f", {left(one.due_at - digest.at)}" if one.due_at is not None else ""
    words = f"“{shortened(one.words, 100)}”" if one.words else "deleted by its author"
    has = f"with {one.owner}" if one.owner else "nobody has it"
    where = f" {url}/cases/{one.case_id}" if url else ""
    return f"case {one.case_id}, {one.author or 'somebody'} on {one.source}: {words} ({has}{clock}){where}"


def in_short(crisis: Declared) -> str:
    """A crisis by its name, with who leads it and how many it is about."""
    waits = f", {crisis.waiting:,} of them unanswered" if crisis.waiting else ""
    return f"{crisis.name}, led by {crisis.lead}: {counted(crisis.cases, 'case')}{waits}"


def why(digest: Digest) -> list[str]:
    """The causes, each with the clearest words."""
    if not digest.looked_at:
        return ["Nobody complained."]
    if not digest.causes:
        return ["No two people complain of the same."]
    return [
        f"{one.name}: {one.people} people{one.seen_to}, as in “{shortened(one.quote.text, 160)}”"
        for one in digest.causes
    ]


def right(digest: Digest) -> list[str]:
    """What ended, what still waits, and who was won back."""
    said = f"{counted(digest.closed, 'case')} closed"
    if digest.unanswered:
        said += f"; of those opened {digest.unanswered} still wait"
    return [
        said + ".",
        *(
            f"Crisis over: {in_short(one)}, after {lasting(one.ended - one.since)}"
            for one in digest.over
            if one.ended is not None
        ),
        *(f"Won back: {one.author} on {one.source}" for one in digest.won_back),
    ]


def team(digest: Digest) -> list[str]:
    """How soon first answers came, and each that was late."""
    if digest.half is None or digest.most is None:
        return ["No first answer was given."]
    half, most = lasting(digest.half), lasting(digest.most)
    said = (
        f"{counted(len(digest.firsts), 'first answer')}: half within {half}, "
        f"nine of ten within {most}"
    )
    return [
        said + ("." if digest.late else ", every one in time."),
        *(f"Too late: case {one.case_id}, {one.author}" for one in digest.late),
    ]


def trust(digest: Digest) -> list[str]:
    """What was listened to, what was missed, and how good the flags are."""
    heard = f"{counted(digest.sources, 'source')} listened to"
    return [
        heard + (", without a gap." if digest.sources and not digest.gaps else "."),
        *(
            f"Not read: {one.source}, {one.start:%d %b %H:%M} to {one.end:%d %b %H:%M} UTC"
            for one in digest.gaps
        ),
        f"Flags: {digest.flags.words}",
    ]
