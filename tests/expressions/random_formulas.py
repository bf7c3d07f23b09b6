"""Random formulas that use every word of the language, with parameters and without."""

from __future__ import annotations

from random import Random
from typing import Any

import neural_trader as nt
from neural_trader.strategy.expressions import Formula, P, Series, Signal

SMOOTHED = ("ema", "rsi", "highest", "lowest")


class Draw:
    """One random formula; what it has drawn once it may use again, so that graphs share nodes."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.parameters: dict[str, P] = {}
        self.series: list[Series] = []
        self.signals: list[Signal] = []

    def formula(self) -> Formula:
        random = self.random
        roles: dict[str, Any] = {}
        if random.random() < 0.2:
            roles["target"] = self.number(2) if random.random() < 0.5 else self.signal(2).choose(0.4, -0.3)
            if random.random() < 0.5:
                roles["when"] = self.signal(2)
        else:
            sides = random.choice((("",), ("",), ("short_",), ("", "short_")))
            for side in sides:
                roles[f"{side}entry"] = self.signal(3)
                if random.random() < 0.8:
                    roles[f"{side}exit"] = self.signal(2)
            if random.random() < 0.5:
                roles["size"] = random.choice(
                    (nt.share, 0.3, nt.share * 2, self.number(1), nt.volatility_target(2.0, 3))
                )
        for role in random.choice(((), (), ("stop_loss",), ("stop_loss", "take_profit"), ("trail",), ("take_profit",))):
            roles[role] = random.choice((0.02, 0.2, nt.atr(self.window()), nt.close.ema(2) * 0.05, nt.high - nt.low))
        if roles.get("size") is not None and getattr(roles["size"], "dimension", "plain") != "plain":
            del roles["size"]
        if getattr(roles.get("target"), "dimension", "plain") != "plain":
            roles["target"] = roles["target"] / nt.close
        return Formula.of(**roles)

    def window(self) -> Any:
        value = self.random.choice((1, 2, 3, 5, 8))
        return value if self.random.random() < 0.5 else self.parameter(value)

    def parameter(self, value: float) -> P:
        name = f"{'wxyz'[len(self.parameters) % 4]}{'n' if isinstance(value, int) else 'f'}"
        return self.parameters.setdefault(name, P(name, value))

    def number(self, depth: int) -> Series:
        random = self.random
        if self.series and random.random() < 0.3:
            return random.choice(self.series)
        made = self._number(depth)
        self.series.append(made)
        return made

    def _number(self, depth: int) -> Series:
        random = self.random
        source = random.choice((nt.close, nt.close, nt.close, nt.open, nt.high, nt.low, nt.volume))
        if depth == 0:
            return random.choice((source, source.sma(self.window()), nt.atr(self.window()), self.parameter(0.5)))
        a = self.number(depth - 1)
        choice = random.randrange(13)
        if choice == 0:
            return a + random.choice((self.number(depth - 1), 1))
        if choice == 1:
            return a - random.choice((self.number(depth - 1), 1))
        if choice == 2:
            return a * random.choice((self.number(depth - 1), 1.02, self.parameter(0.5)))
        if choice == 3:
            return a / random.choice((self.number(depth - 1), 3))
        if choice == 4:
            return random.choice((-a, abs(a), a.sqrt()))
        if choice == 5:
            return random.choice((a.smaller, a.larger))(self.number(depth - 1))
        if choice == 6:
            return a.lag(random.choice((0, 1, 2, self.window())))
        if choice == 7:
            return self.signal(depth - 1).since()
        if choice == 8:
            return self.signal(depth - 1).choose(a, random.choice((self.number(depth - 1), 2)))
        if choice == 9:
            return getattr(a, random.choice(SMOOTHED[:1] + SMOOTHED[2:]))(self.window())
        if choice == 10:
            return source.sma(self.window())
        if choice == 11:
            return self._across(a, depth)
        return random.choice(
            (source.rsi(3), a.momentum(3, 1), a.volatility(4), a.deviation(3), a.macd(2, 4, 2).signal, a.sma(3))
        )

    def _across(self, a: Series, depth: int) -> Series:
        alone = (a.rank_across, a.mean_across, a.demean_across, a.zscore_across, a.scale_across, a.count_across)
        made: Series = self.random.choice(
            (
                *alone,
                lambda: a.winsorise_across(self.random.choice((0, 0.1, 0.25, self.parameter(0.4)))),
                lambda: a.neutralise_across(self.number(depth - 1)),
            )
        )()
        return made

    def signal(self, depth: int) -> Signal:
        random = self.random
        if self.signals and random.random() < 0.3:
            return random.choice(self.signals)
        made = self._signal(depth)
        self.signals.append(made)
        return made

    def _signal(self, depth: int) -> Signal:
        random = self.random
        choice = random.randrange(14) if depth > 1 else random.randrange(6)
        if choice < 6:
            a, b = self.number(max(0, depth - 1)), random.choice((self.number(max(0, depth - 1)), 1, nt.close.ema(4)))
            return (a > b, a >= b, a < b, a <= b, a.crosses_above(b), a.crosses_below(b))[choice]
        if choice == 12:
            among = self.number(depth - 1)
            return random.choice((among.top_across, among.bottom_across))(self.window())
        a = self.signal(depth - 1)
        if choice == 13:
            return a.every(self.window())
        if choice == 6:
            return a & self.signal(depth - 1)
        if choice == 7:
            return a | self.signal(depth - 1)
        if choice == 8:
            return ~a
        if choice == 9:
            return a.lag(random.choice((0, 1, 3, self.window())))
        return a.hold(self.window()) if choice == 10 else a.first()
