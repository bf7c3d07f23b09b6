"""Which cards may be forgotten: rules of age and number, that never touch what was asked to be kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from neural_trader.errors import UsageError
from neural_trader.memory.cards import Card


@dataclass(frozen=True)
class Retention:
    """What is kept; a rule that is None forgets nothing."""

    newest: int | None = None
    """So many of the newest cards."""
    after_ns: int | None = None
    """Cards decided at or after this time."""
    open_ones: bool = True
    """Cards that have not ended are kept in any case."""
    always: Collection[int] = ()
    """Ids of cards that are kept in any case, such as those of skills."""

    def __post_init__(self) -> None:
        if self.newest is not None and self.newest < 0:
            raise UsageError(f"the number of cards to keep must not be negative, as {self.newest} is")

    def forgotten(self, cards: Iterable[Card]) -> list[int]:
        """Ids of the cards that the rules let go."""
        by_age = sorted(cards, key=lambda card: (-card.time_ns, -card.id))
        always = set(self.always)
        gone = []
        for place, card in enumerate(by_age):
            is_old = self.after_ns is not None and card.time_ns < self.after_ns
            is_too_many = self.newest is not None and place >= self.newest
            is_safe = card.id in always or (self.open_ones and card.outcome is None)
            if (is_old or is_too_many) and not is_safe:
                gone.append(card.id)
        return sorted(gone)
