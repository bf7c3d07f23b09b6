"""A card: one decision of a strategy, what it saw when it made it, and how it ended."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from neural_trader.errors import DataError

OPEN_NS = 2**63 - 1
"""The end of a decision whose position has not been closed."""


@dataclass(frozen=True)
class Outcome:
    """How a decision ended, once the position that it opened was closed."""

    close_ns: int
    """When the last of it was closed, UTC nanoseconds; nobody could know the outcome before."""
    profit: float
    """Money made after fees, in the account currency."""
    gain: float
    """Profit as a share of what was put in."""
    best: float
    """Largest gain on the way, as a share (maximum favourable excursion)."""
    worst: float
    """Largest loss on the way, as a share, not above 0 (maximum adverse excursion)."""
    fees: float
    """Fees of entry and exit, in the account currency."""
    critique: str = ""
    """One sentence about what went well or badly."""

    def checked(self) -> Outcome:
        """The outcome, or a DataError that names the number that is none."""
        for name in ("profit", "gain", "best", "worst", "fees"):
            if not math.isfinite(getattr(self, name)):
                raise DataError(f"the {name} of an outcome is {getattr(self, name)}; it must be a number")
        return self


@dataclass(frozen=True)
class Card:
    """One decision: who decided what, when, at which price, and on which features."""

    time_ns: int
    strategy: str
    symbol: str
    action: str
    """"buy" or "sell"."""
    quantity: float
    price: float
    """The last price known when the decision was made."""
    features: Mapping[str, float]
    """What the strategy saw, by name."""
    reason: str = ""
    regime: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    id: int = 0
    """The number under which a memory keeps it; 0 before that."""

    def checked(self) -> Card:
        """The card, or a DataError that says what is wrong with it."""
        if self.action not in ("buy", "sell"):
            raise DataError(f'the action of a card is "buy" or "sell", not {self.action!r}')
        if not self.features:
            raise DataError("a card needs at least one feature, by which it can be found again")
        for name, value in {"quantity": self.quantity, "price": self.price, **self.features}.items():
            if not math.isfinite(value):
                raise DataError(f"{name} of a card is {value!r}; it must be a number")
        if not 0 <= self.time_ns < OPEN_NS:
            raise DataError(f"the time of a card is {self.time_ns}; it must be nanoseconds since 1970, UTC")
        if self.outcome is not None:
            if self.outcome.close_ns < self.time_ns:
                raise DataError("a card cannot end before it was decided")
            self.outcome.checked()
        return self

    @property
    def digest(self) -> bytes:
        """SHA-256 of the decision; the same decision made again has the same, so it is kept once.

        Features and the outcome are not part of it: both follow from the decision and the data.
        """
        return sha256(
            [self.time_ns, self.strategy, dict(self.parameters), self.symbol, self.action, self.quantity, self.price]
        )

    @property
    def leaf(self) -> bytes:
        """SHA-256 of all that the card says, its outcome included: what a certificate of a recall is made of."""
        return sha256([self.digest.hex(), dict(self.features), self.reason, self.regime, self._ending()])

    def ended(self, outcome: Outcome) -> Card:
        """The card with its outcome."""
        return replace(self, outcome=outcome)

    def document(self) -> dict[str, Any]:
        """The card as plain data."""
        return {
            "id": self.id,
            "time_ns": self.time_ns,
            "strategy": self.strategy,
            "parameters": dict(self.parameters),
            "symbol": self.symbol,
            "action": self.action,
            "quantity": self.quantity,
            "price": self.price,
            "features": dict(self.features),
            "reason": self.reason,
            "regime": self.regime,
            "outcome": self._ending(),
            "digest": self.digest.hex(),
        }

    def _ending(self) -> dict[str, Any] | None:
        return None if self.outcome is None else vars(self.outcome).copy()


def card_of(document: Any) -> Card:
    """The card that plain data describes; DataError names what is missing or too much."""
    if not isinstance(document, dict):
        raise DataError(f"a card is an object with time_ns, strategy, symbol ..., not {type(document).__name__}")
    given = {name: value for name, value in document.items() if name not in ("id", "digest")}
    outcome = given.pop("outcome", None)
    try:
        return Card(**given, outcome=None if outcome is None else Outcome(**outcome)).checked()
    except TypeError as error:
        what = str(error).replace("Card.__init__() ", "").replace("Outcome.__init__() ", "")
        raise DataError(f"no card: {what}") from None


def sha256(plain: Any) -> bytes:
    """SHA-256 of plain data in its one canonical form."""
    return hashlib.sha256(canonical(plain).encode()).digest()


def canonical(plain: Any) -> str:
    """Plain data as the one JSON text of it."""
    return _ENCODER.encode(plain)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
