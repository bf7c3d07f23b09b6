"""A run as a portfolio: what was held agrees with cash and equity, and parts add up to the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.report.holdings import holdings_of
from neural_trader.report.html import render
from neural_trader.report.portfolio import portfolio_of
from neural_trader.report.portfolio_section import EXITS, SCENARIOS, portfolio_line
from neural_trader.report.terminal import print_result
from neural_trader.risk.stress import SCENARIOS as SHOCKS
from report_sample import curve_result, make_result


class Bracketed(nt.Strategy):
    """Buy now and then, with a stop and a target."""

    def on_bar(self, bar: Any) -> None:
        if self.bar_number % 7 == 0 and not self.position(bar.symbol):
            self.buy(fraction=0.2, symbol=bar.symbol, stop_loss=bar.close * 0.98, take_profit=bar.close * 1.02)

    bar_number = 0

    def on_moment(self, time_ns: int) -> None:
        self.bar_number += 1


@pytest.fixture(scope="module")
def markets() -> Any:
    return nt.synthetic_bars(7, ["BTC", "ETH", "SOL"], bars=2000)


@pytest.mark.parametrize("close_at_end", [False, True])
@pytest.mark.parametrize("fill", ["open", "close"])
def test_cash_and_holdings_are_the_equity_of_every_day(markets: Any, fill: str, close_at_end: bool) -> None:
    result = nt.backtest(
        "sma_cross",
        markets,
        parameters={"fast": 5, "slow": 20, "short": True},
        fill=fill,
        close_at_end=close_at_end,
        look_ahead=False,
    )
    held = holdings_of(result)
    assert held is not None
    ends = np.flatnonzero(np.isin(result.time_ns, held.time_ns))
    assert result.equity_curve[ends].tolist() == held.equity.tolist()
    # Cash from the ledger of fills alone: what is bought is paid with its fee, at the time of the day's last sample.
    fills = result.fills
    times = fills["time"].dt.timestamp("ns").to_numpy()
    signed = np.where((fills["side"] == "buy").to_numpy(), 1.0, -1.0) * fills["quantity"].to_numpy()
    paid = signed * fills["price"].to_numpy() + fills["fee"].to_numpy()
    # All orders are market orders: those at openings come after a sample at the same time.
    is_before = (lambda now: times <= now) if fill == "close" else (lambda now: times < now)
    for day, now in enumerate(held.time_ns.tolist()):
        done = is_before(now) if not (close_at_end and day == len(held.time_ns) - 1) else times <= now
        worth = held.weights[day] * held.equity[day]
        assert 10_000.0 - paid[done].sum() + worth.sum() == pytest.approx(held.equity[day], rel=1e-9)


def test_parts_add_up(markets: Any) -> None:
    result = nt.backtest(Bracketed, markets, look_ahead=False)
    found = portfolio_of(result)
    assert found is not None
    trades, stats = result.trades, result.stats
    assert sum(each.trades for each in found.signals) == trades.height
    assert sum(each.pnl for each in found.signals) == pytest.approx(trades["pnl"].sum())
    assert {each.exit for each in found.signals} >= {"stop", "target"}
    assert {each.side for each in found.signals} == {"long"}
    assert sum(each.fees for each in found.costs) == pytest.approx(stats["Fees Paid"])
    assert sum(each.slippage for each in found.costs) == pytest.approx(stats["Slippage Paid"])
    notional = (result.fills["quantity"] * result.fills["price"]).sum()
    assert sum(each.traded for each in found.costs) == pytest.approx(notional)
    assert found.gross == pytest.approx(trades["pnl"].sum() + stats["Fees Paid"] + stats["Slippage Paid"])
    exposure = found.exposure
    assert exposure["gross"].mean == pytest.approx(exposure["long"].mean) and exposure["short"].largest == 0.0
    assert 1.0 <= (found.effective or 0.0) <= 3.0
    document = result.to_dict()["risk"]
    assert document["stress"] == [each._asdict() for each in found.shocks] and document["gross"] == found.gross


def test_buy_and_hold_moves_with_its_instrument(markets: Any) -> None:
    class Hold(nt.Strategy):
        """Buy at the first bar."""

        def on_bar(self, bar: Any) -> None:
            if bar.symbol == "BTC" and not self.position("BTC"):
                self.buy(fraction=0.99, symbol="BTC")

    found = portfolio_of(nt.backtest(Hold, markets, look_ahead=False, fee=0, slippage=0))
    assert found is not None
    btc = found.related[0]
    assert (
        btc.symbol == "BTC"
        and btc.strategy == pytest.approx(1.0, abs=0.01)
        and btc.beta == pytest.approx(1.0, abs=0.02)
    )
    assert btc.others[0] == 1.0 and btc.others[1] == found.related[1].others[0]
    by_name = {each.scenario: each for each in found.shocks}
    assert by_name["all_fall"].largest == pytest.approx(0.2 * found.exposure["gross"].largest, rel=1e-9)
    assert by_name["covariance"].mean > 0.0 and by_name["worst_period"].since is not None


def test_a_short_run_a_replay_and_an_account_of_contracts_have_less_of_it(markets: Any) -> None:
    few = portfolio_of(nt.backtest("sma_cross", nt.synthetic_bars(7, ["BTC"], bars=100), look_ahead=False))
    assert few is not None and not few.shocks and not few.related and few.costs
    idle = portfolio_of(curve_result([100.0, 101.0]))  # type: ignore[arg-type]
    assert idle is not None and not portfolio_line(idle)
    account = {"instruments": {"BTC": {"kind": "linear"}}}
    contracts = nt.backtest("sma_cross", nt.synthetic_bars(7, ["BTC"], bars=900), account=account, look_ahead=False)
    found = portfolio_of(contracts)
    assert found is not None and not found.exposure and not found.shocks and found.costs[0].traded > 0.0
    assert "monte_carlo" not in {each["method"] for each in contracts.to_dict()["risk"]["tails"]}


def test_the_page_and_the_terminal_show_it(markets: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    assert list(SCENARIOS) == list(SHOCKS)
    page = render(make_result(("A", "B"), count=900))  # type: ignore[arg-type]
    for title in ("Exposure", "Stress", "Correlation", "By signal", "Turnover and costs"):
        assert f"<h2>{title}</h2>" in page
    assert "closed by signal" in EXITS.values() and "closed by signal" in page
    print_result(nt.backtest("sma_cross", markets, look_ahead=False), Console(width=80))  # type: ignore[arg-type]
    assert "risk     gross" in capsys.readouterr().out
