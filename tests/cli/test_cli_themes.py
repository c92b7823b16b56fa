"""`listener themes`: what people complain about alike, and what is done with it."""

from tests.command_line import CommandLine


def test_themes_are_listed_with_who_says_it_and_can_be_named(demo: CommandLine) -> None:
    rows = demo("--demo", "themes", "--json").rows
    first = rows[0]
    assert first["people"] >= 3
    assert first["quote"]
    assert sum(first["places"].values()) == first["mentions"]

    named = demo("--demo", "themes", "rename", first["id"], "The broken coupon", "--as", "Ana")
    said = demo("--demo", "themes")

    assert named.out == f"Theme {first['id']} is called The broken coupon now.\n"
    assert said.out.startswith(
        f"{first['id']:>5}  Tarnby: The broken coupon, {first['people']} people, "
    )
    assert said.out.splitlines()[-1] == f"{len(rows)} themes. Times are UTC."


def test_a_quiet_theme_comes_last_until_it_is_among_the_others_again(demo: CommandLine) -> None:
    first = demo("--demo", "themes", "--json").rows[0]["id"]

    quiet = demo("--demo", "themes", "mute", first, "--as", "Ana")
    assert quiet.out == f"Theme {first} is quiet.\n"
    assert demo("--demo", "themes", "--json").rows[-1]["id"] == first

    demo("--demo", "themes", "unmute", first, "--as", "Ana")
    assert demo("--demo", "themes", "--json").rows[0]["id"] == first


def test_what_is_no_theme_is_refused_in_a_sentence(demo: CommandLine) -> None:
    said = demo("--demo", "themes", "merge", 99_999, 1, "--as", "Ana")

    assert (said.code, said.out) == (1, "")
    assert said.err == "There is no theme 99999. The page Themes lists them.\n"


def test_one_theme_is_shown_given_away_linked_and_put_apart(demo: CommandLine) -> None:
    first = demo("--demo", "themes", "--json").rows[0]
    number = first["id"]
    whole = demo("--demo", "themes", "show", number, "--json").rows[0]
    assert whole["quotes"]
    assert not any(quote["text"].startswith("RT @") for quote in whole["quotes"])
    assert sum(whole["places"].values()) == whole["people_ever"]

    given = demo("--demo", "themes", "give", number, "Ana", "--as", "Ana")
    linked = demo("--demo", "themes", "link", number, "https://t.example/7", "--as", "Ana")
    wrong = demo("--demo", "themes", "link", number, "SHOP-7", "--as", "Ana")
    apart = demo(
        "--demo",
        "themes",
        "split",
        number,
        *whole["mentions"][:2],
        "--name",
        "Apart",
        "--as",
        "Ana",
    )

    assert given.out == f"Ana sees to theme {number} now.\n"
    assert linked.out == f"Theme {number} leads to https://t.example/7 now.\n"
    assert (wrong.code, wrong.err[:20]) == (1, "That is no link. It ")
    assert apart.out.startswith(f"2 posts of theme {number} are theme ")
    said = demo("--demo", "themes").out
    assert ", Ana sees to it at https://t.example/7" in said
    shown = demo("--demo", "themes", "show", number).out
    assert "Ana sees to it" in shown
    assert "Ana linked it to https://t.example/7" in shown
    missing = demo("--demo", "themes", "show", 99_999)
    assert missing.err == "There is no theme 99999. `listener themes` lists them.\n"


def test_a_case_sleeps_until_its_theme_spreads(demo: CommandLine) -> None:
    case = next(one["cases"][0] for one in demo("--demo", "themes", "--json").rows if one["cases"])

    slept = demo("--demo", "cases", "snooze", case, "--spreads", "--people", 5, "--as", "Ana")
    both = demo("--demo", "cases", "snooze", case, "--spreads", "--for", "4h", "--as", "Ana")

    assert slept.out.startswith(f"Case {case} sleeps until 5 more people say the same (theme ")
    assert both.code == 2
    assert "Say one of --for, --author and --spreads." in both.err
