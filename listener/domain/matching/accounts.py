"""Whose account wrote a post: as a query's author filter asks, and as a brand knows its own."""

from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from connectors.kit.contract import Author, Post
from listener.domain.folding import fold


def is_own(post: Post, handles: Collection[str]) -> bool:
    """Whether one of the brand's own accounts wrote the post.

    A handle may be written with a leading @, with its host (`user@host`), as the address of
    the account's page, or as the place's id for it. A display name proves nothing: everybody
    may choose one. Nor does `acme` own `acme@elsewhere.example`.
    """
    author = post.author
    if author.ours or not handles:
        return author.ours
    ours = {fold(handle.strip()).removeprefix("@") for handle in handles} - {""}
    page = _page(author.url or "")
    return (
        (author.id != "" and author.id in {handle.strip() for handle in handles})
        or not ours.isdisjoint(handles_of(author))
        or (page is not None and page in {_page(handle.strip()) for handle in handles})
    )


def handles_of(author: Author) -> Iterator[str]:
    """The author's handle as it may be written: alone, and with its host."""
    handle = fold(author.handle.strip()).removeprefix("@")
    if handle:
        yield handle
        page = _page(author.url or "")
        if page:
            yield f"{handle}@{page[0]}"


def _page(address: str) -> tuple[str, str] | None:
    """Host and path of an account's page, which http, www. and a last slash do not change."""
    try:
        parts = urlsplit(address)
    except ValueError:  # no address after all, as "https://[acme"
        return None
    if not parts.hostname:
        return None
    return parts.hostname.removeprefix("www."), f"{parts.path.rstrip('/')}?{parts.query}"
