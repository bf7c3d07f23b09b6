"""The benches at a size at which they take seconds: their checks, every contestant that is at hand, their tables."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", name="figures")
def _figures(repository: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benches", "--tiny", "--json"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(name="market_data")
def _market_data(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(repository))
    from benches import market_data

    return market_data


@pytest.fixture(name="pages")
def _pages(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(repository))
    from benches import pages

    return pages


@pytest.fixture(name="replay")
def _replay(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(repository))
    from benches import replay

    return replay


@pytest.fixture(name="cross")
def _cross(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The root goes before this folder, which has the same name.
    monkeypatch.syspath_prepend(str(repository))
    from benches import cross

    return cross


def test_every_bench_times_every_work(figures: dict[str, Any]) -> None:
    for name in ("cross", "callbacks", "features", "market-data", "memory", "replay", "solver", "starts", "sweep"):
        times = figures[name]["times"]
        assert times and all(0.0 < time["best"] <= time["median"] for time in times)
    labels = [time["label"] for time in figures["cross"]["times"]]
    assert any("signal, whole run" in label for label in labels) and any("plain Python" in label for label in labels)
    assert figures["cross"]["fills"] > 10


def test_books_are_compared_with_those_of_a_short_script(figures: dict[str, Any]) -> None:
    labels = " ".join(time["label"] for time in figures["market-data"]["times"])
    for label in ("feed", "plain twin", "sortedcontainers", "book", "read_capture", "scan, all columns"):
        assert label in labels
    assert not any("sortedcontainers" in notice for notice in figures["market-data"]["skipped"])
    memory = figures["market-data"]["memory"]
    assert memory["first"] > 0 and memory["later"] - memory["first"] < 4_194_304, "bytes over twenty sessions"


def test_replays_are_timed_that_trade_and_read_books(figures: dict[str, Any]) -> None:
    replay = figures["replay"]
    labels = " ".join(time["label"] for time in replay["times"])
    for label in ("rules of hftbacktest", "our rules", "in Rust", "on_trade", "on_batch"):
        assert label in labels
    makers = {name: found for name, found in (replay["equal"] | replay["about"]).items() if name != "books"}
    assert len(makers) == 6 and all(made["orders"] >= made["fills"] > 50 for made in makers.values())
    short, long = replay["files"]["short"], replay["files"]["long"]
    assert long["bytes"] > 3.9 * short["bytes"] and min(*short["first_s"], *long["first_s"]) > 0.0


@pytest.mark.skipif(os.environ.get("NT_PEERS") != "require", reason="NT_PEERS=require asks for the other packages")
def test_every_peer_makes_our_trades(figures: dict[str, Any]) -> None:
    assert not any(figures[name]["skipped"] for name in ("cross", "market-data", "replay"))
    assert {time["label"].split()[0] for time in figures["cross"]["times"]} >= {"numba", "vectorbt,", "backtrader"}


def test_tables_are_put_where_their_page_has_a_place(tmp_path: Path, repository: Path, pages: Any) -> None:
    copied = tmp_path / "solvers.md"
    written = (repository / "docs" / "solvers.md").read_text(encoding="utf-8")
    copied.write_text(written, encoding="utf-8")
    pages.put(copied, "solver bench", "| made |\n")
    pages.put(copied, "solver bench", "| again |\n")
    kept = copied.read_text(encoding="utf-8")
    begin, end = "<!-- solver bench -->\n", "<!-- /solver bench -->"
    assert kept.partition(begin)[2].partition(end)[0] == "| again |\n"
    assert (kept.partition(begin)[0], kept.partition(end)[2]) == (
        written.partition(begin)[0],
        written.partition(end)[2],
    )
    with pytest.raises(ValueError, match=r"solvers.md has no place for the weather"):
        pages.put(copied, "the weather", "sunny")


def test_a_contestant_that_does_something_else_is_not_timed(cross: Any) -> None:
    fills = {"time_ns": [10, 20, 30], "side": [1, -1, 1], "price": [1.0, 2.0, 3.0], "quantity": [1.0, 1.0, 1.0]}
    ours = {"fills": {"open": fills, "close": fills}, "stats": {"Return [%]": 1.5}}
    peer = cross.Entry("peer", "package", "script.py")
    good = {
        "fill": "open",
        "until_ns": 30,
        "fills": {name: values[:2] for name, values in fills.items()},
        "stats": {"Return [%]": 1.5 + 1e-12},
    }
    cross.check(peer, ours, good)
    for name in fills:
        wrong = copy.deepcopy(good)
        wrong["fills"][name][1] += 1
        with pytest.raises(cross.Disagreement, match=r"peer has 2 fills where we have 2; at 1"):
            cross.check(peer, ours, wrong)
    with pytest.raises(cross.Disagreement, match="where we have 3"):
        cross.check(peer, ours, good | {"until_ns": 31})
    with pytest.raises(cross.Disagreement, match="where we have 3"):
        cross.check(peer, ours, good | {"fill": "close"})
    with pytest.raises(cross.Disagreement, match="Return"):
        cross.check(peer, ours, good | {"stats": {"Return [%]": 1.6}})


def test_a_contestant_with_other_best_prices_is_not_timed(market_data: Any) -> None:
    ours = {"wire": "one", "updates": "two"}
    market_data.check("peer", ours, {"updates": "two"})
    with pytest.raises(market_data.Disagreement, match=r"peer has other best prices than we have \(updates\)"):
        market_data.check("peer", ours, {"updates": "three"})


def test_a_market_maker_that_ends_with_something_else_is_not_timed(replay: Any) -> None:
    ours = {"books": 5, "every 10 ms": {"orders": 3, "fills": 2, "position": 0, "balance": 7}}
    replay.check("peer", ours, copy.deepcopy(ours))
    for name in ("orders", "fills", "position", "balance"):
        theirs = copy.deepcopy(ours)
        theirs["every 10 ms"][name] += 1
        with pytest.raises(replay.Disagreement, match=r"peer has .* where we have .* \(every 10 ms\)"):
            replay.check("peer", ours, theirs)
    with pytest.raises(replay.Disagreement, match=r"\(books\)"):
        replay.check("peer", ours, ours | {"books": 6})
    with pytest.raises(replay.Disagreement, match="has None"):
        replay.check("peer", ours, {"books": 5})
