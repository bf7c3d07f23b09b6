"""Fee rates by what was traded in the thirty days before (docs/fill-rules.md section 11)."""

from __future__ import annotations

from collections import defaultdict

from neural_trader.baseline.arithmetic import money
from neural_trader.baseline.orders import DAY_NS
from neural_trader.baseline.terms import Tier

DAYS = 30


class Tiers:
    """The traded notional of each day, and the tier that it leads to."""

    def __init__(self, tiers: list[Tier], start: int) -> None:
        self._tiers = tiers
        self._start = start
        self._traded: dict[int, int] = defaultdict(int)

    def at(self, time_ns: int) -> Tier:
        """The tier of a day: by the days before it, and never below the one that the run begins with."""
        day = time_ns // DAY_NS
        volume = sum(self._traded.get(earlier, 0) for earlier in range(day - DAYS, day))
        reached = max(index for index, tier in enumerate(self._tiers) if tier.volume <= volume)
        return self._tiers[max(reached, self._start)]

    def count(self, time_ns: int, notional: int) -> None:
        day = time_ns // DAY_NS
        self._traded[day] = money(self._traded[day] + notional, "traded volume")
