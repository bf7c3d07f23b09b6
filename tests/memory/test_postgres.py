"""A memory in PostgreSQL answers as the file does, and loses nothing that it acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import count

import pytest

import neural_trader as nt
from memory.conftest import made_cards, situation
from memory.test_memory_store import assert_kept, writers_killed
from neural_trader.errors import DataError, UsageError
from neural_trader.memory import Memory, Weighting
from neural_trader.memory.places import public

pytest.importorskip("pg8000", reason="pg8000 is not installed")
pytest.importorskip("pgserver", reason="there is no PostgreSQL here")

from memory.server import postgres

CARDS = made_cards(300)
_NUMBERS = count()


@pytest.fixture(scope="module")
def server():
    with postgres() as started:
        yield started


@pytest.fixture
def url(server):
    """A memory that nobody has begun."""
    return server.url(f"memory_{next(_NUMBERS)}")


def questions(seed):
    """Situations with filters and weights, drawn."""
    generator = random.Random(seed)
    for _ in range(30):
        yield (
            situation(generator),
            generator.choice((1, 5, 40)),
            {
                "symbol": generator.choice((None, "ALPHA", "NOPE")),
                "strategy": generator.choice((None, "cross")),
                "regime": generator.choice((None, "trend")),
                "after_ns": generator.choice((None, 50_000)),
                "before_ns": generator.choice((None, 200_000)),
                **generator.choice(({}, {"ended": True}, {"ended": False}, {"won": True}, {"won": False})),
                "weighting": generator.choice(
                    (None, Weighting(diversity=0.4), Weighting(half_life_ns=30_000, outcome=0.5))
                ),
            },
        )


@pytest.mark.parametrize("kept", [40, 300], ids=["before it learned", "after"])
def test_every_answer_is_that_of_a_file(url, tmp_path, kept):
    with Memory(url) as there, Memory(tmp_path / "memory.sqlite") as here:
        for start in range(0, kept, 70):
            part = CARDS[start : min(start + 70, kept)]
            assert there.add(part) == here.add(part)
        assert there.forget([3, 9, 1000]) == here.forget([3, 9, 1000]) == 2
        open_ones = [card.id for card in here.all_cards() if card.outcome is None]
        ends = [(card, CARDS[0].outcome or made_cards(9)[4].outcome) for card in open_ones[:5]]
        there.end(ends)
        here.end(ends)
        for features, k, options in questions(kept):
            assert there.retrieve_top_k(features, k, **options).document() == (
                here.retrieve_top_k(features, k, **options).document()
            )
        changes = [[repr(change) for change in memory.store.changes(0)] for memory in (there, here)]
        assert changes[0] == changes[1] and there.store.forgotten(0) == [3, 9]
        assert there.store.revision() == here.store.revision() and there.store.faults() == []
        assert list(there.all_cards()) == list(here.all_cards())
        told = ("cards", "ended", "won", "features", "learned")
        assert [there.stats()[name] for name in told] == [here.stats()[name] for name in told]


def test_a_known_decision_is_kept_once_and_gets_its_outcome(url):
    card = next(card for card in CARDS if card.outcome is not None)
    bare = type(card)(**{**vars(card), "outcome": None})
    with Memory(url) as memory:
        assert memory.add([bare, card, bare]) == [1, 1, 1]
        assert memory.add([bare]) == [1] and len(memory) == 1
        assert memory.cards([1])[0].outcome == card.outcome
        with pytest.raises(DataError, match="there is no card 7"):
            memory.end([(7, card.outcome)])


def test_the_graph_of_the_server_finds_what_is_nearest(url, tmp_path, monkeypatch):
    monkeypatch.setattr("neural_trader.memory.postgres_store.GRAPH_FROM", 1000)
    with Memory(url) as there, Memory(tmp_path / "memory.sqlite") as here:
        for memory in (there, here):
            memory.add(CARDS)
            memory.add(made_cards(3000, seed=2, step_ns=10))
        there.rebuild()
        found = 0
        for seed in range(40):
            asked = situation(random.Random(seed))
            wanted = {card.id for card in here.retrieve_top_k(asked, 10).cards}
            found += len(wanted & {card.id for card in there.retrieve_top_k(asked, 10).cards})
        assert found >= 0.95 * 400
        used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'card_likeness' AND schemaname = ?"
        schema = there.place.split("schema=")[1]
        assert told_by(there, used, schema) >= 40
        assert there.stats()["index"]["bytes"] > 100_000


def told_by(memory, question, value):
    """The first number that is not 0, of statistics that a server tells with some delay."""
    for _ in range(100):
        memory.store._run("SELECT pg_stat_force_next_flush()")
        ((number,),) = memory.store._ask(question, (value,))
        if number:
            return number
        time.sleep(0.1)
    return 0


def test_learning_anew_moves_every_point(url):
    with Memory(url) as memory:
        memory.add(CARDS)
        before = memory.store.vectors([1, 2, 3])
        memory.add(made_cards(300, seed=4))
        memory.learn()
        assert memory.store.vectors([1, 2, 3]) != before
        assert memory.retrieve_top_k(CARDS[0].features, 1).cards[0].id == 1


def test_acknowledged_cards_of_writers_at_once_survive_kill_9(url, repository):
    assert_kept(url, writers_killed(url, repository))


def error_of(attempt):
    """What it says in the end: the children of a server that was killed take a moment to go."""
    for _ in range(100):
        try:
            attempt()
        except DataError as error:
            return str(error)
        time.sleep(0.05)
    return ""


def test_a_server_that_is_killed_keeps_what_it_acknowledged(repository):
    with postgres() as server:
        memory = Memory(server.url())
        ids = memory.add(CARDS)
        os.kill(server.pid, signal.SIGKILL)
        assert "the server refused or is gone, nothing was written" in error_of(lambda: memory.add(CARDS[:1]))
        memory.close()
        assert "no memory can be opened" in error_of(lambda: Memory(server.url()).close())
        server.start()
        with Memory(server.url()) as memory:
            assert [card.id for card in memory.all_cards()][: len(ids)] == ids
            assert memory.store.faults() == []


def test_a_run_writes_and_recalls_as_with_a_file(url, tmp_path):
    with_password = url.replace("postgres@", "postgres:secret@")
    hashes = []
    for place in (with_password, tmp_path / "memory.sqlite"):
        nt.backtest("rsi_reversion", memory=place)
        result = nt.backtest("memory_momentum", memory=place)
        hashes.append((result.hash, result.run["memory"]))
    assert hashes[0] == hashes[1] and hashes[0][1]["cards"] > 100
    page = tmp_path / "result.json"
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "neural_trader",
            "backtest",
            "-s",
            "memory_momentum",
            "--memory",
            with_password,
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    page.write_text(told.stdout)
    assert "secret" not in told.stdout + told.stderr
    verified = [sys.executable, "-m", "neural_trader", "verify", str(page)]
    assert "PASS" in subprocess.run(verified, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    stats = [sys.executable, "-m", "neural_trader", "memory", "stats", url, "--json"]
    assert json.loads(subprocess.run(stats, capture_output=True, check=True).stdout)["index"]["kind"] == "server"


def test_a_card_that_was_changed_behind_its_back_is_named(url):
    with Memory(url) as memory:
        memory.add(CARDS[:5])
        memory.store._run("UPDATE card SET price = 99 WHERE id = 3")
        assert memory.store.faults() == ["card 3 says something else than when it was written"]


def test_a_memory_that_is_asked_for_must_be_there(url):
    with pytest.raises(DataError, match=r"there is no memory here; a run with --memory postgresql://"):
        Memory(url, create=False)
    Memory(url).close()
    Memory(url, create=False).close()


def test_other_tables_and_newer_versions_are_refused(server, url):
    with Memory(url) as memory:
        memory.store._run("CREATE SCHEMA other; CREATE TABLE other.mine (x INT)")
        with pytest.raises(DataError, match="the schema other is no memory"):
            Memory(server.url("other"))
        memory.store._run("UPDATE fact SET value = '9' WHERE name = 'version'")
    with pytest.raises(DataError, match="is of a newer version"):
        Memory(url)


def test_a_role_that_may_only_read_reads(server, url):
    with Memory(url) as memory:
        memory.add(CARDS)
        schema = memory.place.split("schema=")[1]
        memory.store._run(
            f"CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA {schema} TO reader; "
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader"
        )
    with Memory(url.replace("postgres@", "reader@")) as memory:
        assert memory.store.read_only
        assert memory.retrieve_top_k(CARDS[3].features, 1).cards[0].time_ns == CARDS[3].time_ns
        with pytest.raises(UsageError, match="may only be read"):
            memory.add(CARDS)
    with pytest.raises(DataError, match="the server refused"):
        Memory(server.url("mine").replace("postgres@", "reader@"))


@pytest.mark.parametrize(
    ("place", "kind", "message"),
    [
        ("postgresql://localhost:1/none", DataError, "no memory can be opened"),
        ("postgresql://localhost:99999/none", UsageError, "the port is no number"),
        ("postgresql://localhost/none?scheme=a", UsageError, "scheme is not known; there are host, schema"),
        ("postgresql://localhost/none?schema=A;", UsageError, "a schema is small letters"),
        ("postgresql://localhost/none?sslmode=maybe", UsageError, "sslmode 'maybe': one of disable, prefer"),
    ],
)
def test_a_wrong_address_is_one_line(place, kind, message):
    with pytest.raises(kind, match=message) as caught:
        Memory(place)
    assert "\n" not in str(caught.value)


def test_the_package_that_speaks_to_servers_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pg8000.dbapi", None)
    monkeypatch.delitem(sys.modules, "neural_trader.memory.postgres_store")
    with pytest.raises(UsageError, match=r"pip install 'neural-trader\[postgres\]'"):
        Memory("postgresql://localhost/none")


def test_passwords_are_never_told():
    assert public("postgresql://me:secret@db:5432/quant?schema=a") == "postgresql://me@db:5432/quant?schema=a"
    assert public("memory.sqlite") == "memory.sqlite"
