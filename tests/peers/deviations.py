"""What may differ between a package that counts in floats and our exact engine, and proof that it is no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from peers.markets import BAR_NS, Job

if TYPE_CHECKING:
    import neural_trader as nt

TOLERANCE = 1e-9
FLOAT_NOISE = Fraction(1, 10**12)
"""How far from a boundary the rounding of floats can still decide: far more than theirs, far less than chance."""

FIXED_PART = "fixed commission of a part"
RUIN = "ruin"
BOUNDARY = "floats at a boundary"


@dataclass
class Comparison:
    """The named deviations of one job, and what none of them explains."""

    named: set[str] = field(default_factory=set)
    unexplained: str | None = None


def close_to(theirs: float, ours: float) -> bool:
    """Equal up to the rounding of floats."""
    return abs(theirs - ours) <= TOLERANCE * max(1.0, abs(theirs), abs(ours))


def compare(job: Job, theirs: dict[str, Any], ours: dict[str, Any], result: nt.Result) -> Comparison:
    """Every trade and every equity of a job of backtesting.py."""
    comparison = Comparison()
    bars = len(job["open"])
    if theirs["error"]:
        comparison.unexplained = theirs["error"]
        return comparison
    parted = _first_parted_bar(theirs, ours)
    if result.engine.halted:
        ruin = next(index for index, equity in enumerate(ours["equity"]) if equity <= 0)
        if parted is None or parted >= ruin:
            comparison.named.add(RUIN)
            theirs = _without_skipped_exits(theirs, ours, ruin)
            parted = _first_parted_bar(theirs, ours)
    if parted is not None:
        if not _is_at_a_boundary(job, result, parted):
            comparison.unexplained = f"fills part in bar {parted}"
            return comparison
        comparison.named.add(BOUNDARY)
        # A fill at the close of the bar before is charged there.
        bars = parted - 1
    _compare_trades(job, theirs, ours, bars, comparison)
    for index in range(bars):
        equity, mine = theirs["equity"][index], ours["equity"][index]
        if equity is None or close_to(equity, mine):
            continue
        if not (RUIN in comparison.named and equity == 0 and mine <= 0):
            comparison.unexplained = f"equity in bar {index}: theirs {equity}, ours {mine}"
            return comparison
    return comparison


def _compare_trades(job: Job, theirs: dict[str, Any], ours: dict[str, Any], bars: int, comparison: Comparison) -> None:
    """Closed trades in the order of their exits, then open ones, as far as both sides still walk together."""
    cut = bars < len(job["open"])
    for kind in ("closed", "open"):
        left, right = ([t for t in side[kind] if not cut or max(t[1:3]) < bars] for side in (theirs, ours))
        if kind == "open" and cut:
            continue
        if len(left) != len(right):
            comparison.unexplained = f"{len(left)} {kind} trades, ours {len(right)}"
            return
        for trade, mine in zip(left, right, strict=True):
            if not all(map(close_to, trade[:5], mine[:5])):
                comparison.unexplained = f"{kind} trade {trade}, ours {mine}"
                return
            if kind == "closed" and not close_to(trade[5], mine[5]):
                if not _counts_the_fixed_part_again(job, trade, mine):
                    comparison.unexplained = f"gain of {trade}, ours {mine}"
                    return
                comparison.named.add(FIXED_PART)


def _counts_the_fixed_part_again(job: Job, trade: list[Any], mine: list[Any]) -> bool:
    """Their entry commission of a part of a trade holds the whole fixed amount; ours holds its share."""
    size, _, _, entry, leave, gain = trade
    fixed, rate = job["fixed"] / 100, job["rate"] / 10_000
    formula = size * (leave - entry) - 2 * fixed - rate * abs(size) * (entry + leave)
    return close_to(formula, gain) and 0 < mine[5] - gain < fixed


def _first_parted_bar(theirs: dict[str, Any], ours: dict[str, Any]) -> int | None:
    """The first bar in which one side filled what the other did not."""
    left, right = (_fills(side) for side in (theirs, ours))
    return min((key[0] for key in left.keys() | right.keys() if left[key] != right[key]), default=None)


def _fills(side: dict[str, Any]) -> Counter[tuple[int, int, int]]:
    """Units entered by bar, price and direction, and exits piece by piece with their signed sizes."""
    fills: Counter[tuple[int, int, int]] = Counter()
    for size, start, end, entry, leave, _ in side["closed"]:
        fills[start, round(entry * 100), 1 if size > 0 else -1] += abs(size)
        fills[end, round(leave * 100), -2 * size] += 1
    for size, start, entry in side["open"]:
        fills[start, round(entry * 100), 1 if size > 0 else -1] += abs(size)
    return fills


def _without_skipped_exits(theirs: dict[str, Any], ours: dict[str, Any], ruin: int) -> dict[str, Any]:
    """In ruin the package walks along the list that it closes from, and every second trade stays open: close it."""
    last = [trade for trade in ours["closed"] if trade[2] == ruin]
    for count in range(len(last), -1, -1):
        closed, skipped = last[len(last) - count :][::2], last[len(last) - count :][1::2]
        kept = len(ours["closed"]) - count
        same = len(theirs["closed"]) == kept + len(closed) and len(theirs["open"]) == len(skipped)
        pairs = zip(theirs["open"], skipped, strict=False)
        if same and all(close_to(a, b) for trade, mine in pairs for a, b in zip(trade, _entry_of(mine), strict=True)):
            restored = theirs["closed"][:kept]
            for at in range(count):
                restored.append(theirs["closed"][kept + at // 2] if at % 2 == 0 else skipped[at // 2])
            return theirs | {"closed": restored, "open": []}
    return theirs


def _entry_of(trade: list[Any]) -> list[Any]:
    return [trade[0], trade[1], trade[3]]


def _is_at_a_boundary(job: Job, result: nt.Result, bar: int) -> bool:
    """Whether an order of a bar was sized or judged so close to a whole unit that floats may say otherwise."""
    fills, orders = result.engine.fills, result.engine.orders
    unit, rate, fixed = 10 ** job["lot"], Fraction(job["rate"], 10_000), Fraction(job["fixed"], 100)
    leverage = round(1 / job["margin"])
    actions = [action for index in sorted(job["program"], key=int) for action in job["program"][index]]
    requests = [action for action in actions if "side" in action]
    cash, position = Fraction(job["cash"], 100), 0
    states = []
    for at, time_ns in enumerate(fills["time_ns"]):
        # The last order may have filled at the close before the bar in which it was worked off.
        if time_ns // BAR_NS > bar + 1:
            break
        states.append((cash, position))
        signed = fills["side"][at] * fills["quantity"][at] // unit
        cash -= signed * Fraction(fills["price"][at], 100) + Fraction(fills["fee"][at], 10**18)
        position += signed
    states.append((cash, position))
    sent = [at for at in range(len(orders["id"])) if orders["parent"][at] == 0]
    for at, request in zip(sent, requests, strict=False):
        for close in {job["close"][bar], job["close"][min(bar + 1, len(job["close"]) - 1)]}:
            for price in _prices(job, orders, at, bar):
                for cash, position in states:
                    mark = Fraction(close, 100)
                    power = (cash + position * mark) * leverage - abs(position) * mark
                    if power > 0 and _is_near(request, price, power, position, rate, fixed):
                        return True
    return False


def _prices(job: Job, orders: dict[str, list[int]], at: int, bar: int) -> set[Fraction]:
    """Where an order may have filled."""
    given = {orders["limit"][at], orders["stop"][at], job["open"][bar], job["close"][bar - 1], job["close"][bar]}
    return {Fraction(ticks, 100) for ticks in given if ticks}


def _is_near(
    request: dict[str, Any], price: Fraction, power: Fraction, position: int, rate: Fraction, fixed: Fraction
) -> bool:
    if "units" in request:
        cost = price * (1 + rate) + fixed / request["units"]
        wanted = {request["units"], abs(request["units"] - abs(position))} - {0}
        return any(abs(units * cost / power - 1) < FLOAT_NOISE for units in wanted)
    fraction = Fraction(request.get("fraction", 1000), 1000)
    units = power * fraction / (price * (1 + rate) + fixed / fraction)
    return units > 0 and abs(units - round(units)) < FLOAT_NOISE * units
