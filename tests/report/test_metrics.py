"""The statistics: golden values, laws that hold for every curve, and an independent library as oracle."""

from __future__ import annotations

import io
import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from neural_trader.errors import EngineError
from neural_trader.report.curve import NANOSECONDS_PER_YEAR, CurveFacts, Measure
from neural_trader.report.definitions import BY_NAME, CURVE_NAMES, DEFINITIONS, GROUPS
from neural_trader.report.metrics import Stats
from neural_trader.report.outcome import BLOCK, blocks_of
from report_sample import DAY_NS, HOUR_NS, MINUTE_NS, curve_result, make_result, make_trades

QUARTER_NS = int(NANOSECONDS_PER_YEAR) // 4


def measure(initial: float, times: np.ndarray, curve: np.ndarray) -> CurveFacts:
    """The facts of a curve that starts at time 0, taken in blocks."""
    measured = Measure(initial, 0)
    for block in blocks_of(times, curve, None):
        measured.add(block.time_ns, block.equity)
    return measured.facts()


curves = st.lists(st.floats(min_value=1e-3, max_value=1e9), min_size=1, max_size=60)


def test_curve_statistics_of_four_quarters_equal_those_computed_by_hand() -> None:
    stats = curve_result([110.0, 99.0, 121.0, 121.0], QUARTER_NS).stats
    assert stats["Equity Final"] == 121.0
    assert stats["Equity Peak"] == 121.0
    assert stats["Return [%]"] == pytest.approx(21.0)
    assert stats["CAGR [%]"] == pytest.approx(21.0)  # exactly one year
    # The returns are 9/90, -9/90, 20/90 and 0, their mean 5/90, the squared deviations 16, 196, 225 and 25 over 90^2.
    assert stats["Volatility (Ann.) [%]"] == pytest.approx(200 * math.sqrt(462 / 3) / 90)
    assert stats["Sharpe Ratio"] == pytest.approx(2 * 5 / math.sqrt(462 / 3))
    assert stats["Sortino Ratio"] == pytest.approx(20.0 / 9.0)
    assert stats["Max. Drawdown [%]"] == pytest.approx(-10.0)
    assert stats["Calmar Ratio"] == pytest.approx(2.1)
    assert stats["Max. Drawdown Duration"] == 2 * QUARTER_NS / 1e9  # from the peak at 110 to 121
    assert stats["Duration"] == 4 * QUARTER_NS / 1e9
    assert stats["Start"] == "2024-01-01T00:00:00Z"


def test_trade_statistics_of_four_trades_equal_those_computed_by_hand() -> None:
    trades = make_trades((30.0, 0.30, True), (-10.0, -0.10, True), (20.0, 0.20, True), (5.0, 0.05, False))
    stats = curve_result([140.0], trades=trades).stats
    assert stats["# Trades"] == 3
    assert stats["# Open Trades"] == 1
    assert stats["Win Rate [%]"] == pytest.approx(200 / 3)
    assert stats["Profit Factor"] == pytest.approx(5.0)
    assert stats["Expectancy [%]"] == pytest.approx(40 / 3)
    assert stats["Avg. Trade [%]"] == pytest.approx(100 * ((1.3 * 0.9 * 1.2) ** (1 / 3) - 1))
    assert stats["Best Trade [%]"] == pytest.approx(30.0)
    assert stats["Worst Trade [%]"] == pytest.approx(-10.0)
    pnl = [30.0, -10.0, 20.0]
    assert stats["SQN"] == pytest.approx(math.sqrt(3) * statistics.mean(pnl) / statistics.stdev(pnl))
    assert stats["Avg. Hold"] == 7200.0


def test_fees_slippage_and_turnover_are_those_of_the_fills() -> None:
    result = make_result(("A", "B"), count=900)
    stats = result.stats
    rows = result.fills.to_dicts()
    assert stats["Fees Paid"] == pytest.approx(math.fsum(row["fee"] for row in rows))
    assert stats["Slippage Paid"] == pytest.approx(math.fsum(row["slippage"] for row in rows))
    traded = math.fsum(row["price"] * row["quantity"] for row in rows)
    years = 900 * 4 * HOUR_NS / NANOSECONDS_PER_YEAR
    assert stats["Turnover (Ann.)"] == pytest.approx(traded / 2 / result.equity_curve.mean() / years)


def test_loss_in_the_first_bar_is_a_drawdown_from_the_deposit() -> None:
    stats = curve_result([80.0, 90.0]).stats
    assert stats["Max. Drawdown [%]"] == pytest.approx(-20.0)
    assert stats["Equity Peak"] == 100.0
    assert stats["Max. Drawdown Duration"] == 2 * DAY_NS / 1e9


def test_drawdown_that_never_recovers_lasts_to_the_end() -> None:
    stats = curve_result([120.0, 110.0, 115.0, 119.0]).stats
    assert stats["Max. Drawdown Duration"] == 3 * DAY_NS / 1e9


def test_annualisation_follows_the_spacing_of_the_samples() -> None:
    curve = 100.0 * np.cumprod(1.0 + np.random.default_rng(3).normal(0.001, 0.01, 500))
    hourly, daily = curve_result(curve, HOUR_NS).stats, curve_result(curve, DAY_NS).stats
    assert hourly["Sharpe Ratio"] == pytest.approx(daily["Sharpe Ratio"] * math.sqrt(24))
    assert hourly["Max. Drawdown Duration"] == daily["Max. Drawdown Duration"] / 24


@pytest.mark.parametrize(
    ("equity", "name", "reason"),
    [
        ([100.0] * 9, "Sharpe Ratio", "returns do not vary"),
        ([100.0 * 1.01**i for i in range(1, 40)], "Sharpe Ratio", "returns do not vary"),
        ([100.0 * 1.01**i for i in range(1, 40)], "Sortino Ratio", "no losing returns"),
        ([100.0] * 9, "Calmar Ratio", "no drawdown"),
        ([101.0], "Sharpe Ratio", "fewer than two returns"),
        ([101.0], "Volatility (Ann.) [%]", "fewer than two returns"),
        ([], "CAGR [%]", "the run spans no time"),
        ([], "Exposure Time [%]", "no samples"),
        ([50.0, 0.0, 0.0], "CAGR [%]", "equity was not positive at 2024-01-03T00:00:00Z"),
        ([50.0, -5.0, -5.0], "Sharpe Ratio", "equity was not positive at 2024-01-03T00:00:00Z"),
        ([50.0, -5.0, -5.0], "Sortino Ratio", "equity was not positive at 2024-01-03T00:00:00Z"),
        ([50.0, -5.0, -5.0], "Calmar Ratio", "equity was not positive at 2024-01-03T00:00:00Z"),
        ([-90.0, -90.0], "Turnover (Ann.)", "mean equity is not positive"),
        ([1e290], "CAGR [%]", "too large to represent"),
        ([100.0] * 3, "Win Rate [%]", "no trades"),
        ([100.0] * 3, "Buy & Hold Return [%]", "buy and hold was not run"),
    ],
)
def test_undefined_statistic_has_no_value_and_says_why(equity: list[float], name: str, reason: str) -> None:
    stats = curve_result(equity).stats
    assert stats[name] is None
    assert stats.undefined[name] == reason


@pytest.mark.parametrize(
    ("trades", "name", "reason"),
    [
        ([(1.0, 0.1, False)], "Win Rate [%]", "no closed trades (1 open)"),
        ([(1.0, 0.1, True)], "Profit Factor", "no losing trades"),
        ([(1.0, 0.1, True)], "SQN", "fewer than two closed trades"),
        ([(1.0, 0.1, True)] * 3, "SQN", "profits do not vary"),
        ([(-9.0, -1.2, True)], "Avg. Trade [%]", "a trade lost its whole entry value, so there is no geometric mean"),
    ],
)
def test_undefined_trade_statistic_says_why(trades: list[tuple[float, float, bool]], name: str, reason: str) -> None:
    stats = curve_result([100.0, 101.0], trades=make_trades(*trades)).stats
    assert stats[name] is None
    assert stats.undefined[name] == reason


def test_ruined_curve_still_has_its_return_and_drawdown() -> None:
    stats = curve_result([150.0, -30.0, -30.0]).stats
    assert stats["Return [%]"] == pytest.approx(-130.0)
    assert stats["Max. Drawdown [%]"] == pytest.approx(-120.0)


def test_equity_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(EngineError, match="not a finite number"):
        Stats.of(curve_result([100.0, float("nan"), 101.0]))


@given(curves)
def test_drawdown_lies_between_minus_100_and_0(equity: list[float]) -> None:
    depth = curve_result(equity).stats["Max. Drawdown [%]"]
    assert isinstance(depth, float)
    assert -100.0 <= depth <= 0.0


@given(curves, st.integers(min_value=-20, max_value=20))
def test_statistics_do_not_depend_on_the_size_of_the_account(equity: list[float], exponent: int) -> None:
    factor = 2.0**exponent  # a power of two scales without rounding, so equality can be exact
    one = curve_result(equity).stats
    other = curve_result(np.asarray(equity) * factor, cash=100.0 * factor).stats
    for name in CURVE_NAMES:
        if BY_NAME[name].unit != "money":
            assert one[name] == other[name], name


@given(curves)
def test_rising_without_a_fall_means_no_drawdown(equity: list[float]) -> None:
    stats = curve_result(100.0 + np.cumsum(equity)).stats
    assert stats["Max. Drawdown [%]"] == 0.0
    assert stats["Max. Drawdown Duration"] == 0.0
    assert stats.undefined["Calmar Ratio"] in ("no drawdown", "too large to represent")


@settings(max_examples=40)
@given(
    st.integers(min_value=1, max_value=3 * BLOCK),
    st.floats(min_value=-2e-3, max_value=2e-3),
    st.integers(min_value=0, max_value=1_000),
)
def test_measuring_in_blocks_equals_measuring_at_once(count: int, drift: float, seed: int) -> None:
    curve = 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(drift, 0.01, count)))
    times = np.arange(1, count + 1, dtype=np.int64) * MINUTE_NS
    facts = measure(100.0, times, curve)
    whole = np.concatenate([[100.0], curve])
    returns = whole[1:] / whole[:-1] - 1.0
    peaks = np.maximum.accumulate(whole)
    assert facts.return_mean == pytest.approx(returns.mean(), rel=1e-9, abs=1e-15)
    if count > 1:
        assert facts.return_deviation == pytest.approx(returns.std(ddof=1), rel=1e-9)
    assert facts.downside_deviation == pytest.approx(math.sqrt(np.square(np.minimum(returns, 0)).mean()), rel=1e-9)
    assert facts.drawdown == pytest.approx((whole / peaks - 1.0).min(), abs=1e-15)
    assert facts.peak == whole.max()
    at_peak = np.flatnonzero(whole == peaks)
    gaps = [int(b - a) for a, b in pairwise(at_peak) if b - a > 1]
    gaps += [count - int(at_peak[-1])]
    assert facts.underwater_ns == max(gaps) * MINUTE_NS


def test_deepest_fall_and_longest_dive_are_found_across_blocks() -> None:
    curve = np.full(5 * BLOCK, 90.0)
    curve[BLOCK + 7] = 40.0  # the deepest fall, in a block that is wholly under water
    curve[3 * BLOCK + 5] = 101.0  # a new peak, three blocks later, ends the dive
    curve[3 * BLOCK + 6 :] = 95.0
    facts = measure(100.0, np.arange(1, len(curve) + 1, dtype=np.int64), curve)
    assert facts.drawdown == pytest.approx(-0.6)
    assert facts.underwater_ns == 3 * BLOCK + 6
    assert facts.peak == 101.0


def test_every_definition_has_a_value_or_a_reason_and_one_group() -> None:
    stats = make_result(("A", "B"), count=500).stats
    assert list(stats) == [definition.name for definition in DEFINITIONS]
    for name, value in stats.items():
        assert (value is None) == (name in stats.undefined)
        assert value is None or not isinstance(value, float) or math.isfinite(value)
    grouped = [name for _, names in GROUPS for name in names]
    assert sorted(grouped) == sorted(stats)
    assert tuple(stats.benchmark) and set(stats.benchmark) == set(CURVE_NAMES)


def test_buy_and_hold_is_measured_like_the_strategy() -> None:
    result = make_result(count=700)
    assert result.benchmark_curve is not None
    alone = curve_result(result.benchmark_curve, 4 * HOUR_NS, cash=10_000.0).stats
    assert result.stats.benchmark == {name: alone[name] for name in CURVE_NAMES}
    assert result.stats["Buy & Hold Return [%]"] == alone["Return [%]"]


def test_statistics_print_values_reasons_and_formulas() -> None:
    stats = curve_result([101.0, 99.0], benchmark=[100.0, 102.0]).stats
    text = str(stats)
    assert "Sharpe Ratio" in text and "(no trades)" in text
    assert all(len(line) <= 110 for line in text.splitlines())
    html = stats._repr_html_()
    assert "Buy &amp; Hold Return [%]" in html and html.count("<tr") == len(stats) + 1
    assert stats.explain("Win Rate [%]").endswith("n/a: no trades")
    assert "sqrt(P)" in stats.explain("Sharpe Ratio")


def test_rich_table_holds_every_statistic() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(curve_result([101.0, 99.0]).stats)
    text = console.export_text()
    assert all(name in text for name in BY_NAME)


class TestAgainstEmpyrical:
    """empyrical-reloaded computes the same statistics from returns; where definitions agree, so must the values."""

    @pytest.fixture
    def oracle(self):  # type: ignore[no-untyped-def]
        return pytest.importorskip("empyrical", reason="empyrical-reloaded is not installed; it is the oracle here")

    @pytest.mark.parametrize("seed", range(6))
    def test_curve_statistics_agree(self, oracle, seed: int) -> None:  # type: ignore[no-untyped-def]
        rng = np.random.default_rng(seed)
        count = int(rng.integers(50, 3_000))
        interval = int(rng.choice([MINUTE_NS, HOUR_NS, DAY_NS]))
        curve = 1_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.003, count)))
        stats = curve_result(curve, interval, cash=1_000.0).stats
        returns = np.diff(np.concatenate([[1_000.0], curve])) / np.concatenate([[1_000.0], curve[:-1]])
        periods = NANOSECONDS_PER_YEAR / interval
        assert stats["Sharpe Ratio"] == pytest.approx(oracle.sharpe_ratio(returns, annualization=periods))
        assert stats["Sortino Ratio"] == pytest.approx(oracle.sortino_ratio(returns, annualization=periods))
        volatility = oracle.annual_volatility(returns, annualization=periods)
        assert stats["Volatility (Ann.) [%]"] == pytest.approx(100 * volatility)
        assert stats["Max. Drawdown [%]"] == pytest.approx(100 * oracle.max_drawdown(returns))
        growth = oracle.cagr(returns, annualization=periods)
        if abs(growth) < 1e6:
            assert stats["CAGR [%]"] == pytest.approx(100 * growth, rel=1e-6)
            assert stats["Calmar Ratio"] == pytest.approx(oracle.calmar_ratio(returns, annualization=periods), rel=1e-6)


def test_million_samples_are_measured_in_milliseconds() -> None:
    import time

    result = make_result(count=1_000_000, interval_ns=MINUTE_NS)
    fastest = math.inf
    for _ in range(5):
        begin = time.perf_counter()
        Stats.of(result)
        fastest = min(fastest, time.perf_counter() - begin)
    # About 7 ms with buy and hold and 22,000 trades; the bound leaves room for a busy machine.
    assert fastest < 0.1
