"""What a result is worth: verdicts, sentences, intervals, and how the reports show them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.honesty.assessment import VERDICTS, Assessment, Evidence
from neural_trader.honesty.checks import Counted, LookAhead
from neural_trader.honesty.sharpe import Moments
from neural_trader.honesty.trials import Search
from neural_trader.market.recordings import synthetic_recording
from neural_trader.report.html import render
from neural_trader.report.worth import STEPS, steps
from neural_trader.report.worth_section import lines
from report_sample import make_result


def counted(trials: int, variance: float = 0.3) -> Counted:
    return Counted("trials.sqlite", Search(trials, variance), is_new=True, of_project=True)


def evidence(sharpe: float = 1.0, years: float = 3.0, **more: object) -> Evidence:
    """Three years of days with a Sharpe ratio a year."""
    count = int(365.25 * years)
    rng = np.random.default_rng(7)
    noise = rng.normal(0.0, 0.01, count)
    noise = (noise - noise.mean()) / noise.std(ddof=1) * 0.01
    returns = noise + sharpe / math.sqrt(365.25) * 0.01
    curve = 100.0 * np.cumprod(np.append(1.0, 1.0 + returns))
    terms = {
        "moments": Moments.of(returns),
        "periods_per_year": count / years,
        "years": years,
        "steps": curve,
        "gains": rng.normal(0.2, 2.0, 60),
        "trade_returns": rng.normal(0.002, 0.02, 60),
        "counted": counted(1),
        "look_ahead": LookAhead((1, 2)),
        "warm_up": None,
    }
    return Evidence(**(terms | more))  # type: ignore[arg-type]


def test_verdicts_are_the_first_that_hold() -> None:
    bad = LookAhead((1,), changed="at 2024-01-01 buy 1 A becomes nothing")
    cases = {
        "invalid": evidence(look_ahead=bad),
        "undefined": evidence(moments=None),
        "no_edge": evidence(-0.5),
        "luck": evidence(1.0, counted=counted(12_400)),
        "distinct": evidence(2.5, counted=counted(10)),
    }
    found = {name: Assessment.of(each) for name, each in cases.items()}
    assert {name: each.verdict for name, each in found.items()} == {name: name for name in VERDICTS}
    assert Assessment.of(evidence(moments=None, look_ahead=bad)).verdict == "invalid"
    assert found["luck"].sentence.startswith("12,400 trials, deflated Sharpe 0.")
    assert found["luck"].sentence.endswith(": not distinguishable from luck.")
    assert "buy 1 A becomes nothing" in found["invalid"].sentence
    assert "if every trial was counted" in found["distinct"].sentence


def test_more_trials_are_less_evidence() -> None:
    found = [Assessment.of(evidence(1.5, counted=counted(trials))).deflated for trials in (1, 10, 100, 10_000)]
    assert found == sorted(found, reverse=True) and found[0] != found[-1]
    alone = Assessment.of(evidence(1.5))
    assert alone.deflated == alone.probabilistic and alone.expected_best == 0.0
    assert Assessment.of(evidence(1.5, counted=None)).sentence.startswith("Trials not counted, probabilistic Sharpe")


def test_a_probability_below_the_threshold_never_reads_as_if_it_reached_it() -> None:
    near = next(
        each
        for sharpe in np.arange(0.9, 1.0, 0.0005)
        if 0.945 <= ((each := Assessment.of(evidence(float(sharpe)))).deflated or 0.0) < 0.95
    )
    assert near.verdict == "luck" and "0.94" in near.sentence


def test_the_needed_record_is_the_length_at_which_it_is_believed() -> None:
    short = Assessment.of(evidence(1.0, 1.0))
    assert short.verdict == "luck" and short.years_needed is not None
    long = evidence(1.0, short.years_needed + 0.1)
    assert Assessment.of(long).probabilistic == pytest.approx(0.95, abs=0.01)
    assert Assessment.of(evidence(-1.0)).years_needed is None


def test_intervals_hold_the_figures_and_follow_from_the_result_alone() -> None:
    given = evidence(1.2)
    one, other = Assessment.of(given), Assessment.of(given)
    assert one.intervals == other.intervals
    sharpe, final = one.intervals["Sharpe Ratio"], one.intervals["Return [%]"]
    assert sharpe is not None and sharpe[0] < 1.2 < sharpe[1]
    # The error of a ratio of normal returns is about one over the root of the years.
    assert sharpe[1] - sharpe[0] == pytest.approx(2 * 1.96 / math.sqrt(3.0), rel=0.15)
    assert final is not None and final[0] < given.steps[-1] - 100.0 < final[1]
    wins = one.intervals["Win Rate [%]"]
    assert wins is not None and wins[0] < 100 * (given.gains > 0).mean() < wins[1]
    assert one.drawdown_orders is not None and one.drawdown_orders[1] < one.drawdown_orders[0] < 0.0


def test_what_is_too_little_to_resample_has_no_interval() -> None:
    few = Assessment.of(evidence(steps=np.array([100.0, 101.0]), gains=np.ones(3), trade_returns=np.ones(3)))
    assert set(few.intervals.values()) == {None} and few.drawdown_orders is None
    assert set(Assessment.of(evidence(steps=np.linspace(100.0, -1.0, 50))).intervals.values()) >= {None}


def test_a_long_curve_is_thinned_to_even_steps_whatever_its_blocks() -> None:
    result = make_result(("A",), count=40_000)
    found = steps(result)
    length = -(-40_000 // STEPS)
    assert found.tolist() == [float(result.run["cash"]), *result.equity_curve[length - 1 :: length].tolist()]


def test_a_backtest_has_an_assessment_and_a_replay_has_none() -> None:
    result = nt.backtest(data=nt.synthetic_bars(bars=400, symbols=("ALPHA",)))
    assert result.honesty is not None and result.honesty.verdict in VERDICTS
    assert result.to_dict()["honesty"]["trials"] is None
    replayed = nt.replay("avellaneda_stoikov", synthetic_recording(7, "1m"))
    assert replayed.honesty is None and "honesty" not in replayed.to_dict()


def test_page_and_terminal_say_the_verdict() -> None:
    result = make_result(("A",), count=900)
    assert result.honesty is not None
    page = render(result)  # type: ignore[arg-type]
    assert "What it is worth" in page and f'class="worth {result.honesty.verdict}"' in page
    said = list(lines(result.honesty))
    assert said[0] == result.honesty.sentence and said[1] == "look-ahead: checked at 1 time, none"
    assert all(len(line) <= 71 for line in said[1:])


def test_a_strategy_that_never_trades_is_undefined() -> None:
    class Idle(nt.Strategy):
        """Nothing."""

    found = nt.backtest(Idle, nt.synthetic_bars(bars=300, symbols=("ALPHA",))).honesty
    assert found is not None and found.verdict == "undefined" and found.deflated is None
    assert found.document()["sharpe"]["returns"] is None
