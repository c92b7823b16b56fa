"""A sealed secret shows nothing, and opens with its own key alone."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.secret import Seal, WrongKey, is_reference, is_sealed

SEAL = Seal("a key for tests, long enough")


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_opens_to_what_it_was(secret: str) -> None:
    assert SEAL.open(SEAL.close(secret)) == secret


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=4))
def test_the_secret_is_nowhere_in_its_sealed_form(secret: str) -> None:
    sealed = SEAL.close(secret)

    assert secret.encode() not in base64.b64decode(sealed["sealed"])
    assert len(secret) < 8 or secret not in json.dumps(sealed)


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert SEAL.close("open sesame") != SEAL.close("open sesame")


def test_a_wrong_key_is_said_in_a_sentence_that_holds_neither_key_nor_secret() -> None:
    sealed = SEAL.close("open sesame")

    with pytest.raises(WrongKey) as refusal:
        Seal("another key, also long enough").open(sealed)

    assert str(refusal.value) == (
        "A stored secret cannot be opened: LISTENER_KEY (or the key file) is not the one "
        "it was sealed with. Set the former key, or run `listener apply` again with the secret."
    )
    assert Seal("another key, also long enough").opens(sealed) is None


@pytest.mark.parametrize("spoilt", ["", "AAAA", "no base64 at all", "é"])
def test_a_spoilt_sealed_secret_is_a_wrong_key_too(spoilt: str) -> None:
    with pytest.raises(WrongKey):
        SEAL.open({"sealed": spoilt})


def test_a_changed_byte_is_noticed() -> None:
    raw = bytearray(base64.b64decode(SEAL.close("open sesame")["sealed"]))
    raw[-1] ^= 1

    assert SEAL.opens({"sealed": base64.b64encode(raw).decode()}) is None


def test_sealed_secrets_and_references_are_told_apart() -> None:
    assert is_sealed(SEAL.close("open sesame"))
    assert is_reference({"env": "TOKEN"})
    assert is_reference({"file": "~/token"})
    for neither in ("open sesame", {}, {"env": "A", "file": "b"}, {"sealed": "x", "env": "A"}, 5):
        assert not is_sealed(neither)
        assert not is_reference(neither)
