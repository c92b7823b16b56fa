"""Which domain somebody registered, read off the address of a link."""

from contextlib import suppress
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import urlsplit

from tldextract import TLDExtract

# The list of public endings comes with the package; nothing is fetched and nothing is written.
_endings = TLDExtract(cache_dir=None, suffix_list_urls=())


def registered(address: str) -> frozenset[str]:
    """The registered domain of a link or a host, in small letters; none for an IP address.

    Two where a company lets out names under its own domain: `acme.github.io` belongs to
    whoever took it, and to `github.io`.
    """
    if "//" not in address:
        return _registered(address.lower())
    try:
        host = urlsplit(address).hostname
    except ValueError:  # not an address after all, as "http://[acme"
        return frozenset()
    return _registered(host or "")


@lru_cache(maxsize=16_384)
def _registered(host: str) -> frozenset[str]:
    name = readable(host)
    found = _listed(name)
    if found or _endings.extract_str(name).suffix or "." not in name or name[-1:].isdigit():
        return found
    # An ending that is on no list, as in an intranet: what stands before it is registered.
    last = name.strip(".").split(".")[-2:]
    if not all(label.replace("-", "").isalnum() for label in last):
        return found
    return frozenset({".".join(last)})


def _listed(name: str) -> frozenset[str]:
    return frozenset(
        domain
        for private in (False, True)
        if (
            domain := _endings.extract_str(
                name, include_psl_private_domains=private
            ).top_domain_under_public_suffix
        )
    )


def has_known_ending(host: str) -> bool:
    """Whether a word with dots ends as public domains do: `acme.com`, but not `node.js`."""
    return bool(_listed(readable(host)))


def readable(host: str) -> str:
    """`xn--mller-kva.de` as `müller.de`: links carry the one, people write the other."""
    return ".".join(_readable(label) for label in host.lower().split("."))


def _readable(label: str) -> str:
    if label.startswith("xn--"):
        with suppress(UnicodeError):
            label = label[4:].encode("ascii").decode("punycode")
    return normalize("NFKC", label).lower()
