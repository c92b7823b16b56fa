"""Tells which column of a file is which field of a post, by its name or by who wrote the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from connectors.kit.contract import Kind

FIELDS = frozenset(
    [
        "id",
        "url",
        "text",
        "html",
        "title",
        "kind",
        "author",
        "author_id",
        "author_handle",
        "author_url",
        "rating",
        "rating_lowest",
        "rating_highest",
        "language",
        "published",
        "edited",
        "in_reply_to",
        "thread",
        "branch",
        "reach",
        "deleted",
    ]
)
ENOUGH = frozenset({"text", "html", "title", "rating"})  # one of these makes a post

PresetName = Literal["google-play", "app-store", "trustpilot", "x-archive", "listener"]


def _a_field(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"{name!r} is no field of a post: choose from {', '.join(sorted(FIELDS))}")
    return name


FieldName = Annotated[str, AfterValidator(_a_field)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How a known program writes its files. Where two columns are one field, the first counts."""

    columns: Mapping[str, str]
    known_by: frozenset[str]  # columns that only this program writes
    key: tuple[str, ...] = ()  # fields that together tell a post from all others, if it has no id
    kind: Kind = Kind.REVIEW
    escaped: bool = False  # its texts are written with &amp; for &
    ours: bool = False  # all of it was written by the brand's own account


# Names of columns are compared as `folded` writes them.
PRESETS: Mapping[PresetName, Preset] = {
    # https://support.google.com/googleplay/android-developer/answer/6135870
    "google-play": Preset(
        columns={
            "review link": "url",
            "review text": "text",
            "review title": "title",
            "star rating": "rating",
            "review submit millis since epoch": "published",
            "review submit date and time": "published",
            "review last update millis since epoch": "edited",
            "review last update date and time": "edited",
            "reviewer language": "language",
            "package name": "branch",
            "device": "author_handle",
        },
        known_by=frozenset({"package name", "star rating", "review submit date and time"}),
        key=("branch", "published", "language", "author_handle"),
    ),
    # No export of Apple's own: these are the names that its API and most tools use.
    "app-store": Preset(
        columns={
            "review id": "id",
            "id": "id",
            "title": "title",
            "review title": "title",
            "body": "text",
            "review": "text",
            "content": "text",
            "rating": "rating",
            "star rating": "rating",
            "reviewer nickname": "author",
            "nickname": "author",
            "author": "author",
            "created date": "published",
            "submission date": "published",
            "date": "published",
            "app id": "branch",
            "app name": "branch",
        },
        known_by=frozenset({"reviewer nickname", "territory"}),
    ),
    "trustpilot": Preset(
        columns={
            "review id": "id",
            "review url": "url",
            "review title": "title",
            "review content": "text",
            "review text": "text",
            "review stars": "rating",
            "review rating": "rating",
            "review username": "author",
            "consumer name": "author",
            "review consumer user id": "author_id",
            "review created (utc)": "published",
            "review created date (utc)": "published",
            "review created": "published",
            "review language": "language",
            "domain url": "branch",
            "webshop name": "branch",
            "location name": "branch",
        },
        known_by=frozenset({"review stars", "review content"}),
        key=("author_id", "author", "published"),
    ),
    # https://help.x.com/en/managing-your-account/how-to-download-your-x-archive
    "x-archive": Preset(
        columns={
            "/tweet/id_str": "id",
            "/tweet/full_text": "text",
            "/tweet/created_at": "published",
            "/tweet/lang": "language",
            "/tweet/in_reply_to_status_id_str": "in_reply_to",
        },
        known_by=frozenset({"/tweet/id_str", "/tweet/full_text"}),
        kind=Kind.POST,
        escaped=True,
        ours=True,
    ),
    "listener": Preset(
        columns={f"/{name}": name for name in sorted(FIELDS)}
        | {
            "/author/name": "author",
            "/author/id": "author_id",
            "/author/handle": "author_handle",
            "/author/url": "author_url",
            "/rating/value": "rating",
            "/rating/lowest": "rating_lowest",
            "/rating/highest": "rating_highest",
        }
        | {name: name for name in FIELDS},
        known_by=frozenset({"/id", "/text", "/published"}),
        kind=Kind.POST,
    ),
}

# What other programs call their columns.
USUAL: Mapping[str, str] = {
    name: field
    for field, names in {
        "id": "id,review id,post id,comment id,response id,feedback id,uuid,guid,tweet id,message id",
        "url": "url,link,permalink,review link,review url,post url,source url,page url",
        "text": "text,review text,review,comment,comments,content,body,message,feedback,description,"
        "review content,review body,full text,tweet,post,caption,bewertung,bewertungstext,kommentar,"
        "text der bewertung,avis,commentaire,reseña,comentario,opinione,recensione,nachricht,inhalt",
        "html": "html,content html,body html",
        "title": "title,review title,subject,headline,summary,titel,überschrift,betreff,titre,título",  # codespell:ignore titel
        "author": "author,name,user,username,user name,reviewer,reviewer name,author name,customer,"
        "customer name,nickname,display name,consumer name,posted by,autor,auteur,nutzer,kunde,"  # codespell:ignore autor
        "benutzername",
        "author_id": "author id,user id,reviewer id,customer id,consumer id",
        "author_handle": "handle,screen name,author handle",
        "author_url": "author url,profile url,profile link",
        "rating": "rating,stars,star rating,score,review rating,review stars,overall rating,note,"
        "sterne,bewertung in sternen,punkte,puntuación,valutazione,calificación",
        "language": "language,lang,locale,review language,sprache,langue,idioma",
        "published": "published,published at,date,created,created at,created date,creation date,time,"
        "timestamp,datetime,date and time,posted,posted at,posted on,submitted,submitted at,"
        "submission date,review date,review created,date created,date published,datum,"
        "erstellt,erstellt am,veröffentlicht,fecha,data",
        "edited": "edited,edited at,updated,updated at,last updated,modified,last modified",
        "in_reply_to": "in reply to,reply to,parent,parent id",
        "thread": "thread,thread id,topic,topic id,conversation id",
        "branch": "branch,location,store,shop,location name,store name,app,app name,product,site,"
        "business unit,filiale,standort,markt,magasin,tienda",
        "reach": "reach,views,impressions,view count",
        "kind": "kind",
    }.items()
    for name in names.split(",")
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which column is which field, in the order in which they count, and whose file it is."""

    columns: tuple[tuple[str, str], ...]
    preset: PresetName | None = None
    missing: tuple[str, ...] = ()  # columns that the owner named, and that are not there

    @property
    def fields(self) -> frozenset[str]:
        """What will be known of a post."""
        return frozenset(name for _, name in self.columns)

    @property
    def enough(self) -> bool:
        """Whether a post can come of it."""
        return bool(self.fields & ENOUGH)


def mapped(
    columns: Iterable[str], told: Mapping[str, str], preset: PresetName | None, *, json: bool
) -> Mapped:
    """The owner's word counts first, then that of the program that wrote the file, then guesses."""
    names = {folded(column): column for column in reversed(list(columns))}

    def called(name: str) -> str | None:
        """The column of this name; in JSON also the value of this name at the top."""
        return names.get(folded(name)) or (names.get(f"/{folded(name)}") if json else None)

    preset = preset or recognised(names)
    # Not every object of JSON has every value, so one that is named there may come later.
    found = {called(name) or (name if json else ""): field for name, field in told.items()}
    found.pop("", None)
    for guesses in (PRESETS[preset].columns if preset else {}, USUAL):
        taken = set(found.values())
        for name, field in guesses.items():
            column = called(name)
            if column and field not in taken:
                found.setdefault(column, field)
    missing = () if json else tuple(name for name in told if not called(name))
    return Mapped(tuple(found.items()), preset, missing)


def recognised(names: Iterable[str]) -> PresetName | None:
    """Which program writes such columns."""
    names = set(names)
    return next(
        (name for name, preset in PRESETS.items() if set(map(folded, preset.known_by)) <= names),
        None,
    )


def folded(column: str) -> str:
    """A name as it is compared: Review_Text is review text."""
    return " ".join(column.replace("_", " ").replace("-", " ").split()).casefold()
