"""Skills: situations that came again and again, and in which the same action mostly ended well.

Cards that have ended are gathered around the first of each kind: in the order in which they ended, each joins the
nearest gathering of its action within ``radius``, or begins one (leader clustering, Hartigan 1975). What is gathered is
a skill if enough cards are in it and the lower end of the Wilson interval (1927) of their success rate is above chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.memory.cards import Card
from neural_trader.memory.embedding import Embedding, Vectors
from neural_trader.memory.shelf import embedded

if TYPE_CHECKING:
    from numpy.typing import NDArray

RADIUS = 1.5
"""Distance, in spreads of a feature, within which situations count as one."""
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Skill:
    """A recurring situation with an action that mostly ended well in it."""

    action: str
    centre: tuple[float, ...]
    """The mean point of its cards."""
    uses: int
    """Cards that are in it."""
    wins: int
    success_rate_low: float
    """Lower end of the 95 % interval of its success rate."""
    mean_gain: float
    cards: tuple[int, ...]
    """Ids of its cards, in the order in which they ended."""
    typical: dict[str, float]
    """Median of each feature over its cards."""

    @property
    def success_rate(self) -> float:
        return self.wins / self.uses

    def document(self) -> dict[str, Any]:
        """The skill as plain data."""
        return {**vars(self), "success_rate": self.success_rate}


def skills(
    cards: Sequence[Card],
    embedding: Embedding,
    *,
    radius: float = RADIUS,
    least_uses: int = 8,
    least_rate: float = 0.5,
) -> list[Skill]:
    """The skills that cards teach, the surest first."""
    ended = sorted((card for card in cards if card.outcome is not None), key=_ending)
    if not ended:
        return []
    points = embedded(embedding, [card.features for card in ended])
    found = []
    for action in ("buy", "sell"):
        rows = np.array([at for at, card in enumerate(ended) if card.action == action], dtype=np.int64)
        for members in _gathered(points[rows], radius):
            skill = _skill(action, [ended[at] for at in rows[members]], points[rows[members]])
            if skill.uses >= least_uses and skill.success_rate_low > least_rate:
                found.append(skill)
    return sorted(found, key=lambda skill: (-skill.success_rate_low, skill.cards))


def wilson_low(wins: int, uses: int) -> float:
    """Lower end of the 95 % interval of a rate (E. B. Wilson, JASA 22, 1927)."""
    if not uses:
        return 0.0
    z2 = _NORMAL_95**2
    rate = wins / uses
    middle = rate + z2 / (2 * uses)
    width = _NORMAL_95 * math.sqrt(rate * (1 - rate) / uses + z2 / (4 * uses * uses))
    return max(0.0, (middle - width) / (1 + z2 / uses))


def _gathered(points: Vectors, radius: float) -> list[NDArray[np.int64]]:
    leaders = np.empty((0, points.shape[1] if points.size else 0))
    members: list[list[int]] = []
    for at, point in enumerate(points.astype(np.float64)):
        distances = ((leaders - point) ** 2).sum(axis=1) if len(leaders) else np.empty(0)
        nearest = int(np.argmin(distances)) if len(distances) else -1
        if nearest >= 0 and distances[nearest] <= radius * radius:
            members[nearest].append(at)
        else:
            leaders = np.vstack([leaders, point]) if len(leaders) else point[None]
            members.append([at])
    return [np.array(each, dtype=np.int64) for each in members]


def _skill(action: str, cards: Sequence[Card], points: Vectors) -> Skill:
    gains = [card.outcome.gain for card in cards if card.outcome is not None]
    wins = sum(gain > 0 for gain in gains)
    names = sorted({name for card in cards for name in card.features})
    return Skill(
        action=action,
        centre=tuple(points.astype(np.float64).mean(axis=0).tolist()),
        uses=len(cards),
        wins=wins,
        success_rate_low=wilson_low(wins, len(cards)),
        mean_gain=sum(gains) / len(gains),
        cards=tuple(card.id for card in cards),
        typical={
            name: float(np.median([card.features[name] for card in cards if name in card.features])) for name in names
        },
    )


def _ending(card: Card) -> tuple[int, int]:
    assert card.outcome is not None
    return card.outcome.close_ns, card.id
