"""Mail reaches a real server over TLS with a login, and what strangers wrote does no harm in it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typing_extensions import override

from listener.channels.contract import Telling, Undelivered
from listener.channels.mail import Mail, MailServer, Safety
from listener.config import BadSettings, mail_server
from listener.domain.event import What
from listener.domain.notice import News
from tests.given import OPENED
from tests.mail_server import PostOffice, post_office

HOSTILE = (
    'Fish\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script><img src="https://spy.example/x">'
    "</div></style><a href='javascript:alert(2)'>click</a> {{ 7 * 7 }} {% raw %} "
    "https://evil.example/login \u202egnp.exe @channel \x00\x1b[2J"
)


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostOffice]:
    """A mail server whose certificate we trust."""
    async with post_office(tmp_path) as office:
        monkeypatch.setenv("SSL_CERT_FILE", str(office.certificate))
        yield office


def mail(server: MailServer, **more: object) -> Mail:
    """A channel to one mailbox."""
    made = Mail(server, ["desk@example.org"], "https://listener.example", "house")
    return replace(made, **more)  # type: ignore[arg-type]


async def sent(office: PostOffice, telling: Telling, **more: object) -> EmailMessage:
    """What the server has after this was told."""
    await mail(office.server(), **more).send(telling)
    return office.mails[-1]


def parts(found: EmailMessage) -> tuple[str, str]:
    """A mail's plain words and its page."""
    plain, page = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert page is not None
    return str(plain.get_content()), str(page.get_content())


async def test_a_case_arrives_with_all_that_staff_must_know(office: PostOffice) -> None:
    found = await sent(office, replace(OPENED, source="Town", urgent=True, stars=1.0))

    assert found["Subject"] == "Urgent: Acme, case 7: “The fish was cold. And the chips too.”"
    assert (found["From"], found["To"]) == ("Listener <listener@example.org>", "desk@example.org")
    assert found["Auto-Submitted"] == "auto-generated"
    plain, page = parts(found)
    for said in (plain, page):
        for words in (
            "Acme on Town", "★☆☆☆☆", "Ada Example", "The fish was cold.", "Reads like a complaint",
            "Answer by Mon 02 Nov, 16:00 UTC", "https://listener.example/cases/7",
        ):  # fmt: skip
            assert words in said
    assert "<style" not in page  # it stands in every element: many programs drop the rest
    assert 'style="' in page


async def test_a_login_over_starttls_works_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with post_office(tmp_path, starttls=True) as office:
        monkeypatch.setenv("SSL_CERT_FILE", str(office.certificate))

        await mail(office.server(safety=Safety.STARTTLS)).send(OPENED)

        assert len(office.mails) == 1


async def test_all_mails_of_a_case_are_one_thread_each_with_its_own_lasting_id(
    office: PostOffice,
) -> None:
    again = replace(OPENED, id="notice_2", news=News.CHANGED, what=What.TAKEN, owner="Ben")
    first, repeated, later = [await sent(office, one) for one in (OPENED, OPENED, again)]

    assert first["Message-ID"] == repeated["Message-ID"] == "<notice_1@house.example.org>"
    assert later["Message-ID"] == "<notice_2@house.example.org>"
    assert first["References"] == later["References"] == "<case_7@house.example.org>"
    assert later["Subject"] == f"Re: {first['Subject']}"
    assert "Case 7: taken by Ben." in parts(later)[0]


async def test_one_person_is_told_why_and_can_say_that_they_see_to_it(office: PostOffice) -> None:
    found = await sent(
        office,
        replace(OPENED, why="You own this case."),
        heard=lambda notice: f"https://listener.example/heard/{notice}",
    )

    for said in parts(found):
        assert "You own this case." in said
        assert "https://listener.example/heard/notice_1" in said


class Alive(HTMLParser):
    """Collects what a mail program would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.acting: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.add(value or "")
            elif name.startswith("on") or name in {"src", "action", "srcset", "background"}:
                self.acting.add(name)


async def test_what_a_stranger_wrote_does_nothing_in_subject_or_body(office: PostOffice) -> None:
    found = await sent(
        office,
        replace(OPENED, quote=HOSTILE, author=HOSTILE, source=HOSTILE, url="javascript:alert(3)"),
    )

    assert found["Bcc"] is None
    assert "\n" not in found["Subject"]
    plain, page = parts(found)
    seen = Alive()
    seen.feed(page)
    assert seen.tags <= {"html", "head", "meta", "title", "body", "div", "p", "span", "a"}
    assert seen.acting == set()
    assert seen.links == {"https://listener.example/cases/7", "https://listener.example/me"}
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    for said in (plain, page, found["Subject"]):
        assert not re.search("[\x00\x1b\u202e]", said)
    quoted = plain.split("> ", 1)[1].split("\n\n")[0]
    assert "https://evil" not in quoted  # no mail program makes a link of it


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "no"}, "does not accept the user and password in LISTENER_SMTP"),
        ({"port": 1}, "cannot be reached. Is the name right, and the port open?"),
    ],
)
async def test_what_is_missing_is_said_in_words(
    office: PostOffice, wrong: dict[str, object], says: str
) -> None:
    with pytest.raises(Undelivered) as refusal:
        await office.server(**wrong).check()

    assert says in str(refusal.value)
    assert "battery" not in str(refusal.value)


async def test_a_certificate_that_nobody_trusts_is_refused(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(Undelivered, match="certificate that is not trusted"):
        await office.server().check()


async def test_a_server_that_answers_is_well(office: PostOffice) -> None:
    assert await office.server().check() == (
        "localhost lets us in as listener and would send from listener@example.org."
    )


async def test_a_server_that_refuses_is_told_again_later(office: PostOffice) -> None:
    office.refuses = "451 come back later"

    with pytest.raises(Undelivered, match="answered 451"):
        await mail(office.server()).send(OPENED)


@pytest.mark.parametrize("address", ["", "no at", "a@b\r\nBcc: c@d", "ö@example.org", "@x", "a@"])
async def test_an_address_that_is_none_is_said_and_not_written_to(
    office: PostOffice, address: str
) -> None:
    with pytest.raises(Undelivered, match="no address that mail can be sent to"):
        await mail(office.server(), to=[address]).send(OPENED)

    assert office.mails == []


def test_the_setting_names_server_login_and_safety() -> None:
    found = mail_server("smtps://me:p%40ss@mail.example.org", "Desk <desk@example.org>")

    assert found is not None
    assert (found.host, found.port, found.user, found.password) == (
        "mail.example.org", 465, "me", "p@ss",
    )  # fmt: skip
    assert "p@ss" not in repr(found)
    plain = mail_server("smtp://mail.example.org", "desk@example.org")
    assert plain is not None
    assert (plain.port, plain.safety) == (587, Safety.STARTTLS)


@pytest.mark.parametrize(
    ("words", "sender", "says"),
    [
        ("mail.example.org", "a@b.example", "LISTENER_SMTP must look like"),
        ("smtps://u:secret@x:port", "a@b.example", "LISTENER_SMTP must look like"),
        ("smtps://u:secret@x", "", "LISTENER_MAIL_FROM must say from whom"),
        ("smtps://u:secret@x", "nobody", "LISTENER_MAIL_FROM must say from whom"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_without_the_password(
    words: str, sender: str, says: str
) -> None:
    with pytest.raises(BadSettings) as refusal:
        mail_server(words, sender)

    assert says in str(refusal.value)
    assert "secret" not in str(refusal.value)
