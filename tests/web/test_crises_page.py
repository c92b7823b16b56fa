"""The pages of a crisis: declared, pinned above the queue, led, told about, reported on."""

import asyncio
import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest

from connectors.kit.contract import ReplyRule
from listener.desk import declaring, gathering, taking
from listener.desk.declaring import Wish
from listener.domain.alarm import RISE, Alarm, Sort
from listener.domain.crisis import Crisis
from listener.domain.mention import Mention
from tests.desk.test_declaring import declared, members, themed
from tests.replying import sent
from tests.web.visiting import street
from tests.world import World

SORRY = "We see it too, {author}, and tell you by noon."


async def opened(world: World) -> None:
    """A crisis with the three cases of a theme, and a case beside it."""
    await themed(world)
    await declared(world, theme=1)


def answerable(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """From the next service on, every place takes replies while this is set."""
    takes = asyncio.Event()
    takes.set()

    def rule(*_: object) -> ReplyRule:
        if takes.is_set():
            return ReplyRule(True, length=500)
        return ReplyRule(False, reason="Not from here.")

    monkeypatch.setattr("listener.app.service.rule", rule)
    return takes


async def test_a_crisis_is_declared_from_a_theme_without_scripts(world: World) -> None:
    await themed(world)
    async with street(world) as place:
        lead = await place.signed_in("Lea")
        assert 'href="/crises?theme=1#declare"' in (await lead.get("/themes/1")).text
        form = (await lead.get("/crises?theme=1")).text
        assert "No crisis is open." in form
        assert 'name="theme" value="1"' in form
        assert "Eve" not in form

        made = await lead.post(
            "/crises", {"name": "<b>Coupon</b> fire", "theme": "1", "lead": "Mia", "every": "15"}
        )

        assert (made.status, made.headers["Location"]) == (303, "/crises/1")
        page = (await lead.get("/crises/1")).text
        assert "&lt;b&gt;Coupon&lt;/b&gt; fire" in page
        assert "Mia leads it" in page
        assert '<a href="/queue?queue=crisis-1">3</a>' in page
        assert "style=" not in page
        theme = (await lead.get("/themes/1")).text
        assert "It is the crisis" in theme
        assert "Declare a crisis from this" not in theme
        again = await lead.post(
            "/crises", {"name": "<b>coupon</b> FIRE", "theme": "1", "every": "15"}
        )
        assert again.status == 409
        assert "is open for Acme already" in unescape(again.text)


async def test_a_crisis_is_declared_from_an_alarm(world: World) -> None:
    await themed(world)
    async with world.store.transaction() as session:
        session.add(
            Alarm(
                brand_id=1,
                about=RISE,
                sort=Sort.COMPLAINTS,
                since=world.now - timedelta(hours=1),
                raised_at=world.now,
                count=4,
                high=1,
            )
        )
    async with street(world) as place:
        lead = await place.signed_in("Lea")
        assert 'href="/crises?alarm=1#declare"' in (await lead.get("/alarms")).text
        agent = await place.signed_in("Ana")
        assert "Declare a crisis" not in (await agent.get("/alarms")).text
        assert "4 complaints" in (await lead.get("/crises?alarm=1")).text

        await lead.post("/crises", {"name": "Rise", "alarm": "1", "every": "30"})

        assert len(await members(world)) == 4
        assert "4 complaints" in (await lead.get("/crises/1")).text
        again = (await lead.get("/alarms")).text
        assert 'It is the crisis <a href="/crises/1">Rise</a>' in again
        assert "Declare a crisis" not in again


async def test_it_stands_above_every_queue_with_its_cases_until_it_is_over(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        agent = await place.signed_in("Ana")
        for queue in ("", "?queue=mine", "?queue=done", "?queue=crisis-1"):
            page = (await agent.get(f"/queue{queue}")).text
            assert '<a href="/crises/1">Acme: Burning chargers</a>' in page
            assert re.search(r'data-count="crisis-1">3<', page)
            rail = page.split('id="rail"')[1]
            assert rail.index("queue=crisis-1") < rail.index("queue=unowned")
        page = (await agent.get("/queue?queue=crisis-1")).text
        assert sorted(map(int, re.findall(r'class="row[^"]*" data-case="(\d+)"', page))) == sorted(
            await members(world)
        )
        # Scripts take the counts of what changes from the part they ask for.
        part = (await agent.get("/queue?queue=all", **{"X-Part": "list"})).text
        assert 'data-count="crisis-1">3<' in part

        # Sorted as the others, by how pressing they are.
        everything = re.findall(r'data-case="(\d+)"', (await agent.get("/queue?queue=all")).text)
        pinned = re.findall(r'class="row[^"]*" data-case="(\d+)"', page)
        assert pinned == [number for number in everything if number in pinned]

        stranger = (await (await place.signed_in("Eve")).get("/queue")).text
        assert "Burning" not in stranger

        await declaring.end(world.store, 1, "Lea")
        page = (await agent.get("/queue?queue=crisis-1")).text
        assert "Burning chargers" not in page
        assert '<a href="/queue?queue=unowned" aria-current="page"' in page


async def test_a_pinned_queue_without_cases_says_so(world: World) -> None:
    await themed(world)
    await declared(world)
    async with street(world) as place:
        page = (await (await place.signed_in("Ana")).get("/queue?queue=crisis-1")).text

        assert "No case of this crisis is open." in page


async def test_its_holding_reply_is_offered_first_while_it_lasts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(world)
    answerable(monkeypatch)
    [case, *_] = sorted(await members(world))
    async with street(world) as place:
        lead, agent = await place.signed_in("Lea"), await place.signed_in("Ana")
        await taking.take(world.store, case, "Ana")
        await lead.get("/crises/1")
        await lead.post("/wordings", {"name": "Always", "text": "Hello."})
        await lead.post("/crises/1/text", {"text": SORRY})
        assert "We see it too" not in (await agent.get(f"/cases/{case}")).text
        page = (await lead.get("/crises/1")).text
        assert "not approved yet, so not offered" in page
        await lead.post("/crises/1/approve", {"language": "", "text": SORRY})

        page = (await agent.get(f"/cases/{case}")).text
        assert "We see it too, Ada" in page
        first = page.split('id="wording"')[1].split("</option>")[1]
        assert "Holding reply: Burning chargers" in first

        await declaring.end(world.store, 1, "Lea")
        assert "We see it too" not in (await agent.get(f"/cases/{case}")).text


async def test_it_is_sent_to_those_who_are_ticked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(world)
    place_takes_replies = answerable(monkeypatch)
    async with street(world) as place:
        agent = await place.signed_in("Ana")
        place_takes_replies.clear()
        empty = (await agent.get("/crises/1/tell")).text
        assert "No holding reply is approved." in empty
        assert 'name="case"' not in empty
        await declaring.word(world.store, 1, "Lea", SORRY)
        await declaring.approve(world.store, 1, "Lea", "", SORRY)
        assert (await agent.get("/crises/1/tell")).text.count("Only by hand: ") == 3

        place_takes_replies.set()
        page = (await agent.get("/crises/1/tell")).text
        assert page.count('name="case"') == 3
        assert "checked" not in page
        assert "<b>Your" not in page
        case = int(page.split('name="case" value="')[1].split('"')[0])
        token = page.split(f'name="seen-{case}" value="')[1].split('"')[0]
        texts = page.split('name="texts" value="')[1].split('"')[0]

        done = await agent.post(
            "/crises/1/tell", {"case": str(case), f"seen-{case}": token, "texts": texts}
        )

        assert "1 person will be told in 30 s." in done.text
        [reply] = await sent(world)
        assert reply.case_id == case
        stale = await agent.post(
            "/crises/1/tell", {"case": str(case), f"seen-{case}": token, "texts": "old"}
        )
        assert stale.status == 409
        assert "was changed meanwhile" in stale.text


async def test_an_update_is_written_and_a_missed_one_is_said(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        lead = await place.signed_in("Lea")
        world.now += timedelta(minutes=31)
        assert "An update is due now" in (await lead.get("/crises/1")).text
        world.now += timedelta(minutes=5)
        service = await world.service()
        await service.crisis.step()
        page = (await lead.get("/crises/1")).text
        assert "was not written" in page
        assert "No update since the one due" in (await lead.get("/queue")).text
        assert "No update since the one due" in (await lead.get("/crises")).text

        made = await lead.post("/crises/1/update", {"text": "The till is <i>off</i>.\nMore soon."})

        assert made.status == 303
        page = (await lead.get("/crises/1")).text
        assert "The till is &lt;i&gt;off&lt;/i&gt;." in page
        assert "was not written" not in page
        refused = await lead.post("/crises/1/update", {"text": " "})
        assert refused.status == 409
        assert "The update is empty. Say what is known" in refused.text


async def test_who_only_reads_sees_no_form_that_they_may_not_send(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        forms = {}
        for name in ("Ana", "Lea", "Mia"):
            page = (await (await place.signed_in(name)).get("/crises/1")).text
            forms[name] = set(re.findall(r'action="/crises/1/(\w+)"', page))
            lists = (await (await place.signed_in(name)).get("/crises")).text
            assert ('action="/crises"' in lists) == (name != "Ana")
        leads = {"update", "text", "lead", "end"}
        assert forms == {"Ana": {"bring", "leave"}, "Lea": {"bring", "leave"} | leads, "Mia": leads}


async def test_another_brands_crisis_and_none_at_all_are_the_same_sentence(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        stranger = await place.signed_in("Eve")
        for number in (1, 77):
            seen = await stranger.get(f"/crises/{number}")
            assert seen.status == 404
            assert f"There is no crisis {number}, or it belongs to a brand" in unescape(seen.text)
        page = (await stranger.get("/crises")).text
        assert "Acme" not in page
        assert "Lea" not in page
        # Neither by naming an alarm or a theme of a brand that is not theirs.
        assert "FRESH20" not in (await stranger.get("/crises?theme=1")).text
        refused = await stranger.post("/crises", {"name": "X", "theme": "1", "every": "30"})
        assert refused.status == 404


async def test_a_case_is_brought_in_and_out_from_its_own_page(world: World) -> None:
    await opened(world)
    [outside] = {case.key for case in await world.cases()} - set(await members(world))
    async with street(world) as place:
        agent = await place.signed_in("Ana")
        page = (await agent.get(f"/cases/{outside}")).text
        assert "Belongs to Burning chargers" in page

        await agent.post("/crises/1/bring", {"case": str(outside)})

        assert outside in await members(world)
        page = (await agent.get(f"/cases/{outside}")).text
        assert '<a href="/crises/1">Burning chargers</a>' in page
        assert "Ana brought it into the crisis Burning chargers" in page
        await agent.post("/crises/1/leave", {"case": f"#{outside}"})
        assert outside not in await members(world)
        wrong = await agent.post("/crises/1/bring", {"case": "many"})
        assert wrong.status == 409
        assert "Name a case by its number" in wrong.text


async def test_ended_it_says_so_and_keeps_its_report(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        lead = await place.signed_in("Lea")
        await lead.get("/crises/1")

        await lead.post("/crises/1/end")

        page = (await lead.get("/crises/1")).text
        assert "ended by Lea" in page
        assert "<form" not in page.split("<main", 1)[1]
        assert 'href="/crises/1/report"' in page
        lists = (await lead.get("/crises")).text
        assert "No crisis is open." in lists
        assert "Acme: Burning chargers" in lists
    [crisis] = await world.all_of(Crisis)
    assert crisis.ended_by == crisis.lead_id


async def test_the_mentions_behind_a_figure_are_found(world: World) -> None:
    await opened(world)
    async with street(world) as place:
        lead = await place.signed_in("Lea")

        page = (await lead.get("/mentions?crisis=1")).text

        assert page.count("<article") == 3
        assert 'href="/crises/1">crisis 1</a>' in page
        assert (
            "<article" not in (await (await place.signed_in("Eve")).get("/mentions?crisis=1")).text
        )


async def test_the_report_says_it_all_and_its_table_holds_no_formula(world: World) -> None:
    await opened(world)
    async with world.store.transaction() as session:
        mention = await session.get(Mention, 1)
        assert mention is not None
        mention.author_name = "=cmd|' /C calc'!A0"
    await declaring.update(world.store, 1, "Lea", "The till is off.")
    await gathering.look(world.store, 1)
    async with street(world) as place:
        lead = await place.signed_in("Lea")

        page = (await lead.get("/crises/1/report")).text
        table = (await lead.get("/crises/1/cases.csv")).text

        assert "The report so far" in page
        assert "The till is off." in page
        assert page.count("<blockquote") == 3
        assert "<b>Your" not in page
        assert "style=" not in page
        rows = list(csv.reader(io.StringIO(table)))
        assert rows[0][0] == "case"
        assert len(rows) == 4
        assert not [cell for row in rows for cell in row if cell.startswith("=")]
        agent = await place.signed_in("Ana")
        assert (await agent.get("/crises/1/report")).status == 403
        assert "/report" not in (await agent.get("/crises/1")).text


async def test_scripts_are_answered_in_sentences(world: World) -> None:
    await themed(world)
    async with street(world) as place:
        lead = await place.signed_in("Lea")
        json = {"Accept": "application/json"}

        made = await lead.post("/crises", {"name": "Fire", "brand": "Acme", "every": "30"}, **json)
        said = await lead.post("/crises/1/update", {"text": "Soon."}, **json)
        odd = await lead.post("/crises", {"name": "X", "theme": "two", "every": "30"}, **json)

        assert '"crisis": 1' in made.text
        assert "is on its way to all" in said.text
        assert (odd.status, "is no theme" in odd.text) == (409, True)
    assert Wish(name="x").every == 30
