"""The parts of a recording by themselves: raw files, and rows that are stored a part at a time."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.errors import DataError
from neural_trader.market.captures import CaptureReader, opened
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.recording.raw_file import RawFiles
from neural_trader.market.recording.storing import Timed
from neural_trader.market.venue_instruments import VenueInstrument
from sessions import made_binance

HOUR_NS = 3_600_000_000_000
ABUSD = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)


def lines(count: int, first_ns: int = HOUR_NS) -> list[bytes]:
    return [b"%d %b\n" % (first_ns + at, message) for at, message in enumerate(made_binance(count))]


def test_files_end_with_the_hour_and_when_they_are_large(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "session", file_bytes=2000)
    written = lines(150)
    for at, line in enumerate(written):
        # Two hours, and a flush every ten lines.
        files.write(line, HOUR_NS * (1 + at // 200))
        if at % 10 == 9:
            files.flush()
    files.close()
    assert len(files.paths) > 3 and files.paths == sorted(files.paths)
    hours = [path.name.split("-")[1][9:11] for path in files.paths]
    assert sorted(set(hours)) == ["01", "02"]
    assert b"".join(gzip.decompress(path.read_bytes()) for path in files.paths) == b"".join(written)
    # Read together, they are the session.
    (tmp_path / "whole.ws").write_bytes(b"".join(written))
    apart = np.concatenate(list(CaptureReader(files.paths, "binance", [ABUSD])))
    assert np.array_equal(apart, np.concatenate(list(CaptureReader(tmp_path / "whole.ws", "binance", [ABUSD]))))


def test_a_file_cut_off_anywhere_reads_up_to_there(tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "session")
    written = lines(40)
    ends = [0]
    for at, line in enumerate(written):
        files.write(line, HOUR_NS)
        if at % 25 == 24:
            files.flush()
            ends.append(files.paths[0].stat().st_size)
    files.close()
    whole, cut = files.paths[0].read_bytes(), tmp_path / "cut.ws.gz"
    for size in range(30, len(whole), 7):
        cut.write_bytes(whole[:size])
        torn: dict[Path, int] = {}
        try:
            with opened(cut, torn) as file:
                read = file.read()
        except EOFError:
            assert size < ends[1], "nothing of the first block has a whole deflate symbol yet"
            continue
        assert b"".join(written).startswith(read) and read.endswith((b"\n", b""))
        assert (cut in torn) == (size not in ends) and torn.get(cut, len(read)) == len(read)
        complete = max(at for at, end in enumerate(ends) if end <= size)
        assert read.count(b"\n") >= 25 * complete


def test_wrong_bytes_are_no_tear(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ws.gz"
    compressed = bytearray(gzip.compress(b"".join(lines(200))))
    compressed[len(compressed) // 2] ^= 0xFF
    path.write_bytes(compressed)
    with pytest.raises(DataError, match="damaged"):
        list(CaptureReader(path, "binance", [ABUSD]))


def records(times: list[int], sided: list[bool]) -> np.ndarray[Any, Any]:
    made = np.zeros(len(times), EVENT)
    made["ts_event_ns"], made["ts_recv_ns"] = times, np.arange(1, len(times) + 1)
    made["kind"] = np.where(sided, KIND["level"], KIND["resync"])
    made["flags"] = np.where(sided, FLAG["bid"], 0)
    made["id"] = np.arange(len(times))
    return made


def stored_in_parts(whole: np.ndarray[Any, Any], cuts: list[int], stored_ns: int | None = None) -> list[Any]:
    timed, parts = Timed(stored_ns), []
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    for first, last in pairwise(edges):
        if last > first:
            timed.add(whole[first:last])
        parts.append(timed.take(is_last=False, may_be_unnamed=False))
    parts.append(timed.take(is_last=True, may_be_unnamed=False))
    return [part for part in parts if part is not None]


@given(
    st.lists(st.tuples(st.sampled_from([0, 5, 6, 7, 8, 9, 20, 30]), st.booleans()), min_size=1, max_size=40),
    st.lists(st.integers(0, 1000), max_size=6),
)
def test_parts_are_the_whole(rows: list[tuple[int, bool]], cuts: list[int]) -> None:
    whole = records([time for time, _ in rows], [is_sided for _, is_sided in rows])
    parts, together = stored_in_parts(whole, cuts), stored_in_parts(whole, [])
    if not any(is_sided for _, is_sided in rows):
        assert parts == together == []
        return
    assert np.array_equal(np.concatenate(parts), np.concatenate(together))
    assert np.concatenate(parts)["id"].tolist() == list(range(len(rows)))
    for before, after in pairwise(parts):
        assert before["ts_event_ns"][-1] < after["ts_event_ns"][0], "the rows of one time are stored together"
    assert all((part["flags"] != 0).any() for part in parts), "or an import would leave the part out"


def test_a_session_does_not_meet_the_rows_with_which_another_ended() -> None:
    whole = records([5, 5, 7], [True, True, True])
    times = [part["ts_event_ns"].tolist() for part in stored_in_parts(whole, [], stored_ns=5)]
    assert times == [[6, 6], [7]]
    times = [part["ts_event_ns"].tolist() for part in stored_in_parts(whole, [], stored_ns=4)]
    assert times == [[5, 5], [7]]
