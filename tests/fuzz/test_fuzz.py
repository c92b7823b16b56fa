"""Nothing that a place can send fells a reader: it is read, or set aside with a reason, soon."""

from pathlib import Path

import pytest

from tests.fuzz.fuzzing import BORNE, Victim, feed
from tests.fuzz.readers import Reader, everyone, judged

READERS = everyone()


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
async def test_every_reader_reads_what_is_not_spoilt(reader: Reader) -> None:
    became = {await judged(reader, sample) for sample in reader.samples}

    assert "read" in became or reader.name == "queries"


@pytest.mark.timeout(600)
def test_spoilt_posts_are_borne(tmp_path: Path) -> None:
    findings = feed(READERS, seed=3, keep=tmp_path, most=10 * len(READERS), heavy=0)

    assert findings.fell == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_huge_and_deeply_nested_posts_are_borne(tmp_path: Path) -> None:
    findings = feed(READERS, seed=4, keep=tmp_path, most=3 * len(READERS), heavy=1)

    assert findings.fell == []


def test_a_reader_that_hangs_is_named() -> None:
    with Victim(patience=0.0) as victim:
        assert "hangs" in victim.eats("feeds", b"<rss/>")
        victim.patience = 60
        assert victim.eats("queries", b"acme").startswith(BORNE)  # another took its place
