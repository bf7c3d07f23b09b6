"""A journal can be read as it was written, and no byte of it can change or go missing unnoticed."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline.journal import LAYOUTS, MAGIC, Frame, encode
from replay.journals import FIRST, HEADER, decoded, kept, places, scanned
from replay.random_sessions import make_session

pytest.importorskip("neural_trader._core", reason="the Rust extension is not built")


@cache
def small() -> bytes:
    """A journal of a few hundred frames: one whole block, and the block of its end."""
    content = next(
        content for seed in range(60) if 300 < len(decoded(content := kept(make_session(seed))).frames) < 500
    )
    assert decoded(content).tear is None
    return content


def test_what_is_written_can_be_read_and_written_again() -> None:
    seen: Counter[str] = Counter()
    for seed in range(40):
        content = kept(make_session(seed))
        journal = decoded(content)
        assert journal.header == HEADER and journal.tear is None
        assert encode(HEADER, journal.frames) == content
        seen.update(frame.name for frame in journal.frames)
    # Random sessions end; one that breaks off has its own test, and links are not handed out.
    assert set(seen) >= {*LAYOUTS} - {"block", "aborted"}


@given(st.data())
def test_no_byte_can_change_unnoticed(data: st.DataObject) -> None:
    content = bytearray(small())
    at = data.draw(st.integers(0, len(content) - 1), "byte")
    content[at] ^= data.draw(st.integers(1, 255), "change")
    journal, whole = decoded(bytes(content)), decoded(small())
    assert journal.tear is not None and journal.tear.byte <= at
    assert journal.frames == whole.frames[: len(journal.frames)]


def test_every_byte_is_guarded() -> None:
    for at in range(len(small())):
        content = bytearray(small())
        content[at] ^= 1
        _, tear = scanned(bytes(content))
        assert tear is not None and tear <= at, at


@given(st.data())
def test_several_changes_at_once_are_noticed(data: st.DataObject) -> None:
    content = bytearray(small())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=2, max_size=9, unique=True)):
        content[at] ^= data.draw(st.integers(1, 255))
    assert decoded(bytes(content)).tear is not None


def test_a_block_that_was_written_again_does_not_fit_the_chain() -> None:
    """Whoever can compute checksums and links still has to write all that follows again."""
    whole = decoded(small())
    other = [Frame("timer", (0,)), *whole.frames[1:]]
    forged = encode(HEADER, other)
    at = places(whole.frames)[257]
    # One block forged with its own link, and then the journal as it was.
    forged = forged[: at + len(forged) - len(small())] + small()[at:]
    journal = decoded(forged)
    assert journal.tear is not None and journal.tear.reason == "the chain does not bind this block"
    assert journal.frames == other[:256]


def test_truncated_at_every_byte_it_is_good_up_to_there() -> None:
    begins = places(decoded(small()).frames)
    links = {begins[256], begins[-2]}
    for cut in range(len(small())):
        at = begins[bisect_right(begins, cut) - 1] if cut >= FIRST else 0
        frames = sum(begin < at and begin not in links for begin in begins)
        assert scanned(small()[:cut]) == (frames, at), cut


@given(st.data())
def test_what_is_good_before_a_tear_is_as_it_was(data: st.DataObject) -> None:
    journal = decoded(small()[: data.draw(st.integers(0, len(small()) - 1), "cut")])
    assert journal.frames == decoded(small()).frames[: len(journal.frames)]


def test_nothing_may_follow_the_end() -> None:
    journal = decoded(small() + b"\0")
    assert journal.tear == (len(small()), "something follows the end")
    assert journal.frames == decoded(small()).frames


def test_the_documented_frames_are_those_that_are_written(repository: Path) -> None:
    text = (repository / "docs" / "journal.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    behind = {
        "aborted": ", then where, in UTF-8",
        "end": ", then the run hash, 32 bytes",
        "block": "the link, 32 bytes",
    }
    assert {name: (int(code), what) for code, name, what in rows} == {
        name: (code, layout + behind.get(name, "")) for name, (code, layout) in LAYOUTS.items()
    }


@given(st.binary(max_size=300))
def test_no_bytes_bring_a_decoder_down(content: bytes) -> None:
    for head in (b"", MAGIC, small()[:FIRST]):
        assert decoded(head + content).tear is not None
