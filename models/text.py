"""Makes a post's text ready for a model: plain words, in a language that has a name."""

import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache

import emoji
from lingua import Language as Tongue
from lingua import LanguageDetector, LanguageDetectorBuilder

LINK = re.compile(r"(?:https?://|\bwww\.)\S*", re.IGNORECASE)
# @name, @name.example.org and @name@host, but not the middle of a mail address.
HANDLE = re.compile(r"(?<![\w.@-])(?:@\w+(?:[.-]\w+)*)+")
REPOST = re.compile(r"(?:RT @user:? )+(?=\S)", re.IGNORECASE)  # as people write it by hand
HASHTAG = re.compile(r"#\w+")
NO_LETTER = re.compile(r"[\W_]+")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

# The languages told apart by their words. Each one more blurs short texts and costs memory,
# so only those that staff are likely to meet are here. All are written in Latin letters.
TONGUES = (
    Tongue.ENGLISH,
    Tongue.GERMAN,
    Tongue.FRENCH,
    Tongue.SPANISH,
    Tongue.PORTUGUESE,
    Tongue.ITALIAN,
    Tongue.DUTCH,
    Tongue.SWEDISH,
    Tongue.DANISH,
    Tongue.BOKMAL,
    Tongue.FINNISH,
    Tongue.POLISH,
    Tongue.CZECH,
    Tongue.HUNGARIAN,
    Tongue.ROMANIAN,
    Tongue.TURKISH,
    Tongue.INDONESIAN,
    Tongue.VIETNAMESE,
)

IN_LATIN_LETTERS = frozenset(tongue.iso_code_639_1.name.lower() for tongue in TONGUES)

# Other letters name their language by themselves; where many languages share them, BCP 47
# says "undetermined, in this script". The keys begin the letters' Unicode names.
SCRIPTS = {
    "CYRILLIC": "und-Cyrl",
    "ARABIC": "und-Arab",
    "DEVANAGARI": "und-Deva",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "GREEK": "el",
    "HEBREW": "he",
    "THAI": "th",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "BENGALI": "und-Beng",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "SINHALA": "si",
    "KHMER": "km",
    "LAO": "lo",
    "MYANMAR": "my",
    "ETHIOPIC": "und-Ethi",
    "TIBETAN": "bo",
}
FOREIGN_SHARE = 0.3  # of all letters; a foreign name in an English sentence stays below

NAMES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nb": "Norwegian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "und-Arab": "Arabic letters",
    "und-Beng": "Bengali letters",
    "und-Cyrl": "Cyrillic letters",
    "und-Deva": "Devanagari letters",
    "und-Ethi": "Ethiopic letters",
    "vi": "Vietnamese",
    "zh": "Chinese",
}

# Measured on fragments of tweets in six languages: of three English words every fifth guess
# is wrong, so a short text must be guessed with more confidence, and a very short one not at all.
FEWEST_LETTERS = 12
FEW_LETTERS = 50
FLOOR, FLOOR_OF_FEW = 0.6, 0.8
MOST_CHARACTERS = 2_000  # more tell nothing new about the language


@dataclass(frozen=True, slots=True)
class Language:
    """A language as BCP 47 writes it, and how probable it is (0 to 1)."""

    code: str
    probability: float


def normalise(text: str, brand: str = "") -> str:
    """Write a text as the models read it in training.

    Entities resolved (twice, because places escape what was escaped), links `http`, names
    `@user`, but the brand's own its name, emoji as words, spaces single. What only repeats
    another's post says what that says, so `RT @name:` before it goes. Never raises.
    """
    text = repaired(html.unescape(html.unescape(text)))
    if not text.isascii():
        text = emoji.replace_emoji(text, spelled)
    text = LINK.sub("http", text)
    text = HANDLE.sub(lambda found: brand if names(found[0], brand) else "@user", text)
    text = " ".join(text.split())
    repost = REPOST.match(text)
    return text[repost.end() :] if repost else text


def names(handle: str, brand: str) -> bool:
    """Whether a handle is, by its letters, an account of this brand.

    `@acme_uk` is one of Acme, and `@northbank` one of Northbank Savings, but `@britishgas` none
    of British Airways.
    """
    account = NO_LETTER.sub("", re.split(r"[.@]", handle.lstrip("@"))[0]).casefold()
    words = NO_LETTER.sub(" ", brand).casefold().split()
    name = "".join(words)
    return len(name) >= 2 and (
        account.startswith(name) or (len(account) >= 4 and account == words[0])
    )


def language(text: str, told: str | None = None) -> Language | None:
    """Say which language a post (as published, not normalised) is written in, None if unclear.

    What the place told counts, unless the very letters speak against it.
    """
    words = plain_words(text)
    by_letters = script(words)
    code = primary(told)
    if by_letters and (code is None or code in IN_LATIN_LETTERS):
        return by_letters
    if code:
        return Language(code, 1.0)
    return by_words(words)


def language_name(code: str) -> str:
    """Call a language what people call it."""
    return NAMES.get(code, f"the language {code!r}")


def repaired(text: str) -> str:
    """Join surrogates that belong together, mark lone ones, drop NUL: tokenizers refuse them."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")


def spelled(_: str, about: dict[str, str]) -> str:
    """Spell one emoji: `:pouting_face:` becomes `pouting face`, with room around it."""
    return f" {about['en'].strip(':').replace('_', ' ')} "


def plain_words(text: str) -> str:
    """Keep what people wrote themselves: no links, names, hashtags, figures, emoji."""
    text = repaired(html.unescape(html.unescape(text[:MOST_CHARACTERS])))
    for aside in (LINK, HANDLE, HASHTAG):
        text = aside.sub(" ", text)
    return " ".join(WORD.findall(text))


def script(words: str) -> Language | None:
    """Name the language of a text in letters that are not Latin."""
    if words.isascii():
        return None
    letters = Counter(
        SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])
        for letter in words
        if letter.isalpha()
    )
    latin = letters.pop(None, 0)
    foreign = letters.total()
    if foreign <= FOREIGN_SHARE * (latin + foreign):
        return None
    # Japanese is written mostly in Chinese characters, Chinese never in kana.
    code = "ja" if letters["ja"] else letters.most_common(1)[0][0]
    return Language(str(code), foreign / (latin + foreign))


def primary(tag: str | None) -> str | None:
    """The language of a BCP 47 tag without its region: `en-GB` is `en`; None for "unknown"."""
    code = (tag or "").strip().lower().replace("_", "-").partition("-")[0]
    is_language = code.isascii() and code.isalpha() and 2 <= len(code) <= 3
    # und, mul, zxx and the private q.. codes say that the place does not know either.
    if (
        not is_language
        or code in {"und", "mul", "zxx", "mis"}
        or (len(code) == 3 and code[0] == "q")
    ):
        return None
    return code


def by_words(words: str) -> Language | None:
    """Guess a language from short sequences of Latin letters."""
    count = sum(letter.isalpha() for letter in words)
    if count < FEWEST_LETTERS:
        return None
    best = detector().compute_language_confidence_values(words)[0]
    if best.value < (FLOOR_OF_FEW if count < FEW_LETTERS else FLOOR):
        return None
    return Language(best.language.iso_code_639_1.name.lower(), best.value)


@cache
def detector() -> LanguageDetector:
    """Open the detector on its first use: about 40 MB and a third of a second.

    Only low accuracy with a named list is affordable; the default costs 0.9 GB.
    """
    return LanguageDetectorBuilder.from_languages(*TONGUES).with_low_accuracy_mode().build()
