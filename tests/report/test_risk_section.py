"""The section on risk: losses of days, and what each instrument earned."""

from __future__ import annotations

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.report.html import render
from neural_trader.report.risk_section import risk_of
from report_sample import make_result


def test_losses_are_those_of_days_and_earnings_add_up() -> None:
    result = nt.backtest(data=nt.synthetic_bars(bars=2400, symbols=("ALPHA", "BRAVO")), close_at_end=True)
    found = risk_of(result)
    assert found is not None and found.days == 100
    curve = np.append(10_000.0, result.equity_curve[23::24])
    days = np.sort(curve[1:] / curve[:-1] - 1.0)
    historical = next(each for each in found.tails if (each.method, each.confidence) == ("historical", 0.95))
    assert historical.value_at_risk == pytest.approx(-100.0 * days[4])
    assert historical.expected_shortfall == pytest.approx(-100.0 * days[:5].mean())
    assert sum(each.pnl for each in found.instruments) == pytest.approx(result.equity_curve[-1] - 10_000.0)
    assert sum(each.fees for each in found.instruments) == pytest.approx(result.stats["Fees Paid"])
    assert [each.symbol for each in found.instruments] == ["ALPHA", "BRAVO"]
    assert result.to_dict()["risk"] == found.document()


def test_a_short_run_has_no_bad_days() -> None:
    found = risk_of(nt.backtest(data=nt.synthetic_bars(bars=300, symbols=("ALPHA",))))
    assert found is not None and found.tails == [] and found.days == 13


def test_the_page_has_both_tables() -> None:
    page = render(make_result(("A", "B"), count=900))  # type: ignore[arg-type]
    assert "Risk of a day" in page and "By instrument" in page
