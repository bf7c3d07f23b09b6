"""What the best of a sweep is worth: curves are those of runs, parts of them are honest, and noise is called noise."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.sweeping import paths as paths_module
from neural_trader.backtesting.sweeping import worth as worth_module
from neural_trader.backtesting.sweeping.paths import Paths, drawn, period_ends
from neural_trader.backtesting.sweeping.running import FormulaRunner
from neural_trader.backtesting.sweeping.worth import returns_of
from neural_trader.honesty.trials import Ledger
from neural_trader.strategy.expressions import FormulaStrategy

SCALE = int(os.environ.get("NT_NOISE_SCALE", "1"))
"""Multiplies the number of noise markets."""
GRID = {"fast": "5:20:5", "slow": "30:60:10"}


def cross() -> type[FormulaStrategy]:
    fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
    return nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow), name="cross")


class Idle(nt.Strategy):
    """Never trade."""

    n: int = 1


@pytest.fixture(scope="module")
def market() -> Any:
    (bars,) = nt.synthetic_bars(7, ["BTC"])
    return bars.rows(0, 6000)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Paths]:
    """The curves of each sweep of a test."""
    found: list[Paths] = []

    class Noted(Paths):
        def __init__(self, ends: Any) -> None:
            super().__init__(ends)
            found.append(self)

    monkeypatch.setattr("neural_trader.backtesting.sweeping.sweep.Paths", Noted)
    return found


@pytest.mark.parametrize("samples", [1, 2, 255, 256, 257, 1000, 26_280])
def test_periods_are_of_one_length_and_end_with_the_last_sample(samples: int) -> None:
    ends = period_ends(samples)
    assert len(ends) <= 256 and ends[-1] == samples - 1 and ends[0] >= 0
    lengths = np.diff(ends)
    assert len(set(lengths.tolist())) <= 1 and (not len(lengths) or ends[0] + 1 <= lengths[0])
    assert not len(period_ends(0))


@pytest.mark.parametrize("what", ["formula", "universe", "class"])
def test_curves_are_those_of_the_runs_by_themselves(market: Any, kept: list[Paths], what: str) -> None:
    strategy: Any = "sma_cross" if what == "class" else cross()
    data = nt.synthetic_bars(7, ["BTC", "ETH"], bars=900) if what == "universe" else market
    settings: dict[str, Any] = {"close_at_end": True, "threads": 1} if what == "formula" else {"threads": 1}
    nt.sweep(strategy, data, grid={"fast": "5,9", "slow": "30:50:10"}, **settings)
    (paths,) = kept
    assert paths.points is not None and len(paths.points) == 6
    del settings["threads"]
    for (fast, slow), equity in zip(paths.points.tolist(), paths.equity, strict=True):
        alone = nt.backtest(
            strategy, data, parameters={"fast": fast, "slow": slow}, benchmark=False, look_ahead=False, **settings
        )
        assert np.array_equal(equity, alone.equity_curve[paths.ends])


def test_blocks_and_interruptions_do_not_change_what_a_sweep_is_worth(
    market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = nt.sweep(cross(), market, grid=GRID, metric="sharpe").to_dict()["honesty"]
    monkeypatch.setattr(FormulaRunner, "rows", 3)
    out = tmp_path / "points.sqlite"
    nt.sweep(cross(), market, grid=GRID | {"fast": "5,10"}, metric="sharpe", out=out)
    play = FormulaRunner.play
    played: list[tuple[float, ...]] = []

    def noted(runner: FormulaRunner, rows: Any) -> Any:
        played.extend(map(tuple, rows.tolist()))
        return play(runner, rows)

    monkeypatch.setattr(FormulaRunner, "play", noted)
    assert nt.sweep(cross(), market, grid=GRID, metric="sharpe", out=out).to_dict()["honesty"] == whole
    assert len(played) == 8, "the curves of the points before were kept with them"
    # Points without curves are played once more, and for those alone.
    with sqlite3.connect(out) as file:
        file.execute("DELETE FROM curves WHERE fast = 5")
    file.close()
    played.clear()
    assert nt.sweep(cross(), market, grid=GRID, metric="sharpe", out=out).to_dict()["honesty"] == whole
    assert len(played) == 4


def test_a_draw_is_of_chance_and_depends_on_nothing_but_the_points() -> None:
    points = np.array([[float(a), b / 10] for a in range(40) for b in range(50)])
    rng = np.random.default_rng(1)
    first = {tuple(point) for point in points[drawn(points, 500)].tolist()}
    shuffled = points[rng.permutation(len(points))]
    assert {tuple(point) for point in shuffled[drawn(shuffled, 500)].tolist()} == first
    assert len(first) == 500
    # Each half of either axis has its share, to within four standard errors.
    for column, middle in ((0, 20.0), (1, 2.5)):
        assert abs(sum(point[column] < middle for point in first) - 250) < 4 * np.sqrt(500 * 0.25)
    paths = Paths(np.array([0]))
    for block in np.array_split(shuffled, 7):
        paths.take(block, block[:, :1])
    assert paths.points is not None and len(paths.points) == 2000 and np.array_equal(paths.points[:, :1], paths.equity)


def test_a_ruined_curve_loses_everything_once() -> None:
    found = returns_of(100.0, np.array([[110.0, 55.0, 0.0, 40.0], [50.0, -10.0, 20.0, 30.0]]))
    assert found.tolist() == [pytest.approx([0.1, -0.5, -1.0, 0.0]), pytest.approx([-0.5, -1.0, 0.0, 0.0])]


def test_a_part_of_the_points_makes_the_answer_stricter(market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"fast": "5:40:5", "slow": "45:120:5"}
    whole = nt.sweep(cross(), market, grid=grid, fee=0, slippage=0).worth
    monkeypatch.setattr(paths_module, "POINTS_MAX", 32)
    monkeypatch.setattr(worth_module, "POINTS_MAX", 32)
    part = nt.sweep(cross(), market, grid=grid, fee=0, slippage=0).worth
    assert whole is not None and part is not None and whole.luck is not None and part.luck is not None
    assert whole.is_whole and whole.selection.drawn == 128
    assert not part.is_whole and part.selection.drawn == 32 and part.luck >= whole.luck
    document = part.document()["luck"]
    assert document["reality_check"] is None is document["superior_ability"] and document["tested"] == 32


def test_what_cannot_be_told_has_no_verdict(market: Any) -> None:
    idle = nt.sweep(Idle, market, grid={"n": "1:4"}, threads=1).worth
    assert idle is not None and idle.verdict == "undefined" and "no Sharpe ratio" in idle.sentence
    short = nt.sweep(cross(), market.rows(0, 12), grid={"fast": "1,2", "slow": "3,4"}, fee=0, slippage=0).worth
    assert short is not None and short.luck is None and short.verdict in ("undefined", "no_edge")
    assert nt.sweep(Idle, market, grid={"n": "1:4"}, metric="win_rate", threads=1).worth is None
    assert nt.sweep(cross(), market, grid=GRID, worth=False).worth is None
    for found in (idle, short):
        json.dumps(found.document(), allow_nan=False)


def test_a_search_answers_for_every_point_that_it_could_have_come_to(market: Any) -> None:
    pytest.importorskip("optuna")
    found = nt.sweep(cross(), market, grid={"fast": "5:14", "slow": "50:89"}, optuna=40).worth
    assert found is not None and found.selection.tried.points == 400 == found.selection.drawn
    assert found.selection.tried.trials <= 40 and found.is_whole


def test_trials_of_the_ledger_count_too(market: Any, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "trials.sqlite")
    one = nt.sweep(cross(), market, grid=GRID, metric="sharpe", trials=ledger.path).worth
    two = nt.sweep(cross(), market, grid={"fast": "1:4", "slow": "30:90:5"}, metric="sharpe", trials=ledger.path).worth
    assert one is not None and two is not None
    assert (one.selection.tried.trials, two.selection.tried.trials) == (16, 16 + 52)
    assert two.selection.tried.points == 52 and two.document()["trials"]["over"] == "project"


@pytest.mark.parametrize("order", ["sweep", "backtest"])
@pytest.mark.parametrize("strategy", ["formula", "library", "class"])
def test_a_point_and_the_backtest_of_its_parameters_are_one_trial(
    market: Any, tmp_path: Path, order: str, strategy: str
) -> None:
    what: Any = {"formula": cross(), "library": "sma_cross", "class": Idle}[strategy]
    grid: Any = {"n": "1,2"} if strategy == "class" else {"fast": "10,12", "slow": "50"}
    parameters = {"n": 2} if strategy == "class" else {"fast": 12, "slow": 50}
    ledger = Ledger(tmp_path / "trials.sqlite")

    def swept() -> None:
        nt.sweep(what, market, grid=grid, threads=1, trials=ledger.path, cash=5000)

    def alone() -> Any:
        return nt.backtest(what, market, parameters=parameters, look_ahead=False, trials=ledger.path, cash=5000)

    if order == "sweep":
        swept()
        run = alone()
        assert run.counted.search.trials == 2 and not run.counted.is_new
    else:
        run = alone()
        swept()
    found = ledger.trials()
    assert len(found) == 2 and run.hash in {trial.hash for trial in found}
    assert nt.backtest(what, market, parameters=parameters, trials=ledger.path, cash=5001).counted.search.trials == 3


def test_a_class_that_was_edited_is_another_trial(market: Any, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "trials.sqlite")
    for number in (1, 2, 1):
        space: dict[str, Any] = {"nt": nt, "__name__": "notebook"}
        exec(f"class Mine(nt.Strategy):\n    n: int = 1\n    def on_bar(self, bar): self.x = {number}", space)
        nt.sweep(space["Mine"], market.rows(0, 50), grid={"n": "1,2"}, threads=1, trials=ledger.path)
    assert len(ledger.trials()) == 4


def walk(seed: int, count: int, *, wave: float = 0.0) -> Any:
    """Prices that nobody can predict, or with a drift that goes up and down by turns."""
    import polars as pl

    rng = np.random.default_rng(seed)
    steps = 1.0 + rng.normal(0.0, 0.01, count) + wave * np.sign(np.sin(np.arange(count) * 2.0 * np.pi / 160.0))
    close = 1000.0 * np.cumprod(steps)
    begin = np.append(1000.0, close[:-1])
    frame = pl.DataFrame(
        {
            "time": pl.datetime_range(
                pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 1) + pl.duration(hours=count - 1), "1h", eager=True
            ),
            "open": begin.round(4),
            "high": np.maximum(begin, close).round(4),
            "low": np.minimum(begin, close).round(4),
            "close": close.round(4),
            "volume": np.full(count, 1e6),
        }
    )
    return {"NOISE": frame}


def test_the_best_of_a_sweep_over_noise_is_believed_no_more_often_than_it_says() -> None:
    grid = {"fast": "2:30:4", "slow": "35:95:10"}
    believed, fooled, cases = 0, 0, 60 * SCALE
    for seed in range(cases):
        found = nt.sweep(cross(), walk(seed, 3000), grid=grid, metric="sharpe", fee=0, slippage=0, threads=1).worth
        assert found is not None and found.luck is not None and found.probabilistic is not None
        believed += found.luck <= 0.05
        fooled += found.probabilistic > 0.95
        assert found.verdict != "distinct" or found.luck <= 0.05
    # Binomial: above this one time in ten thousand, were the rate one in twenty.
    assert believed <= 0.05 * cases + 3.72 * np.sqrt(0.05 * 0.95 * cases)
    assert fooled > 0.15 * cases, "without counting points, far more than one sweep in twenty finds something"


def test_an_edge_that_is_there_is_found() -> None:
    found = nt.sweep(
        cross(), walk(3, 12_000, wave=0.002), grid={"fast": "2:30:4", "slow": "35:95:10"}, metric="sharpe"
    ).worth
    assert found is not None and found.verdict == "distinct", found
    assert found.luck is not None and found.luck < 0.01 and "more than luck explains" in found.sentence
    assert found.overfitting is not None and found.overfitting.loss_probability < 0.05


def test_a_walk_forward_counts_what_its_trainings_tried(market: Any, tmp_path: Path) -> None:
    found = nt.walkforward(cross(), market, grid=GRID, folds=3, trials=tmp_path / "trials.sqlite")
    worth = found.worth
    assert worth.evidence.counted is not None and worth.evidence.counted.search.trials == 3 * 16
    assert worth.evidence.counted.search.variance >= 1.0 / worth.evidence.years
    assert worth.probabilistic is not None and worth.deflated is not None and worth.deflated <= worth.probabilistic
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))["honesty"]
    assert document["path"] == 0 and document["trials"] == {
        "count": 48,
        "over": "project",
        "sharpe_variance": pytest.approx(1.0 / worth.evidence.years),
    }
    statistics = found.statistics()["sharpe"]
    moments = worth.evidence.moments
    assert statistics is not None and moments is not None and worth.evidence.periods_per_year is not None
    assert moments.sharpe * worth.evidence.periods_per_year**0.5 == pytest.approx(statistics, rel=1e-9)
    several = nt.walkforward(cross(), market, grid=GRID, cpcv=(4, 2), trials="off")
    ratios = sorted(several.statistics(path)["sharpe"] or 0.0 for path in range(3))
    assert several.statistics(several.middle)["sharpe"] == ratios[1]
