"""Secrets at rest: sealed with the listener's own key, or a reference to where they are kept."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED, ENV, FILE = "sealed", "env", "file"
SECRET = "secret"  # noqa: S105  (the word in { secret = true }: the one kept already)


class WrongKey(Exception):
    """What was sealed cannot be opened with this key."""


class Seal:
    """Seals and opens secrets (AES-256-GCM) with one key, given as text of any length."""

    def __init__(self, key: str) -> None:
        digest = hashlib.sha256(key.encode()).digest()
        self._cipher = AESGCM(digest)
        self._stamp = hmac.digest(digest, b"what leaves the house", "sha256")

    def close(self, secret: str) -> dict[str, str]:
        """The secret, sealed, as it is kept in the database."""
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._cipher.encrypt(nonce, secret.encode(), None)
        return {SEALED: base64.b64encode(sealed).decode()}

    def open(self, sealed: Mapping[str, str]) -> str:
        """The secret in the clear."""
        try:
            raw = base64.b64decode(sealed[SEALED])
            return self._cipher.decrypt(raw[:12], raw[12:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise WrongKey(
                "A stored secret cannot be opened: LISTENER_KEY (or the key file) is not the one "
                "it was sealed with. Set the former key, or run `listener apply` again with the secret."
            ) from error

    def mark(self, words: str) -> str:
        """What only this key can put under these words: 32 hexadecimal digits."""
        return hmac.digest(self._stamp, words.encode(), "sha256").hex()[:32]

    def opens(self, sealed: Mapping[str, str]) -> str | None:
        """The secret in the clear, or None when another key sealed it."""
        try:
            return self.open(sealed)
        except WrongKey:
            return None


def is_sealed(value: Any) -> bool:
    """Whether this is what `Seal.close` made."""
    return isinstance(value, Mapping) and set(value) == {SEALED}


def is_reference(value: Any) -> bool:
    """Whether this names where a secret is kept: `{ env = "NAME" }` or `{ file = "path" }`."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    [(kept, where)] = value.items()
    return kept in {ENV, FILE} and isinstance(where, str) and bool(where)


def is_as_before(value: Any) -> bool:
    """Whether this stands for the secret that is kept already: `{ secret = true }`."""
    return isinstance(value, Mapping) and dict(value) == {SECRET: True}
