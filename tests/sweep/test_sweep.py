"""Sweeps: which points are played, that each is the run by itself, and that no point is lost or played twice."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.backtesting.sweeping import points as points_module
from neural_trader.backtesting.sweeping.measures import MEASURES
from neural_trader.backtesting.sweeping.running import FormulaRunner
from neural_trader.backtesting.sweeping.space import Axis, Condition, Space
from neural_trader.errors import DataError, NeuralTraderError, UsageError
from neural_trader.honesty.trials import Ledger
from neural_trader.strategy.expressions import FormulaStrategy


def cross() -> type[FormulaStrategy]:
    fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
    return nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow), name="cross")


GRID = {"fast": "5:20:5", "slow": "30:60:10"}


@pytest.fixture(scope="module")
def market() -> Any:
    return nt.synthetic_bars(7, ["BTC"])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5:20:5", [5, 10, 15, 20]),
        ("5:19:5", [5, 10, 15]),
        ("1:3", [1, 2, 3]),
        ("0.1:0.3:0.1", [0.1, 0.2, 0.3]),
        ("7", [7]),
        ("3,1,3", [3, 1]),
    ],
)
def test_values_of_an_axis(text: str, values: list[float]) -> None:
    assert Axis.of("x", text, float).values == tuple(values)


@pytest.mark.parametrize(
    "text", ["nan", "5,inf", "1:inf:1", "1:2:nan", "", "a", "5:1", "1:5:0", "1:5:-1", "1:2:3:4", "0:1e9:1e-9"]
)
def test_values_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Axis.of("x", text, float)


def test_points_are_numbered_alike_in_blocks_and_one_by_one() -> None:
    space = Space((Axis("a", (1, 2)), Axis("b", (1, 2, 3)), Axis("c", (5, 6))))
    assert space.block(0, 12).tolist() == space.points(range(12)).tolist()
    assert space.block(3, 5).tolist() == [[1, 2, 6], [1, 3, 5]]
    drawn = np.concatenate(list(space.drawn(7, 1, 3)))
    assert len({tuple(row) for row in drawn.tolist()}) == 7


def test_conditions_on_parameters() -> None:
    rows = np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]])
    for text, expected in {
        "fast < slow": [True, False, False],
        "2 * fast <= slow or fast == 3": [True, False, True],
        "1 < fast < 3": [False, True, False],
        "not fast % 2 == 0": [True, False, True],
        "1 < 2": [True, True, True],
    }.items():
        assert Condition(text, ("fast", "slow"))(rows).tolist() == expected, text
    for text in ("fast <", "fasst < slow", "__import__('os')", "fast", "fast.real < 1"):
        with pytest.raises(UsageError):
            Condition(text, ("fast", "slow"))(rows)


def test_every_point_is_the_run_by_itself(market: Any) -> None:
    found = nt.sweep(cross(), market, grid=GRID, metric="sharpe")
    assert found.frame.height == 16
    for row in found.frame.rows(named=True):
        parameters = {name: row[name] for name in found.names}
        stats = nt.backtest(cross(), market, parameters=parameters, benchmark=False).stats
        for name, measure in MEASURES.items():
            assert row[name] == pytest.approx(stats[measure.title], rel=1e-9), (parameters, name)


def test_a_class_is_swept_to_the_same_figures(market: Any) -> None:
    formula = nt.sweep(cross(), market, grid={"fast": "10", "slow": "50"}, metric="sharpe").frame
    library = nt.sweep("sma_cross", market, grid={"fast": "10", "slow": "50"}, metric="sharpe").frame
    for name in MEASURES:
        assert library[name][0] == pytest.approx(formula[name][0], rel=1e-9), name


def test_processes_find_what_one_finds(market: Any) -> None:
    grid = {"fast": "5:9", "slow": "20:50:10"}
    one = nt.sweep("sma_cross", market, grid=grid, threads=1).frame
    two = nt.sweep("sma_cross", market, grid=grid, threads=2).frame
    assert one.equals(two)


def test_a_universe_is_swept_too() -> None:
    strongest = nt.formula(target=(nt.close.momentum(nt.P("n", 20), 0).rank_across() >= 0.7).choose(nt.share, 0))
    found = nt.sweep(strongest, grid={"n": "10,40"}, symbols=["BTC", "ETH"]).frame
    alone = nt.backtest(strongest, symbols=["BTC", "ETH"], parameters={"n": 40}, benchmark=False).stats
    assert found.filter(pl.col("n") == 40)["return"][0] == pytest.approx(alone["Return [%]"], rel=1e-12)


MARGIN = {"instruments": {"BTC": {"kind": "linear", "maintenance": "2%"}}}
CURRENCIES = {
    "instruments": {
        "BTC": {"kind": "inverse", "currency": "XBT", "size": 100},
        "ETH": {"kind": "linear", "currency": "EUR"},
    },
    "currencies": {"XBT": {"rate": "BTC"}, "EUR": {"rate": "1.1"}},
}
FUNDING = pl.DataFrame(
    {"time": ["2022-01-05T00:00:00Z", "2022-02-01T08:00:00Z"], "symbol": "BTC", "rate": [0.01, -0.02]}
)


@pytest.mark.parametrize(
    ("symbols", "settings"),
    [
        (["BTC"], {"account": MARGIN, "funding": FUNDING}),
        (["BTC", "ETH"], {"account": MARGIN, "leverage": 3, "close_at_end": True}),
        (["BTC", "ETH"], {"account": CURRENCIES, "leverage": 2}),
    ],
)
def test_a_sweep_on_an_account_is_the_run_by_itself(symbols: list[str], settings: dict[str, Any]) -> None:
    market = nt.synthetic_bars(7, symbols, bars=2_000)
    grid = {"fast": "5,10", "slow": "30"}
    found, library = (
        nt.sweep(each, market, grid=grid, metric="sharpe", **settings).frame for each in (cross(), "sma_cross")
    )
    for row, of_class in zip(found.rows(named=True), library.rows(named=True), strict=True):
        parameters = {"fast": row["fast"], "slow": row["slow"]}
        stats = nt.backtest(cross(), market, parameters=parameters, benchmark=False, **settings).stats
        assert row["trades"] > 10
        for name, measure in MEASURES.items():
            assert row[name] == pytest.approx(stats[measure.title], rel=1e-9), (parameters, name)
            assert row[name] == pytest.approx(of_class[name], rel=1e-9), (parameters, name)


def test_a_point_that_makes_no_sense_is_told_and_costs_no_other(market: Any) -> None:
    found = nt.sweep(cross(), market, grid={"fast": "0,5"})
    assert found.failed == 1
    assert "sma" in found.frame.filter(pl.col("fast") == 0)["error"][0]
    assert found.best(5).height == 1


class Interrupts:
    """Plays so many blocks, and is interrupted in the next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, blocks: int) -> None:
        play = FormulaRunner.play
        self.played: list[tuple[float, ...]] = []
        self.left = blocks

        def limited(runner: FormulaRunner, rows: Any) -> Any:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            self.played += map(tuple, rows.tolist())
            return play(runner, rows)

        monkeypatch.setattr(FormulaRunner, "play", limited)
        monkeypatch.setattr(FormulaRunner, "rows", 3)


def test_an_interrupted_sweep_goes_on_without_losing_or_repeating_a_point(
    market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "points.sqlite"
    whole = nt.sweep(cross(), market, grid=GRID).frame.sort("fast", "slow")
    interrupts = Interrupts(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        nt.sweep(cross(), market, grid=GRID, out=out)
    interrupts.left = 99
    found = nt.sweep(cross(), market, grid=GRID, out=out)
    assert sorted(interrupts.played) == sorted(set(interrupts.played)) and len(interrupts.played) == 16
    assert found.played == 7 and found.frame.sort("fast", "slow").equals(whole)
    assert nt.sweep(cross(), market, grid=GRID, out=out).played == 0
    # A larger grid in the same file plays only what is new.
    assert nt.sweep(cross(), market, grid=GRID | {"fast": "5:25:5"}, out=out).played == 4


def test_a_full_disk_keeps_what_is_done(market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "points.sqlite"
    monkeypatch.setattr(FormulaRunner, "rows", 16)
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> Any:
        file = connect(*arguments, **options)
        file.execute("PRAGMA max_page_count = 40")
        return file

    grid = {"fast": "5:24", "slow": "30:120:10"}
    with monkeypatch.context() as full:
        full.setattr(points_module.sqlite3, "connect", small)
        with pytest.raises(NeuralTraderError, match=r"full; the \d+ points before are kept"):
            nt.sweep(cross(), market, grid=grid, out=out)
    found = nt.sweep(cross(), market, grid=grid, out=out)
    assert found.frame.height == 200 and 0 < found.played < 200


def test_a_file_of_another_sweep_is_refused(market: Any, tmp_path: Path) -> None:
    out = tmp_path / "points.sqlite"
    nt.sweep(cross(), market, grid=GRID, out=out)
    with pytest.raises(DataError, match="cash"):
        nt.sweep(cross(), market, grid=GRID, out=out, cash=5)
    (tmp_path / "other.sqlite").write_text("no database, but long enough to be looked at as one would look at it")
    with pytest.raises(DataError, match="choose another file"):
        nt.sweep(cross(), market, grid=GRID, out=tmp_path / "other.sqlite")


def test_a_file_is_written_by_one_sweep_at_a_time(market: Any, tmp_path: Path) -> None:
    out = tmp_path / "points.sqlite"

    def again(_points: int, _total: int) -> None:
        with pytest.raises(DataError, match="another sweep is writing there"):
            nt.sweep(cross(), market, grid=GRID, out=out)

    assert nt.sweep(cross(), market, grid=GRID, out=out, progress=again).played == 16
    assert [path.name for path in tmp_path.iterdir()] == ["points.sqlite"]


def test_a_database_of_something_else_and_a_damaged_one_are_left_alone(market: Any, tmp_path: Path) -> None:
    other, damaged = tmp_path / "other.sqlite", tmp_path / "damaged.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as file:
        file.execute("CREATE TABLE mine (x)")
    with pytest.raises(DataError, match="a database of something else"):
        nt.sweep(cross(), market, grid=GRID, out=other)
    with contextlib.closing(sqlite3.connect(other)) as file:
        assert file.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    nt.sweep(cross(), market, grid={"fast": "5:24", "slow": "30:79"}, out=damaged)
    content = bytearray(damaged.read_bytes())
    content[2 * 4096 : -4096] = bytes(byte ^ 0xFF for byte in content[2 * 4096 : -4096])
    damaged.write_bytes(content)
    with pytest.raises(DataError, match="cannot keep points there"):
        nt.sweep(cross(), market, grid={"fast": "5:24", "slow": "30:79"}, out=damaged)
    assert damaged.read_bytes() == content


def test_a_large_grid_says_what_share_meets_its_condition(market: Any) -> None:
    with pytest.raises(
        UsageError, match=r"1,000,000,000 sets of parameters, about 4\.9 % of which meet the condition, would"
    ):
        nt.sweep(cross(), market, grid={"fast": range(1, 100_001), "slow": range(1, 10_001)}, where="fast < slow")


def test_points_go_into_parquet(market: Any, tmp_path: Path) -> None:
    out = tmp_path / "points.parquet"
    found = nt.sweep(cross(), market, grid=GRID, out=out)
    assert pl.read_parquet(out).equals(found.frame)


def test_a_grid_that_is_too_large_says_how_long_it_would_take(market: Any) -> None:
    with pytest.raises(UsageError, match=r"1,000,000,000 sets of parameters would take about .*--yes"):
        nt.sweep(cross(), market, grid={"fast": range(1, 100_001), "slow": range(1, 10_001)})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"grid": {"fasst": "5"}}, "did you mean 'fast'"),
        ({"grid": GRID, "metric": "sharp"}, "did you mean 'sharpe'"),
        ({"grid": GRID, "where": "fast < slwo"}, "did you mean 'slow'"),
        ({"grid": {}}, "needs a grid"),
        ({"grid": {"fast": "0.5"}}, "whole numbers"),
        ({"grid": GRID, "parameters": {"fast": 5}}, "varies in the grid and is set"),
        ({"grid": GRID, "random": 0}, "from 1 on"),
        ({"grid": GRID, "out": "points.csv"}, "ends with"),
        ({"grid": GRID, "feee": 5}, "no setting 'feee'"),
        ({"grid": GRID, "account": {"currencies": {"EUR": {"deposit": 5, "rate": 1}}}}, "leave out deposits of other"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        nt.sweep(cross(), symbols=["BTC"], **arguments)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsga2"])
def test_optuna_searches_the_same_space(market: Any, sampler: str) -> None:
    pytest.importorskip("optuna")
    found = nt.sweep(cross(), market, grid={"fast": "5:40", "slow": "50:200"}, optuna=40, sampler=sampler)
    again = nt.sweep(cross(), market, grid={"fast": "5:40", "slow": "50:200"}, optuna=40, sampler=sampler)
    assert 20 < found.frame.height <= 40 and found.frame.equals(again.frame)
    row = found.best(1).row(0, named=True)
    stats = nt.backtest(cross(), market, parameters=found.best_parameters, benchmark=False).stats
    assert row["return"] == pytest.approx(stats["Return [%]"], rel=1e-12)


def test_the_page_stands_alone_and_names_the_best(market: Any, tmp_path: Path) -> None:
    found = nt.sweep(cross(), market, grid=GRID, metric="sharpe")
    text = found.to_html(tmp_path / "page.html").read_text()
    assert "http" not in text.replace("http-equiv", "") and "<script" not in text
    assert text.count("<rect") == 16 and text.count("<polyline") > 16
    best = found.best_parameters
    assert f"fast {best['fast']}, slow {best['slow']}" in text
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_script_needs_no_guard_to_sweep_in_processes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import neural_trader as nt\n"
        "found = nt.sweep('rsi_reversion', grid={'n': '5:40'}, symbols=['BTC'], threads=2, trials='off', worth=False)\n"
        "print(found.frame.height, found.frame['error'].is_null().all())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("36 True\n", "")


@pytest.mark.parametrize("metric", ["sharpe", "drawdown", "fees"])
def test_the_line_on_top_of_the_page_is_the_best_of_many(market: Any, tmp_path: Path, metric: str) -> None:
    # Two hundredths of the points have the brightest colour; the line is that of the best of them.
    found = nt.sweep(cross(), market, grid={"fast": "5:40", "slow": "50:60"}, metric=metric, worth=False)
    text = found.to_html(tmp_path / "page.html").read_text()
    (line,) = re.findall(r'<polyline class="best" points="([^"]*)"', text)
    heights = [float(place.split(",")[1]) for place in line.split()]
    rows = found.frame
    for name, height in zip(("fast", "slow", metric), heights, strict=True):
        known = rows[name].drop_nulls()
        value = found.best(1)[name][0]
        share = (value - known.min()) / (known.max() - known.min())
        assert height == pytest.approx(54 + 330 * (1 - share), abs=0.06)


def test_every_point_is_a_trial_once(market: Any, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "trials.sqlite")
    for _ in range(2):
        nt.sweep(cross(), market, grid=GRID, metric="sharpe", trials=ledger.path)
    found = ledger.trials()
    assert len(found) == 16 and all(trial.sharpe is not None for trial in found)
    (tmp_path / "broken.sqlite").write_text("no ledger, but long enough to be looked at as one would look at it")
    assert "not counted" in (nt.sweep(cross(), market, grid=GRID, trials=tmp_path / "broken.sqlite").warning or "")
