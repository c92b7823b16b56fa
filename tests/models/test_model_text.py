"""A post's text reaches a model as plain words, in a language that has a name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import language, language_name, normalise, primary

ANY_TEXT = st.text(st.characters(), max_size=200) | st.text(
    "@htps:/w.&;#x41aA_- \n\0é😡", max_size=80
)


@pytest.mark.parametrize(
    ("published", "read"),
    [
        ("Tom &amp;amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("see https://example.org/a?b=c now", "see http now"),
        ("WWW.example.org is down", "http is down"),
        ("awww.so sweet", "awww.so sweet"),
        ("thanks @shop_help!", "thanks @user!"),
        ("@ann.example.org @bob@example.social hi", "@user @user hi"),
        ("write to me@example.org", "write to me@example.org"),
        ("broken again 😡", "broken again enraged face"),
        ("so bad😡😡ugh", "so bad enraged face enraged face ugh"),
        ("look https://example.org/a😡", "look http enraged face"),
        ("two\n\n lines\tand\u00a0more ", "two lines and more"),
        ("cut\0here", "cuthere"),
        ("\ud83d\ude00 joined, \ud83d alone", "grinning face joined, \ufffd alone"),
        ("RT @bob: the till ate my card", "the till ate my card"),
        ("rt  @bob@example.social RT @ann: cold\nagain", "cold again"),
        ("What I said. RT @bob: cold", "What I said. RT @user: cold"),
        ("RT @bob:", "RT @user:"),
        ("art @bob made", "art @user made"),
        ("", ""),
    ],
)
def test_a_published_text_is_read_like_the_training_texts(published: str, read: str) -> None:
    assert normalise(published) == read


@pytest.mark.parametrize(
    ("published", "read"),
    [
        ("@acme where is it", "Acme where is it"),
        ("RT @acme: open till nine", "RT Acme: open till nine"),
        ("@Acme_Help, @acmeuk.bsky.social!", "Acme, Acme!"),
        ("@acme@example.social and @bob", "Acme and @user"),
        ("@ac and @macme", "@user and @user"),
    ],
)
def test_an_account_of_the_brand_is_read_as_its_name(published: str, read: str) -> None:
    assert normalise(published, "Acme") == read


def test_an_account_by_the_first_word_of_a_longer_name_is_the_brands_as_well() -> None:
    assert normalise("hi @northbank", "Northbank Savings") == "hi Northbank Savings"
    assert normalise("@nort @northern @the", "Northbank Savings") == "@user @user @user"


@given(ANY_TEXT)
def test_no_link_no_name_and_no_double_space_reaches_a_model(text: str) -> None:
    read = normalise(text)

    assert not re.search(r"https?://", read, re.IGNORECASE)
    assert not re.search(r"(?<![\w.@-])@(?!user(?!\w))\w", read)
    assert read == " ".join(read.split())
    assert "\0" not in read
    read.encode()  # no lone surrogate is left


@given(ANY_TEXT.filter(lambda text: "&" not in text))
def test_a_text_that_was_read_once_reads_the_same_again(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The delivery was three days late and nobody answers my emails", "en"),
        ("Die Lieferung kam drei Tage zu spät und niemand beantwortet meine Mails", "de"),
        ("El pedido llegó tres días tarde y nadie contesta a mis correos", "es"),
        ("La commande est arrivée en retard et personne ne répond à mes messages", "fr"),
        ("Поезд снова опоздал", "und-Cyrl"),
        ("電池の持ちがひどい", "ja"),
        ("电池太差了", "zh"),
        ("배터리가 너무 빨리 닳아요", "ko"),
        ("الخدمة سيئة جدا", "und-Arab"),
        ("बहुत खराब सेवा", "und-Deva"),
        ("Το τρένο άργησε", "el"),
        ("iPhone 的电池真的太差了", "zh"),
    ],
)
def test_the_language_is_told_by_the_words_or_the_letters(text: str, code: str) -> None:
    found = language(text)

    assert found is not None
    assert found.code == code
    assert 0 < found.probability <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "lol thx",
        "😡😡😡",
        "12345 67890",
        "@aerolineas_argentinas https://example.org/vuelo-cancelado #muymalservicio",
    ],
)
def test_without_words_of_the_author_the_language_stays_unknown(text: str) -> None:
    assert language(text) is None


def test_one_foreign_name_does_not_make_a_sentence_foreign() -> None:
    found = language("The new phone from 华为 has a battery that lasts for two whole days")

    assert found is not None
    assert found.code == "en"


def test_what_the_place_told_counts_unless_the_letters_speak_against_it() -> None:
    told = language("ok", "en-GB")
    contradicted = language("Поезд снова опоздал, как всегда", "en")
    agreed = language("Поезд снова опоздал, как всегда", "bg")

    assert told is not None
    assert told.code == "en"
    assert contradicted is not None
    assert contradicted.code == "und-Cyrl"
    assert agreed is not None
    assert agreed.code == "bg"


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("EN_us", "en"),
        ("zh-Hans-CN", "zh"),
        ("fil", "fil"),
        ("und", None),
        ("zxx", None),
        ("qme", None),
        ("", None),
        ("english", None),
        (None, None),
    ],
)
def test_a_language_tag_is_read_by_its_first_part(tag: str | None, code: str | None) -> None:
    assert primary(tag) == code


@given(ANY_TEXT, st.none() | st.text(max_size=8))
def test_no_text_and_no_tag_upsets_the_language(text: str, told: str | None) -> None:
    found = language(text, told)

    assert found is None or 0 < found.probability <= 1


def test_languages_are_called_what_people_call_them() -> None:
    assert language_name("de") == "German"
    assert language_name("und-Cyrl") == "Cyrillic letters"
    assert language_name("xh") == "the language 'xh'"
