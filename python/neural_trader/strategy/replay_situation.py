"""What instruments of a replay look like at a moment, from what has arrived here: how memories of replays compare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from neural_trader._native import FeatureRunner
from neural_trader.strategy.situation import SPANS, bar_features

if TYPE_CHECKING:
    from neural_trader._native import Replay
    from neural_trader.market.bars import Bars

_FIELDS = ("high", "low", "close")
_FEATURES = (
    *(("momentum", (float(span), 0.0), "close") for span in SPANS),
    ("volatility", (20.0,), "close"),
    ("volatility", (100.0,), "close"),
    ("sma", (20.0,), "close"),
    ("deviation", (20.0,), "close"),
    ("highest", (20.0,), "high"),
    ("lowest", (20.0,), "low"),
    ("rsi", (14.0,), "close"),
)


class ReplaySituation:
    """The situation of each book; of instruments that come as bars that of backtests (:mod:`.situation`).

    Of a book, with the quantities ``b`` and ``a`` of its best bid and ask and a volatility of changes of the middle
    from second to second (exponential, 30 seconds, at least an eighth of a tick):

    * ``micro``: the middle weighted by quantities less the plain one, in ticks: ``spread / 2 * (b - a) / (b + a)``;
    * ``spread``: in ticks; ``lean``: ``(b - a) / (b + a)`` of the sums of five levels;
    * ``move_1s``, ``move_5s``, ``move_30s``: move of the middle since the last close but n of a second, by what n
      seconds of the volatility give; ``heat``: the volatility by that of 300 seconds;
    * ``flow_5s``, ``flow_60s``: what buyers took less what sellers did, by both together; older trades fade.

    What is not known, such as moves of the first half minute, is not a number. After 300 seconds of silence everything
    begins anew. The middle is looked at behind each whole message, by the clock of what has arrived here.
    """

    def __init__(self, replay: Replay, symbols: Sequence[str], bars: Mapping[str, Bars]) -> None:
        """``replay`` has not begun; ``bars`` are those of the symbols that have some."""
        replay.keep_tapes()
        self._replay = replay
        self._ranks = {symbol: rank for rank, symbol in enumerate(symbols)}
        self._bars = {symbol: _SeenBars(replay, self._ranks[symbol], each) for symbol, each in bars.items()}

    def features(self, symbol: str) -> dict[str, float]:
        """Numbers without a unit; NaN where one is not known yet."""
        bars = self._bars.get(symbol)
        return dict(self._replay.seen(self._ranks[symbol])) if bars is None else bars.features()

    def news(self, symbol: str) -> tuple[float, float, Sequence[float]]:
        """Highest and lowest price since the last time, and the closes of bars, or of seconds."""
        bars = self._bars.get(symbol)
        return self._replay.take_range(self._ranks[symbol]) if bars is None else bars.news()


class _SeenBars:
    """The bars of one instrument that have arrived, of which features are made when they are asked for."""

    def __init__(self, replay: Replay, rank: int, bars: Bars) -> None:
        self._replay, self._rank = replay, rank
        self._columns = [bars.tick.value_of(getattr(bars, name)).tolist() for name in _FIELDS]
        self._runner = FeatureRunner([(name, given, [_FIELDS.index(field)]) for name, given, field in _FEATURES])
        self._count = 0
        self._told = 0
        self._values = [math.nan] * len(_FEATURES)

    def features(self) -> dict[str, float]:
        known = self._replay.bars_known(self._rank)
        for at in range(self._count, known):
            self._values = self._runner.update(tuple(column[at] for column in self._columns)).tolist()
        self._count = max(self._count, known)
        price = self._columns[-1][known - 1] if known else math.nan
        return bar_features(price, self._values[: len(SPANS)], *self._values[len(SPANS) :])

    def news(self) -> tuple[float, float, Sequence[float]]:
        known = self._replay.bars_known(self._rank)
        high, low, close = (column[self._told : known] for column in self._columns)
        self._told = known
        return max(high, default=math.nan), min(low, default=math.nan), close
