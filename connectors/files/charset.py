"""Tells in which characters a file is written, and reads them."""

import codecs
from dataclasses import dataclass

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WIDE = frozenset({"utf-16-le", "utf-16-be"})
ASCII = bytes([*b"\t\n\r", *range(32, 127)])
OFFICE = "cp1252"  # what spreadsheets write where they do not write Unicode


@dataclass(frozen=True, slots=True)
class Charset:
    """A character set, how long its mark at the beginning of the file is, and its line ends."""

    name: str
    mark: int = 0  # bytes
    newline: bytes = b"\n"

    @property
    def width(self) -> int:
        """Bytes of the smallest character."""
        return 2 if self.name in WIDE else 1

    def beginning(self, head: bytes) -> str:
        """The beginning of a file as text, though its last character may be cut."""
        return codecs.getincrementaldecoder(self.name)(errors="replace").decode(head)

    def text(self, raw: bytes) -> str:
        """Bytes as text. Never fails: a row in other characters than the rest is read as theirs."""
        try:
            return raw.decode(self.name)
        except UnicodeDecodeError:
            pass
        if self.name in WIDE:
            return raw.decode(self.name, errors="replace")
        try:
            return raw.decode(OFFICE)
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def charset(head: bytes, told: str | None = None) -> Charset:
    """The character set of a file that begins so; `told` is what its owner says it is."""
    name, mark = _named(head, told)
    newline = "\n".encode(name)
    if newline not in head and "\r".encode(name) in head:
        newline = "\r".encode(name)  # as old programs on Macs wrote
    return Charset(name, mark, newline)


def known(name: str) -> str:
    """The usual spelling of a character set; ValueError when there is none, or it is unfit."""
    try:
        usual = codecs.lookup(name).name.removesuffix("-sig")
    except LookupError:
        usual = ""
    if usual == "utf-16":
        return "utf-16-le"
    # Rows are split at the bytes of line ends and quotes, which must mean nothing else.
    try:
        plain = ASCII.decode(usual) == ASCII.decode()
    except (LookupError, UnicodeDecodeError):
        plain = False
    if not plain and usual not in WIDE:
        raise ValueError(f"{name!r} is no character set that can be read, such as utf-8 or cp1252")
    return usual


def _named(head: bytes, told: str | None) -> tuple[str, int]:
    for mark, name in MARKS:
        if head.startswith(mark) and (told is None or known(told)[:5] == name[:5]):
            return name, len(mark)
    if told is not None:
        return known(told), 0
    sample = head[:4_096]
    half = max(len(sample) // 2, 1)
    if sample[1::2].count(0) > half * 0.3:
        return "utf-16-le", 0
    if sample[::2].count(0) > half * 0.3:
        return "utf-16-be", 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return OFFICE, 0
    return "utf-8", 0
