"""How good the models of queues are: small orders replayed where every order is known, and where only sums are.

In a feed that tells every order the place of ours is exact (``depth="orders"``). The same feed, told as levels and
trades, leaves it to a model. What a model makes of the same orders is laid beside what became of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import Replay
from neural_trader.errors import DataError
from neural_trader.market.order_flow import collapsed
from neural_trader.market.times import interval_ns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MODELS = (
    "risk_averse",
    "power:1",
    "power:2",
    "power:3",
    "power_2:2",
    "power_2:3",
    "power_3:2",
    "power_3:3",
    "log",
    "log_2",
)
"""With the power 1 the three that have one are the same."""
MOMENTS = (0.1, 0.25, 0.5, 0.75)
"""When places in queues are compared, in parts of the horizon."""
SIDES = (1, -1)
CASH = 10**33
NEVER = -1


@dataclass(frozen=True)
class Probes:
    """Orders of one lot, placed two at a time: when (nanoseconds), and at which prices (ticks, 0 for none)."""

    times_ns: NDArray[np.int64]
    prices: NDArray[np.int64]
    """A row for each time, bid and ask."""


@dataclass(frozen=True)
class Fates:
    """What became of probes, in rows as their prices are."""

    filled_ns: NDArray[np.int64]
    """How long it took, -1 for those that did not fill within the horizon."""
    ahead: NDArray[np.float64]
    """Lots before each when it came to rest and at each of MOMENTS, the last axis; nan where it did not rest."""


@dataclass(frozen=True)
class Judged:
    """A model beside the truth."""

    queue: str
    probes: int
    filled: float
    """The share of probes that fill by the model."""
    truly_filled: float
    brier: float
    """Mean square of forecast less truth. A replay forecasts with certainty, so this is the share that it got wrong."""
    imagined: float
    """The share of all that it fills and that did not fill."""
    missed: float
    """The share of all that it does not fill and that did."""
    time_error_s: float
    """Median of the absolute error of the time to the fill, of those that fill in both."""
    mean_time_error_s: float
    """Its mean."""
    ahead_error: float
    """Mean absolute error of the lots before a probe, over all moments at which it rests in both."""
    ahead_bias: float
    """The mean of the same error with its sign: above 0 it takes us for further back than we are."""


def probes_in(records: Any, *, horizon: str = "10s", away: int = 3, seed: int = 7) -> Probes:
    """Probes for the orders of a feed: one after the other, each 0 to ``away`` ticks from the best price of its side.

    ``records`` are those of one instrument, with the dtype ``EVENT``. A probe works for the horizon; the next one comes
    a fifth of it later.
    """
    random = np.random.default_rng(seed)
    horizon_ns = interval_ns_of(horizon)
    first_ns, last_ns = int(records["ts_recv_ns"][0]), int(records["ts_recv_ns"][-1])
    times_ns = np.arange(first_ns + horizon_ns, last_ns - horizon_ns, horizon_ns + horizon_ns // 5, dtype=np.int64)
    if not len(times_ns):
        raise DataError(f"the records last for less than three times {horizon}; give more, or a shorter horizon")
    prices = np.zeros((len(times_ns), 2), np.int64)
    probes = Probes(times_ns, prices)
    _run(records, "orders", "risk_averse", _Look(probes, random.integers(0, away + 1, prices.shape)))
    return probes


def fates_of(probes: Probes, records: Any, *, depth: str, queue: str = "risk_averse", horizon: str = "10s") -> Fates:
    """Replay probes: over single orders with ``depth="orders"``, else over levels and trades, with a queue model."""
    placed = _Place(probes, interval_ns_of(horizon))
    replay = _run(records, depth, queue, placed)
    filled_ns = np.full(probes.prices.shape, NEVER, np.int64)
    fills = replay.fills
    for order, time_ns in zip(fills["order"], fills["time_ns"], strict=True):
        row, column = placed.places[order - 1]
        filled_ns[row, column] = time_ns - probes.times_ns[row]
    return Fates(filled_ns, placed.ahead)


def judge_queue_models(
    records: Any, models: Sequence[str] = MODELS, *, horizon: str = "10s", away: int = 3, seed: int = 7
) -> list[Judged]:
    """Judge models of queues by a feed that tells every order of one instrument (dtype ``EVENT``).

    Raises:
        DataError: if the feed is too short, or cannot be one.
    """
    probes = probes_in(records, horizon=horizon, away=away, seed=seed)
    truth = fates_of(probes, records, depth="orders", horizon=horizon)
    levels = np.concatenate(list(collapsed([records])))
    return [
        judged(model, probes, truth, fates_of(probes, levels, depth="levels", queue=model, horizon=horizon))
        for model in models
    ]


def judged(model: str, probes: Probes, truth: Fates, found: Fates) -> Judged:
    """One model beside the truth."""
    real = probes.prices > 0
    fills, truly = (fates.filled_ns[real] != NEVER for fates in (found, truth))
    both = fills & truly
    seconds = np.abs(found.filled_ns[real] - truth.filled_ns[real])[both] / 1e9
    error = (found.ahead - truth.ahead)[real]
    error = error[~np.isnan(error)]
    return Judged(
        queue=model,
        probes=int(real.sum()),
        filled=float(fills.mean()),
        truly_filled=float(truly.mean()),
        brier=float((fills != truly).mean()),
        imagined=float((fills & ~truly).mean()),
        missed=float((truly & ~fills).mean()),
        time_error_s=float(np.median(seconds)) if len(seconds) else float("nan"),
        mean_time_error_s=float(seconds.mean()) if len(seconds) else float("nan"),
        ahead_error=float(np.abs(error).mean()) if len(error) else float("nan"),
        ahead_bias=float(error.mean()) if len(error) else float("nan"),
    )


def fitted(judgements: Iterable[Judged], by: str = "ahead_error") -> str:
    """The model whose error is least: ``ahead_error``, which every probe tells something about, or ``brier``."""
    return min(judgements, key=lambda judgement: float(getattr(judgement, by))).queue


def _run(records: Any, depth: str, queue: str, strategy: _Look) -> Replay:
    name, _, power = queue.partition(":")
    words = np.ascontiguousarray(records).view(np.int64)
    replay = Replay(
        [("A", (1, 0), (1, 0))],
        [(words, [0])],
        cash=CASH,
        leverage_ppb=10**18,
        queue=name,
        power=int(power or 1),
        depth=depth,
        sample_ns=3_600 * 10**9,
    )
    for time_ns in strategy.timers_ns():
        replay.timer(time_ns)
    replay.run(strategy)
    return replay


class _Look:
    """Notes prices at so many ticks from the best ones."""

    def __init__(self, probes: Probes, away: NDArray[np.int64]) -> None:
        self._probes, self._away = probes, away
        self._row = 0

    def timers_ns(self) -> list[int]:
        times_ns: list[int] = self._probes.times_ns.tolist()
        return times_ns

    def on_timer(self, replay: Replay, _time_ns: int) -> None:
        for column, side in enumerate(SIDES):
            best = replay.best(0, side)
            if best is not None:
                self._probes.prices[self._row, column] = max(0, best[0] - side * int(self._away[self._row, column]))
        self._row += 1

    def on_record(self, _replay: Replay, _source: int, _index: int) -> None:
        """Nothing is asked for."""

    def on_answer(self, _replay: Replay, _kind: str, _number: int) -> None:
        """Fills are read at the end."""


class _Place(_Look):
    """Places probes, asks for their places in queues, and takes back those that are left when the horizon is over."""

    def __init__(self, probes: Probes, horizon_ns: int) -> None:
        super().__init__(probes, probes.prices)
        self.places: list[tuple[int, int]] = []
        """Row and column of each order."""
        self.ahead = np.full((*probes.prices.shape, 1 + len(MOMENTS)), np.nan)
        # They are placed, and looked at for the first time at once; at the end they are cancelled.
        self._steps_ns = [0, 0, *(round(part * horizon_ns) for part in MOMENTS), horizon_ns]
        self._step = 0
        self._orders: list[int] = []

    def timers_ns(self) -> list[int]:
        return [time_ns + step_ns for time_ns in super().timers_ns() for step_ns in self._steps_ns]

    def on_timer(self, replay: Replay, _time_ns: int) -> None:
        if self._step == 0:
            self._orders = self._place(replay)
        elif self._step < len(self._steps_ns) - 1:
            for order in self._orders:
                ahead = replay.queue_ahead(order)
                self.ahead[(*self.places[order - 1], self._step - 1)] = np.nan if ahead is None else ahead
        else:
            for order in self._orders:
                replay.cancel(order)
            self._row += 1
        self._step = (self._step + 1) % len(self._steps_ns)

    def _place(self, replay: Replay) -> list[int]:
        orders = []
        for column, side in enumerate(SIDES):
            price = int(self._probes.prices[self._row, column])
            if price:
                orders.append(replay.submit(0, side, "limit", size=1, limit=price, post_only=True))
                self.places.append((self._row, column))
        return orders
