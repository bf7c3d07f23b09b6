"""A run as a portfolio: its exposure, how it moved with its instruments, what would hurt it, what earned and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neural_trader.report.holdings import holdings_of
from neural_trader.report.outcome import initial_cash
from neural_trader.risk.loss import Loss, drawn_loss
from neural_trader.risk.stress import correlations, stress

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.report.holdings import Holdings
    from neural_trader.report.outcome import Floats, Outcome

FEWEST_DAYS = 30
"""Days below which neither correlations nor scenarios say anything."""
CONFIDENCES = (0.95, 0.99)
DRAWS = 20_000
EXITS = {
    None: "end",
    "market": "signal",
    "limit": "target",
    "stop": "stop",
    "stop_limit": "stop",
    "trailing_stop": "trailing stop",
    "market_if_touched": "target",
}
"""What closed a trade, by the kind of its order; without an order it was the end of the data, or ruin."""


class Spread(NamedTuple):
    """A fraction of equity over the days of a run, %."""

    mean: float
    largest: float
    last: float


class Related(NamedTuple):
    """How one instrument moved with the others and with the run, day by day."""

    symbol: str
    strategy: float | None
    """Correlation of its returns with those of the run; None where either does not vary."""
    beta: float | None
    """Of the run to it: what the run gained on average with one percent of the instrument."""
    others: list[float | None]
    """Correlations with all instruments, in their order."""


class Shock(NamedTuple):
    """What a scenario loses with the holdings of each day, % of equity: on average, and where it hits most."""

    scenario: str
    mean: float
    largest: float
    since: str | None
    """The first day of what it repeats, where it repeats anything."""


class Earned(NamedTuple):
    """Trades of one side that were closed in one way, or are open."""

    side: str
    exit: str
    trades: int
    wins: int
    pnl: float


class Cost(NamedTuple):
    """What was traded of one instrument, and what that cost."""

    symbol: str
    traded: float
    fees: float
    slippage: float


class Portfolio(NamedTuple):
    """The run as a portfolio over days."""

    exposure: dict[str, Spread]
    """Gross, net, long and short, % of equity; empty where holdings are not known."""
    effective: float | None
    """How many equal positions would be as concentrated, on average over the days on which there are any."""
    related: list[Related]
    shocks: list[Shock]
    drawn: dict[float, Loss]
    """What a day loses by confidence, with holdings and returns drawn apart, fractions of equity."""
    signals: list[Earned]
    costs: list[Cost]
    gross: float
    """What trades earned before fees and slippage."""

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON; docs/result-schema.md describes them."""
        return {
            "exposure": {name: spread._asdict() for name, spread in self.exposure.items()},
            "effective": self.effective,
            "related": [each._asdict() for each in self.related],
            "stress": [each._asdict() for each in self.shocks],
            "signals": [each._asdict() for each in self.signals],
            "costs": [each._asdict() for each in self.costs],
            "gross": self.gross,
        }


def portfolio_of(result: Outcome) -> Portfolio | None:
    """The portfolio of a run over bars; None for a replay."""
    if "latency" in result.run:
        return None
    held = holdings_of(result)
    costs = _costs(result)
    pnl = float(result.trades["pnl"].cast(float).sum())
    exposure, effective = ({}, None) if held is None else _exposure(held)
    related, shocks, drawn = ([], [], {}) if held is None else _over_days(result, held)
    gross = pnl + sum(each.fees + each.slippage for each in costs)
    return Portfolio(exposure, effective, related, shocks, drawn, _signals(result), costs, gross)


def _exposure(held: Holdings) -> tuple[dict[str, Spread], float | None]:
    weights = held.weights[np.isfinite(held.weights).all(axis=1)]
    if not len(weights):
        return {}, None
    long, short = np.maximum(weights, 0.0).sum(axis=1), np.maximum(-weights, 0.0).sum(axis=1)
    gross = long + short
    by_name = {"gross": gross, "net": long - short, "long": long, "short": short}
    exposed = gross > 0.0
    squares = np.square(weights[exposed]).sum(axis=1)
    effective = float((np.square(gross[exposed]) / squares).mean()) if exposed.any() else None
    return {
        name: Spread(*(100.0 * float(value) for value in (each.mean(), each[np.abs(each).argmax()], each[-1])))
        for name, each in by_name.items()
    }, effective


def _over_days(result: Outcome, held: Holdings) -> tuple[list[Related], list[Shock], dict[float, Loss]]:
    """Correlations, scenarios and drawn losses, over days on which all have a price and equity is above zero."""
    begins = np.append(initial_cash(result), held.equity[:-1])
    own = held.equity / np.where(begins > 0.0, begins, np.nan) - 1.0
    returns = held.prices[1:] / held.prices[:-1] - 1.0
    well = np.isfinite(returns).all(axis=1) & np.isfinite(own[1:]) & np.isfinite(held.weights[1:]).all(axis=1)
    if well.sum() < FEWEST_DAYS:
        return [], [], {}
    returns, own, weights, times = returns[well], own[1:][well], held.weights[1:][well], held.time_ns[1:][well]
    shocks = [
        Shock(
            each.scenario,
            100.0 * float(each.losses.mean()),
            100.0 * float(each.losses.max()),
            None if each.begin is None else _day(times[each.begin]),
        )
        for each in (stress(returns, weights) if weights.any() else ())
    ]
    drawn = {each: drawn_loss(returns, weights, confidence=each, draws=DRAWS) for each in CONFIDENCES}
    return _related(held.symbols, returns, own), shocks, drawn


def _day(time_ns: int) -> str:
    # The end of a day may be the midnight after it.
    return str(np.datetime64(int(time_ns) - 1, "ns").astype("datetime64[D]"))


def _related(symbols: list[str], returns: Floats, own: Floats) -> list[Related]:
    found = correlations(np.column_stack([returns, own]))
    deviations = np.append(returns.std(axis=0), own.std())

    def known(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return [
        Related(
            symbol,
            known(found[at, -1]),
            known(found[at, -1] * deviations[-1] / deviations[at]) if deviations[at] > 0.0 else None,
            [known(value) for value in found[at, :-1]],
        )
        for at, symbol in enumerate(symbols)
    ]


def _signals(result: Outcome) -> list[Earned]:
    """Results of trades by their side and by what closed them."""
    trades, orders = result.trades, result.orders
    if not trades.height:
        return []
    kinds = dict(zip(orders["id"].to_list(), orders["kind"].to_list(), strict=True))
    found: dict[tuple[str, str], tuple[int, int, float]] = {}
    columns = (trades[name].to_list() for name in ("side", "exit_time", "exit_order"))
    pnls = trades["pnl"].cast(float).to_list()
    for side, exit_time, exit_order, pnl in zip(*columns, pnls, strict=True):
        left = "open" if exit_time is None else EXITS[kinds.get(exit_order)]
        count, wins, total = found.get((side, left), (0, 0, 0.0))
        found[side, left] = count + 1, wins + (pnl > 0.0), total + pnl
    return [Earned(side, left, *sums) for (side, left), sums in sorted(found.items())]


def _costs(result: Outcome) -> list[Cost]:
    """By instrument, in their order."""
    fills: pl.DataFrame = result.fills
    traded = fills["quantity"].cast(float).to_numpy() * fills["price"].cast(float).to_numpy()
    if "notional" in fills.columns:
        traded = np.abs(fills["notional"].cast(float).to_numpy())
    fees, slippage = (fills[name].cast(float).to_numpy() for name in ("fee", "slippage"))
    symbols = fills["symbol"].cast(str).to_numpy()
    found = []
    for series in result.series:
        own = symbols == series.symbol
        found.append(Cost(series.symbol, *(float(column[own].sum()) for column in (traded, fees, slippage))))
    return found
