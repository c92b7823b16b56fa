"""What is peculiar to the feeds of Google News and Google Alerts."""

from urllib.parse import parse_qs, urlsplit

from connectors.kit.text import absolute


def unwrapped(link: str) -> str:
    """The address that a link of Google Alerts leads to; other links stay as they are."""
    parts = urlsplit(link)
    if not (parts.hostname or "").startswith("www.google.") or parts.path != "/url":
        return link
    query = parse_qs(parts.query)
    wrapped = (query.get("url") or query.get("q") or [""])[0]
    return absolute(wrapped) or link


def is_news(link: str) -> bool:
    """Whether this is Google News, whose guids and links are redirects that change."""
    return urlsplit(link).hostname == "news.google.com"


def headline(title: str, paper: str) -> str:
    """The headline that Google News wrote as "headline - paper"."""
    return title.removesuffix(f" - {paper}") if paper else title
