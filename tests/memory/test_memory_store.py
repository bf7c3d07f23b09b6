"""The file: what was acknowledged survives kill -9, many writers lose nothing, and a wrong file is one line."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from memory.conftest import made_cards
from neural_trader.errors import DataError, UsageError
from neural_trader.memory import Memory

CARDS = made_cards(200)

# Says the number of each card once `add` has returned, in pieces of 1 to 40 cards, until it is killed.
WRITER = """
import sys
from memory.conftest import made_cards
from neural_trader.memory import Memory
seed = int(sys.argv[2])
memory = Memory(sys.argv[1])
cards = made_cards(20_000, seed)
cards = [type(card)(**{**vars(card), "strategy": f"writer {seed}"}) for card in cards]
at = 0
while at < len(cards):
    size = 1 + at % 40
    memory.add(cards[at : at + size])
    at = min(at + size, len(cards))
    print(at, flush=True)
"""


def start_writer(path, seed, repository):
    paths = [str(repository / "tests"), str(repository / "python")]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def writers_killed(place, repository):
    """The numbers of cards that three writers at once were told were kept, before kill -9."""
    writers = [start_writer(place, seed, repository) for seed in (1, 2, 3)]
    acknowledged = {}
    for seed, writer in enumerate(writers, 1):
        for line in writer.stdout:
            if int(line) > 150 * seed:
                break
        acknowledged[seed] = int(line)
    for seed, writer in enumerate(writers, 1):
        writer.send_signal(signal.SIGKILL)
        # What stood in the pipe when it died was acknowledged too.
        rest = writer.stdout.read().split()
        acknowledged[seed] = int(rest[-1]) if rest else acknowledged[seed]
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
    return acknowledged


def assert_kept(place, acknowledged):
    """That what writers were told is so."""
    with Memory(place) as memory:
        assert memory.store.faults() == []
        counts = dict.fromkeys(acknowledged, 0)
        for card in memory.all_cards():
            counts[int(card.strategy.split()[1])] += 1
        for seed, count in acknowledged.items():
            wanted = made_cards(20_000, seed)[:count]
            assert counts[seed] >= count
            found = memory.retrieve_top_k(wanted[-1].features, 1, strategy=f"writer {seed}")
            assert found.cards[0].time_ns == wanted[-1].time_ns
        assert memory.add(CARDS)


def test_acknowledged_cards_of_writers_at_once_survive_kill_9(tmp_path, repository):
    path = tmp_path / "memory.sqlite"
    assert_kept(path, writers_killed(path, repository))


def test_what_is_kept_again_is_no_change(tmp_path):
    with Memory(tmp_path / "memory.sqlite") as memory:
        memory.add(CARDS)
        known = memory.store.revision()
        before = [repr(change) for change in memory.store.changes(0, known)]
        memory.add(CARDS[:50])
        assert [repr(change) for change in memory.store.changes(0, known)] == before
        assert not list(memory.store.changes(known))


def test_a_kill_during_a_rebuild_loses_the_index_only(tmp_path, repository):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        memory.add(made_cards(3000))
        memory.rebuild()
        wanted = memory.retrieve_top_k(CARDS[0].features, 10).root
    program = (
        "import sys; from neural_trader.memory import Memory; m = Memory(sys.argv[1])\n"
        "while True: m.rebuild(); print(flush=True)"
    )
    for wait_s in (0.0, 0.003, 0.011, 0.02):
        rebuilder = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
        rebuilder.stdout.readline()
        time.sleep(wait_s)
        rebuilder.kill()
        rebuilder.wait()
        rebuilder.stdout.close()
        with Memory(path) as memory:
            assert memory.retrieve_top_k(CARDS[0].features, 10).root == wanted


def damaged(path, how):
    whole = path.read_bytes()
    if how == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "flipped":
        path.write_bytes(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :])
    elif how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("how", ["truncated", "flipped", "missing", "empty"])
@pytest.mark.parametrize("name", ["rows.npy", "columns.npz", "stamp.json"])
def test_an_index_that_is_damaged_is_made_again(tmp_path, name, how):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        memory.add(CARDS)
        memory.rebuild()
        wanted = memory.retrieve_top_k(CARDS[3].features, 10).root
    damaged(memory.index_path / name, how)
    with Memory(path) as memory:
        assert memory.retrieve_top_k(CARDS[3].features, 10).root == wanted


def test_an_index_that_is_stale_takes_in_what_came_after_it(tmp_path):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        ids = memory.add(CARDS[:100])
        memory.rebuild()
        ids += memory.add(CARDS[100:])
        memory.forget(ids[:5])
    with Memory(path) as memory:
        assert memory.retrieve_top_k(CARDS[150].features, 1).cards[0].id == ids[150]
        assert memory.retrieve_top_k(CARDS[2].features, 1).cards[0].id != ids[2]


def test_a_file_that_is_no_memory_is_one_line_and_stays_as_it_is(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_bytes(b"time,close\n1,2\n" * 100)
    with pytest.raises(DataError, match="is no memory, or damaged"):
        Memory(path)
    assert path.read_bytes() == b"time,close\n1,2\n" * 100
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(DataError, match="no memory; choose another file"):
        Memory(other)
    assert other.read_bytes() == before


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "memory.sqlite"
    Memory(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match=r"newer version \(99"):
        Memory(path)


def test_a_memory_that_is_asked_for_must_be_there(tmp_path):
    with pytest.raises(DataError, match="there is no memory here"):
        Memory(tmp_path / "none.sqlite", create=False)
    assert not (tmp_path / "none.sqlite").exists()
    with pytest.raises(DataError, match="cannot be opened"):
        Memory(tmp_path / "no" / "folder.sqlite")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_only_be_read_is_read(tmp_path):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        memory.add(CARDS)
    path.chmod(0o444)
    with Memory(path) as memory:
        assert memory.retrieve_top_k(CARDS[3].features, 1).cards[0].time_ns == CARDS[3].time_ns
        with pytest.raises(UsageError, match="may only be read"):
            memory.add(CARDS)


def test_a_card_that_was_changed_behind_its_back_is_named(tmp_path):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        memory.add(CARDS[:5])
        assert memory.store.faults() == []
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE card SET price = 99 WHERE id = 3")
    connection.close()
    with Memory(path) as memory:
        assert memory.store.faults() == ["card 3 says something else than when it was written"]


def test_a_write_that_finds_the_disk_full_leaves_nothing(tmp_path):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        memory.add(CARDS[:50])
        # SQLite answers a limit on pages as it does a disk without room.
        (pages,) = memory.store._sql.execute("PRAGMA page_count").fetchone()
        memory.store._sql.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(DataError, match="nothing was written"):
            memory.add(CARDS[50:])
        assert len(memory) == 50
        memory.store._sql.execute("PRAGMA max_page_count = 1000000")
        assert len(memory.add(CARDS)) == len(CARDS)


def test_a_memory_on_a_disk_that_may_only_be_read_is_read_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "memory.sqlite"
    with Memory(path) as memory:
        memory.add(CARDS)
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)
    with Memory(path) as memory:
        assert memory.retrieve_top_k(CARDS[3].features, 1).cards[0].time_ns == CARDS[3].time_ns
        with pytest.raises(UsageError, match="may only be read"):
            memory.add(CARDS)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["memory.sqlite"]
    (tmp_path / "memory.sqlite-wal").write_bytes(b"cards")
    with pytest.raises(DataError, match=r"still in memory\.sqlite-wal"):
        Memory(path)
