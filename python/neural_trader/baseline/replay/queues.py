"""Queue models: what of a shrinking level was ahead of our order (docs/book-rules.md sections 5.2 and 9)."""

from __future__ import annotations

from collections.abc import Callable

from neural_trader.baseline.elementary import logarithm
from neural_trader.errors import EngineError

UNKNOWN = float(2**53)
"""The quantity ahead of an order of which nothing is known: more than anything that trades."""

POWER_MAX = 16

Front = Callable[[float, int, int, int], float]
"""The new quantity ahead: of the old one, the level's quantities before and now, and what it lost without a trade."""
Share = Callable[[float, float], float]
"""The share of cancellations that happen behind us, of the quantities ahead and behind."""


def power(x: float, n: int) -> float:
    result = x
    for _ in range(n - 1):
        result *= x
    return result


def _share(numerator: float, denominator: float) -> float:
    return 1.0 if denominator == 0.0 else numerator / denominator


def _shares(n: int) -> dict[str, Share]:
    return {
        "power": lambda f, b: _share(power(b, n), power(b, n) + power(f, n)),
        "power_2": lambda f, b: _share(power(b, n), power(b + f, n)),
        "power_3": lambda f, b: 1.0 if f + b == 0.0 else 1.0 - power(f / (f + b), n),
        "log": lambda f, b: _share(logarithm(1.0 + b), logarithm(1.0 + b) + logarithm(1.0 + f)),
        "log_2": lambda f, b: _share(logarithm(1.0 + b), logarithm(1.0 + b + f)),
    }


def _risk_averse(front: float, _before: int, now: int, _change: int) -> float:
    return min(front, float(now))


def _nobody(_front: float, _before: int, _now: int, _change: int) -> float:
    return 0.0


def _by_share(share: Share) -> Front:
    def advanced(front: float, before: int, now: int, change: int) -> float:
        if change < 0:
            return min(front, float(now))
        back = float(before) - front
        behind = share(max(front, 0.0), max(back, 0.0))
        lost = float(change)
        return min(front - (1.0 - behind) * lost + min(back - behind * lost, 0.0), float(now))

    return advanced


def front_model(name: str, n: int) -> Front:
    """The queue model of this name."""
    shares = _shares(n)
    plain: dict[str, Front] = {"front": _nobody, "risk_averse": _risk_averse}
    if name not in plain and name not in shares:
        raise EngineError(f"unknown queue model {name!r}: use one of {', '.join((*plain, *shares))}")
    if not 1 <= n <= POWER_MAX:
        raise EngineError(f"the power of a queue model is a whole number from 1 to {POWER_MAX}, not {n}")
    model = plain[name] if name in plain else _by_share(shares[name])

    def front_after(front: float, before: int, now: int, change: int) -> float:
        if front >= UNKNOWN:
            return float(now)
        return max(model(front, before, now, change), 0.0)

    return front_after
