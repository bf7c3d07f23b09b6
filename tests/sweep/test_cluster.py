"""Sweeps on a cluster: the results of one machine, whatever happens to workers, and one line where that cannot be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.backtesting.sweeping import cluster as cluster_module
from neural_trader.backtesting.sweeping.cluster import Cluster
from neural_trader.backtesting.sweeping.cluster_work import Script, Stored
from neural_trader.errors import NeuralTraderError
from neural_trader.honesty.trials import Ledger
from neural_trader.market.catalog import Catalog
from neural_trader.market.writing import write_bars
from neural_trader.strategy.expressions import FormulaStrategy
from neural_trader.strategy.loading import find_strategy

SLOW = """\
import os
import time

import neural_trader as nt
from {pace} import PAUSE_S, every


class Slow(nt.Strategy):
    n: int = 10

    def on_start(self):
        with open({told!r}, "a") as file:
            file.write(f"{{os.getpid()}} {{self.n}}\\n")
        time.sleep(PAUSE_S)
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        if self.n == 13 and self.bars == 50:
            raise ValueError("thirteen")
        if every(self.bars, self.n):
            self.target(0.5 if self.bars % 2 else 0.0)
"""

PACE = """\
PAUSE_S = {pause_s}


def every(bars, n):
    return bars % n == 0
"""

GRID = {"n": "14:37"}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("distributed")
    from nodes import Nodes

    started = Nodes(tmp_path_factory.mktemp("nodes"))
    yield started
    started.close()


@pytest.fixture
def address(nodes: Any) -> str:
    nodes.complete()
    return str(nodes.address)


@pytest.fixture(scope="module")
def market() -> Any:
    (bars,) = nt.synthetic_bars(7, ["BTC"])
    return bars.rows(0, 3000)


class Slow:
    """A strategy in a file, with a neighbour, that writes down who plays which point."""

    def __init__(self, folder: Path, pause_s: float = 0.08) -> None:
        self._told = folder / "played.txt"
        # Python knows a module by its name alone, and these tests share one Python.
        self.pace = f"pace_of_{folder.name}"
        (folder / "slow.py").write_text(SLOW.format(told=str(self._told), pace=self.pace))
        (folder / f"{self.pace}.py").write_text(PACE.format(pause_s=pause_s))
        self.reference = str(folder / "slow.py")

    @property
    def played(self) -> list[tuple[int, int]]:
        """Processes and points, in the order in which they were begun."""
        lines = self._told.read_text().splitlines() if self._told.exists() else []
        return [(int(who), int(n)) for who, n in map(str.split, lines)]


@pytest.fixture
def slow(tmp_path: Path) -> Slow:
    return Slow(tmp_path)


@pytest.fixture(scope="module")
def whole(market: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What comes of all points here."""
    slow = Slow(tmp_path_factory.mktemp("whole"), pause_s=0.0)
    return nt.sweep(slow.reference, market, grid=GRID, threads=1).frame


def cross() -> type[FormulaStrategy]:
    fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
    return nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow), name="cross")


def test_a_cluster_finds_what_one_machine_finds(address: str, market: Any) -> None:
    grid = {"fast": "0:24", "slow": "30:60"}
    here = nt.sweep(cross(), market, grid=grid, metric="sharpe", where="fast < slow - 10")
    there = nt.sweep(cross(), market, grid=grid, metric="sharpe", where="fast < slow - 10", executor=address)
    assert here.failed == 31 and there.frame.equals(here.frame) and there.hash == here.hash
    assert there.to_dict()["honesty"] == here.to_dict()["honesty"]
    assert nt.sweep(cross(), market, grid=grid, cash=5_000).hash != nt.sweep(cross(), market, grid=grid).hash


def test_a_strategy_travels_with_its_neighbours_and_its_errors_come_back(
    address: str, nodes: Any, market: Any, slow: Slow
) -> None:
    here = nt.sweep(slow.reference, market, grid={"n": "12:15"}, threads=1)
    there = nt.sweep(slow.reference, market, grid={"n": "12:15"}, executor=address)
    assert there.frame.equals(here.frame) and there.hash == here.hash
    assert slow.reference in here.frame["error"][1] and "thirteen" in here.frame["error"][1]
    # What its best point is worth is looked at here.
    assert {who for who, _ in slow.played[4:]} - {os.getpid()} <= {each.pid for each in nodes.workers}


def test_workers_see_a_neighbour_that_was_changed(address: str, market: Any, slow: Slow, tmp_path: Path) -> None:
    first = nt.sweep(slow.reference, market, grid={"n": "20"}, executor=address)
    (tmp_path / f"{slow.pace}.py").write_text(PACE.format(pause_s=0.0).replace("bars % n == 0", "bars % n == 1"))
    del sys.modules[slow.pace]
    second = nt.sweep(slow.reference, market, grid={"n": "20"}, executor=address)
    assert second.frame["return"][0] != first.frame["return"][0]
    assert second.frame.equals(nt.sweep(slow.reference, market, grid={"n": "20"}, threads=1).frame)


def test_a_search_and_a_walk_forward_go_the_same_way(address: str, market: Any) -> None:
    pytest.importorskip("optuna")
    grid = {"fast": "5:40", "slow": "50:200"}
    assert (
        nt.sweep(cross(), market, grid=grid, optuna=64, executor=address).hash
        == nt.sweep(cross(), market, grid=grid, optuna=64).hash
    )
    walk = {"grid": {"fast": "5,10,20", "slow": "30,60"}, "folds": 2}
    assert (
        nt.walkforward(cross(), market, **walk, executor=address).to_dict()
        == nt.walkforward(cross(), market, **walk).to_dict()
    )


def test_a_worker_that_is_killed_costs_time_and_nothing_else(
    address: str, nodes: Any, market: Any, whole: Any, slow: Slow, tmp_path: Path
) -> None:
    done: list[int] = []

    def kill(points: int, _total: int) -> None:
        done.append(points)
        if len(done) == 1:
            nodes.kill(1)

    ledger = Ledger(tmp_path / "trials.sqlite")
    found = nt.sweep(slow.reference, market, grid=GRID, executor=address, trials=ledger.path, progress=kill)
    assert len({who for who, _ in slow.played} - {os.getpid()}) == 2
    assert found.played == sum(done) == found.frame.height == len(ledger.trials()) == 24
    assert found.frame.equals(whole)


def test_when_all_workers_are_gone_it_says_so_and_goes_on_when_some_are_back(
    address: str, nodes: Any, market: Any, whole: Any, slow: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "PATIENCE_S", 1.0)
    out, kept = tmp_path / "points.sqlite", []

    def kill(points: int, _total: int) -> None:
        kept.append(points)
        if len(kept) == 1:
            nodes.kill(2)

    with pytest.raises(NeuralTraderError, match=r"all workers of the cluster at \S+ have gone.*same command again"):
        nt.sweep(slow.reference, market, grid=GRID, executor=address, out=out, progress=kill)
    nodes.complete()
    found = nt.sweep(slow.reference, market, grid=GRID, executor=address, out=out)
    assert found.played == 24 - sum(kept) and 0 < found.played < 24
    assert found.frame.equals(whole)


def test_workers_that_come_back_in_time_go_on_where_the_others_were(
    address: str, nodes: Any, market: Any, whole: Any, slow: Slow
) -> None:
    done: list[int] = []

    def kill(points: int, _total: int) -> None:
        done.append(points)
        if len(done) == 1:
            nodes.kill(2)
            nodes.workers = [nodes.worker()]

    found = nt.sweep(slow.reference, market, grid=GRID, executor=address, progress=kill)
    assert found.played == sum(done) == 24
    assert found.frame.equals(whole)


def test_an_interrupted_command_cancels_what_runs_there_and_goes_on_later(
    address: str, market: Any, whole: Any, slow: Slow, tmp_path: Path
) -> None:
    out, bars = tmp_path / "points.sqlite", str(write_bars(market, tmp_path / "bars.parquet")[0])
    words = [
        "sweep",
        bars,
        "n=14:77",
        "-s",
        slow.reference,
        "--executor",
        address,
        "--out",
        str(out),
    ]
    command = [sys.executable, "-m", "neural_trader", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while len(slow.played) < 28:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 130 and told.decode().strip() == "error: interrupted"
    begun = len(slow.played)
    time.sleep(1.0)
    # A point that was being played may end; no other begins.
    assert len(slow.played) <= begun + 2 < 64
    found = nt.sweep(slow.reference, bars, grid={"n": "14:77"}, out=out, executor=address)
    assert 0 < found.played < 64 and found.frame.height == 64
    assert found.frame.head(24).equals(whole)


def test_bars_of_a_catalog_are_read_by_workers_that_have_them_and_sent_to_others(
    address: str, nodes: Any, market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {"fast": "5,10", "slow": "30"}
    told: list[Any] = []
    usual = Cluster.stored
    monkeypatch.setattr(Cluster, "stored", lambda *given: told.append(usual(*given)) or told[-1])
    same, other = nodes.folder / "catalog", tmp_path / "catalog"
    Catalog(same).append(market, "test")
    Catalog(other).append(market.rows(0, 2000), "test")
    for root, kind in ((same, Stored), (other, type(None))):
        monkeypatch.setenv("NT_CATALOG", str(root))
        here = nt.sweep(cross(), "catalog:test/*", grid=grid)
        assert nt.sweep(cross(), "catalog:test/*", grid=grid, executor=address).hash == here.hash
        assert type(told[-1]) is kind
    # One that joins later and has another catalog is sent the bars.
    stored = Stored("catalog:test/NONE", None, None, None, None, told[0].settings, "0" * 64)
    monkeypatch.setattr(Cluster, "stored", lambda *_: stored)
    assert nt.sweep(cross(), "catalog:test/*", grid=grid, executor=address).hash == here.hash


def test_a_worker_that_cannot_give_our_results_is_named(
    address: str, nodes: Any, market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(cluster_module, "__version__", "99.0")
        with pytest.raises(NeuralTraderError, match=r"the worker \S+ has neural-trader \d.* here it is 99.0"):
            Cluster(address)
    (tmp_path / "neural_trader").mkdir()
    (tmp_path / "neural_trader" / "__init__.py").write_text("raise ImportError\n")
    bare = nodes.worker(path=tmp_path)
    try:
        nodes.await_workers(3)
        with pytest.raises(NeuralTraderError, match=r"the worker \S+ has no neural-trader: pip install"):
            nt.sweep(cross(), market, grid={"fast": "5"}, executor=address)
    finally:
        bare.kill()
        bare.wait()


def test_mistakes_with_executors_are_one_line(market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(executor: str, **options: Any) -> str:
        with pytest.raises(NeuralTraderError) as caught:
            nt.sweep(cross(), market, grid={"fast": "5"}, executor=executor, **options)
        return str(caught.value)

    assert "such as dask://HOST:8786" in refused("ray://host:1")
    assert "leave them out" in refused("dask://127.0.0.1:1", threads=2)
    with monkeypatch.context() as bare:
        bare.setitem(sys.modules, "distributed", None)
        assert 'pip install "neural-trader[cluster]"' in refused("dask://127.0.0.1:1")
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.5)
    assert "no scheduler answers at dask://127.0.0.1:1" in refused("dask://127.0.0.1:1")


def test_a_cluster_without_workers_says_so(tmp_path: Path, market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    from nodes import Nodes

    monkeypatch.setattr(cluster_module, "CONNECT_S", 2.0)
    nodes = Nodes(tmp_path)
    try:
        with pytest.raises(
            NeuralTraderError, match=r"has no worker: start some with `dask worker tcp://127.0.0.1:\d+`"
        ):
            nt.sweep(cross(), market, grid={"fast": "5"}, executor=nodes.address)
    finally:
        nodes.close()


def test_a_script_is_told_by_its_content(slow: Slow, tmp_path: Path) -> None:
    script = Script.of(slow.reference, "", find_strategy(slow.reference))
    assert [name for name, _ in script.files] == ["slow.py", f"{slow.pace}.py"]
    assert script.unpacked().read_text() == Path(slow.reference).read_text()
    assert script.told(f"{script.unpacked()} line 3") == f"{slow.reference} line 3"
    assert os.fspath(tmp_path) not in os.fspath(script.unpacked())
