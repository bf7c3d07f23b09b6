"""Journals from the command line: kept by ``--journal``, played again by ``--verify``."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from capture_lines import session
from commands import Command
from neural_trader.baseline.journal import Frame, decode, encode

JOURNAL = "run.journal"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of the bare command."""
    from neural_trader.backtesting.replay import replay
    from neural_trader.market.recordings import synthetic_recording

    path = tmp_path_factory.mktemp("journal") / JOURNAL
    replay("avellaneda_stoikov", synthetic_recording(7), journal=path)
    return path.read_bytes()


def test_a_run_is_kept_and_played_again(command: Command, journal: bytes) -> None:
    kept = command("replay", "--journal", JOURNAL, "--json").passed()
    assert (kept.folder / JOURNAL).read_bytes() == journal
    found = command("replay", JOURNAL, "--verify", "--json").passed().document
    assert found == {
        "journal": JOURNAL,
        "verdict": "PASS",
        "hash": kept.document["hash"],
        "chain": journal[-36:-4].hex(),
        "aborted": None,
        "frames": len(decode(journal).frames),
        "decisions": sum(frame.name in ("submit", "cancel", "amend", "set_timer") for frame in decode(journal).frames),
        "difference": None,
    }
    said = command("replay", JOURNAL, "--verify").passed().out
    assert said.splitlines()[0] == "avellaneda_stoikov on ALPHA"
    assert said.splitlines()[-2:] == [f"PASS  hash {kept.document['hash']}", f"      chain {journal[-36:-4].hex()}"]
    assert command("replay", JOURNAL, "--verify", "--quiet").passed().out == ""


def test_what_differs_is_named_and_ends_with_4(command: Command, journal: bytes, tmp_path: Path) -> None:
    text = decode(journal)
    assert text.header is not None
    at = next(k for k, frame in enumerate(text.frames) if frame.name == "fill")
    time_ns, *others = text.frames[at].values
    forged = Frame("fill", (time_ns, *others[:5], others[5] + 1, *others[6:]))
    path = tmp_path / JOURNAL
    path.write_bytes(encode(text.header, [*text.frames[:at], forged, *text.frames[at + 1 :]]))
    ended = command("replay", str(path), "--verify")
    assert ended.code == 4 and ended.out == ""
    assert f"error: {path}: differs at frame {at + 1:,}, 2022-01-01 " in ended.err
    assert f"price={others[5] + 1}" in ended.err and f"price={others[5]} " in ended.err
    again = command("replay", str(path), "--verify", "--json")
    assert again.code == 4
    assert again.document["verdict"] == "FAIL" and again.document["difference"]["frame"] == at + 1


def test_a_torn_journal_ends_with_3_and_says_where(command: Command, journal: bytes, tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    path.write_bytes(journal[: len(journal) // 2])
    ended = command("replay", str(path), "--verify", "--json")
    tear = decode(journal[: len(journal) // 2])
    assert tear.tear is not None
    assert (ended.code, ended.out) == (3, "")
    assert f"is torn at byte {tear.tear.byte}: " in ended.err
    assert f"the {len(tear.frames):,} frames before it are good" in ended.err


def test_what_broke_off_says_where(command: Command, tmp_path: Path) -> None:
    (tmp_path / "raises.py").write_text(
        "import neural_trader as nt\nclass Raises(nt.Strategy):\n    def on_trade(self, trade):\n"
        '        raise ValueError("two\\nlines")\n',
        encoding="utf-8",
    )
    ended = command("replay", "-s", str(tmp_path / "raises.py"), "--journal", str(tmp_path / JOURNAL))
    assert ended.code == 1
    found = command("replay", str(tmp_path / JOURNAL), "--verify", "--json").passed().document
    assert (found["verdict"], found["hash"]) == ("PASS", None)
    assert "Raises.on_trade" in found["aborted"] and found["aborted"].endswith("ValueError: two lines")
    assert "NOTE  the run broke off: Raises" in command("replay", str(tmp_path / JOURNAL), "--verify").passed().out


def test_captured_sessions_may_move(command: Command, tmp_path: Path) -> None:
    (tmp_path / "session.ws.gz").write_bytes(gzip.compress(session(150)))
    arguments = ["replay", "session.ws.gz", "--venue", "binance", "--journal", JOURNAL, "-q"]
    command(*arguments).passed()
    command("replay", JOURNAL, "--verify").passed()
    shutil.move(tmp_path / "session.ws.gz", tmp_path / "moved.ws.gz")
    lost = command("replay", JOURNAL, "--verify")
    assert lost.code == 3 and "its recording session.ws.gz is not there; say where it is now" in lost.err
    command("replay", JOURNAL, "moved.ws.gz", "--verify", "--venue", "binance").passed()
    (tmp_path / "other.ws.gz").write_bytes(gzip.compress(session(151)))
    other = command("replay", JOURNAL, "other.ws.gz", "--verify")
    assert other.code == 3 and "is not the recording of run.journal: its digest is" in other.err


def test_what_the_catalog_holds_is_found_again(command: Command, tmp_path: Path) -> None:
    (tmp_path / "session.txt").write_bytes(session(150))
    command("data", "import", "session.txt", "--venue", "binance", "--kind", "capture").passed()
    arguments = ["replay", "catalog:binance/ABUSD", "--journal", JOURNAL, "--json"]
    assert command(*arguments).code == 0
    assert command("replay", JOURNAL, "--verify", "--json").document["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("replay --verify", 2, "name it: neural-trader replay FILE.journal --verify"),
        ("replay there.journal --verify", 3, "there.journal cannot be read: No such file"),
        ("replay some.txt --verify", 3, "some.txt is no journal of neural-trader"),
        ("replay some.txt --verify --cash 5", 2, "--cash contradicts --verify"),
        ("replay --journal some.txt", 2, "some.txt: exists, and a journal is never written over"),
        ("replay --journal no/where.journal", 2, "there is no folder 'no'"),
    ],
)
def test_every_mistake_is_one_line(arguments: str, code: int, words: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text(json.dumps("no journal"), encoding="utf-8")
    ended = command(*arguments.split())
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err and ended.err.count("\n") == 1
