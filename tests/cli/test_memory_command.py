"""The verbs of memory: what they print, as documents too, and what they say of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import Command


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import neural_trader as nt

    path = tmp_path_factory.mktemp("remembered") / "memory.sqlite"
    nt.backtest("rsi_reversion", memory=path)
    return path


@pytest.fixture
def here(remembered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "memory.sqlite").write_bytes(remembered.read_bytes())
    return tmp_path


def test_a_search_explains_itself_as_a_document(command: Command, here: Path) -> None:
    path = str(here / "memory.sqlite")
    found = json.loads(command("memory", "search", path, "--like", "12", "-k", "3", "--json").passed().out)
    assert found["cards"][0]["card"]["id"] == 12 and found["cards"][0]["distance"] == 0.0
    assert [set(each) for each in found["cards"]] == [{"card", "distance", "likeness", "weight"}] * 3
    assert len(found["root"]) == 64 and found["searched"] == 469
    assert found["query"]["k"] == 3
    earlier = command("memory", "search", path, "--like", "12", "--before", "2022-06-01", "--lost", "--json").passed()
    cards = json.loads(earlier.out)["cards"]
    assert cards and all(each["card"]["outcome"]["gain"] <= 0 for each in cards)
    assert all(each["card"]["outcome"]["close_ns"] < 1_654_041_600_000_000_000 for each in cards)


def test_every_verb_has_a_document(command: Command, here: Path) -> None:
    path = str(here / "memory.sqlite")
    lines = ("stats", "stats --recall", "skills", "uplift --regime trend", "rebuild", "verify", "prune --newest 9 -n")
    for line in lines:
        verb, *options = line.split()
        json.loads(command("memory", verb, path, *options, "--json").passed().out)
    assert json.loads(command("memory", "show", path, "3", "--json").passed().out)["id"] == 3
    document = json.loads(command("memory", "stats", path, "--recall", "--json").passed().out)
    assert {each["quantisation"]: each["recall"] >= 0.5 for each in document["recall"]} == dict.fromkeys(
        ("float32", "float16", "int8", "binary"), True
    )


def test_a_replay_writes_cards_that_are_found_by_what_a_book_looked_like(command: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "memory.sqlite")
    command("replay", "-s", "imbalance_taker", "--memory", path, "--json").passed()
    found = json.loads(command("memory", "search", path, "-f", "lean=0.6", "-k", "3", "--json").passed().out)
    assert {each["card"]["strategy"] for each in found["cards"]} == {"imbalance_taker"}
    refused = command("replay", "--memory", path, "--ladder")
    assert refused.code == 2 and "leave one of the two out" in refused.err


def test_cards_go_out_and_come_in_again_the_same(command: Command, here: Path) -> None:
    path, other = str(here / "memory.sqlite"), str(here / "other.sqlite")
    cards, again = here / "cards.jsonl", here / "again.jsonl"
    command("memory", "export", path, str(cards)).passed()
    assert "469 new cards" in command("memory", "add", other, str(cards)).passed().out
    assert "0 new cards" in command("memory", "add", other, str(cards)).passed().out
    command("memory", "export", other, str(again)).passed()
    assert again.read_text() == cards.read_text()


def test_what_is_pruned_is_gone(command: Command, here: Path) -> None:
    path = str(here / "memory.sqlite")
    document = json.loads(command("memory", "prune", path, "--newest", "50", "--json").passed().out)
    left = json.loads(command("memory", "stats", path, "--json").passed().out)
    assert left["cards"] == document["kept"] == 469 - len(document["forgotten"]) < 120


CARD = (
    '{"time_ns": 1, "strategy": "s", "symbol": "A", "action": "buy", "quantity": 1, "price": 1, "features": {"x": 1}}\n'
)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("search memory.sqlite", 2, "give --like ID, or the situation"),
        ("search memory.sqlite --like 1 -f x=1", 2, "one of the two"),
        ("search memory.sqlite -f heat", 2, "write NAME=NUMBER"),
        ("search memory.sqlite --like 1 -k 0", 2, "k must be at least 1"),
        ("search memory.sqlite --like 1 --before yesterday", 3, "--before"),
        ("search memory.sqlite --like 1 --diversity 7", 2, "from 0 to 1"),
        ("show memory.sqlite 5000", 3, "there is no card 5000"),
        ("stats none.sqlite", 3, "there is no memory here"),
        ("stats cards.csv", 3, "is no memory, or damaged"),
        ("add memory.sqlite bad.jsonl", 3, "bad.jsonl line 2"),
        ("add memory.sqlite none.jsonl", 1, "none.jsonl"),
        ("uplift memory.sqlite", 2, "name one choice"),
        ("uplift memory.sqlite --regime nowhere", 3, "too few"),
        ("prune memory.sqlite", 2, "say what to keep"),
        ("export memory.sqlite cards.csv", 2, "exists"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(command: Command, here: Path, line, code, says) -> None:
    (here / "cards.csv").write_text("time,close\n1,2\n", encoding="utf-8")
    (here / "bad.jsonl").write_text(CARD + '{"time_ns": 2}\n', encoding="utf-8")
    before = (here / "memory.sqlite").read_bytes()
    verb, path, *rest = line.split()
    files = [str(here / each) if each.endswith((".jsonl", ".csv")) else each for each in rest]
    ended = command("memory", verb, str(here / path), *files)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err and ended.err.count("\n") == 1
    assert (here / "memory.sqlite").read_bytes() == before


def test_a_backtest_writes_its_decisions_down(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    command("backtest", "-q", "-s", "sma_cross", "--memory", str(path)).passed()
    assert json.loads(command("memory", "stats", str(path), "--json").passed().out)["cards"] > 100
