"""Signed random walks, alone and from what a push left; for sources see walk.rs of nt-solver."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from neural_trader.baseline.solve.dominance import Dominance, Matrix
from neural_trader.baseline.solve.push import Checked, Push, asking, center_of, goal_of, radius_of

FLOOR = 1.0 / 16.0
BLOCK = 256
FIRST_WALKS = 1024
STEP = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1


def mixed(word: int) -> int:
    """The finaliser of SplitMix64."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return word ^ (word >> 31)


class Draws:
    """The numbers of one walk, drawn from a counter."""

    def __init__(self, seed: int, walk: int) -> None:
        key = mixed((seed + STEP) & WORD)
        self._state = mixed(key ^ ((walk * STEP + STEP) & WORD))

    def uniform(self) -> float:
        self._state = (self._state + STEP) & WORD
        return (mixed(self._state) >> 11) / 9_007_199_254_740_992.0


@dataclass
class Ground:
    """A system of which rows dominate, to walk in, with the count of entries that were read."""

    matrix: Matrix
    known: Dominance
    side: list[float]
    center: float
    entries: int = 0

    def following(self, row: int, draws: Draws) -> tuple[int, float]:
        """The row after this one, with the sign of the step."""
        own = self.known.diagonal[row]
        target = draws.uniform() * (self.known.spread[row] * abs(own))
        passed, chosen = 0.0, (row, 0.0)
        for column, value in self.matrix[row]:
            self.entries += 1
            if column == row or value == 0.0:
                continue
            chosen = (column, value)
            passed += abs(value) * self.known.weights[column] if self.known.scaled else abs(value)
            if passed > target:
                break
        return chosen[0], -1.0 if (chosen[1] < 0.0) == (own < 0.0) else 1.0

    def walk(self, row: int, sign: float, draws: Draws) -> float:
        """A walk whose mean is the solution at ``row``, divided by the weight of ``row``."""
        known = self.known
        weight, value = 1.0, 0.0
        while True:
            rate = known.spread[row] / known.weights[row]
            if weight < FLOOR:
                if rate == 0.0 or draws.uniform() >= rate:
                    end = self.side[row] / known.slack[row]
                    return value + weight * sign * (-end if known.diagonal[row] < 0.0 else end)
            else:
                value += weight * sign * self.side[row] / (known.diagonal[row] * known.weights[row])
                if rate == 0.0:
                    return value
                weight *= rate
            row, turn = self.following(row, draws)
            sign *= turn

    def drawn(
        self, starts: Checked, radius: float, eps: float, seed: int, confidence: float, walks_max: int
    ) -> tuple[float, float, int]:
        """Walks from what a push left, until their interval is narrow enough: mean, half the interval, their number."""
        names, passed, everything = list(starts.left), [], 0.0
        for row, left in starts.left.items():
            everything += abs(left) * self.known.spread[row]
            passed.append(everything)
        width = everything * radius
        if width == 0.0:
            return 0.0, 0.0, 0
        wanted, look, count, values, squares = FIRST_WALKS, 1, 0, 0.0, 0.0
        while True:
            until = -(-min(wanted, walks_max) // BLOCK) * BLOCK
            for begin in range(count, until, BLOCK):
                block_values = block_squares = 0.0
                for number in range(begin, begin + BLOCK):
                    draws = Draws(seed, number)
                    at = min(bisect_right(passed, draws.uniform() * everything), len(passed) - 1)
                    row, turn = self.following(names[at], draws)
                    sign = -1.0 if starts.left[names[at]] < 0.0 else 1.0
                    value = everything * sign * (self.walk(row, turn, draws) - self.center)
                    block_values += value
                    block_squares += value * value
                values += block_values
                squares += block_squares
            count = until
            mean = values / count
            variance = max((squares - values * mean) / (count - 1), 0.0)
            log = math.log(4.0 * look * (look + 1.0) / (1.0 - confidence))
            half = math.sqrt(2.0 * variance * log / count) + 14.0 * width * log / (3.0 * (count - 1))
            if half <= eps or count >= walks_max:
                return mean, half, count
            wanted, look = count + -(-count // 2), look + 1


def walks(
    matrix: Matrix, known: Dominance, side: list[float], entry: int, eps: float, *, seed: int, confidence: float,
    walks_max: int = 1 << 24,
) -> tuple[float, float, int]:  # fmt: skip
    """One entry by walks alone: its value, half the interval, and how many walks there were."""
    push = asking(matrix, known, entry)
    return _finished(push, known, side, entry, eps, seed, confidence, walks_max)


def bidirectional(
    matrix: Matrix, known: Dominance, side: list[float], entry: int, eps: float, *, seed: int, confidence: float,
    walks_max: int = 1 << 24,
) -> tuple[float, float, int]:  # fmt: skip
    """One entry by a push, and walks from what it left; the walks include the pushes in their number."""
    radius = radius_of(known.reach(side))
    push = asking(matrix, known, entry)
    push.run(
        goal_of(eps, radius),
        lambda push: entries_of_walks(matrix, known, radius, push.total, eps, confidence) <= push.entries,
    )
    return _finished(push, known, side, entry, eps, seed, confidence, walks_max)


def entries_of_walks(
    matrix: Matrix, known: Dominance, radius: float, total: float, eps: float, confidence: float
) -> float:
    """Entries that walks from a residual of this norm are expected to read."""
    ratio, log = total * radius / eps, math.log(8.0 / (1.0 - confidence))
    expected = 2.0 * log * (ratio / 4.0) * (ratio / 4.0) + 14.0 / 3.0 * log * ratio
    rate = min(known.rate, 0.999_999)
    steps = 1.0 if rate <= 0.0 else 1.0 + max(math.log(FLOOR) / math.log(rate), 1.0) + rate / (1.0 - rate)
    entries = sum(map(len, matrix))
    return max(expected, float(FIRST_WALKS)) * steps * (entries / len(matrix) / 2.0 + 4.0)


def _finished(
    push: Push, known: Dominance, side: list[float], entry: int, eps: float, seed: int, confidence: float,
    walks_max: int,
) -> tuple[float, float, int]:  # fmt: skip
    starts, reach = push.check({entry: 1.0}), known.reach(side)
    value, rounded = starts.value(known, side, reach)
    doubt = starts.doubt(known, max(abs(reach[0]), abs(reach[1]))) + rounded
    ground = Ground(push.rows, known, side, center_of(reach))
    mean, half, count = ground.drawn(starts, radius_of(reach), eps - doubt, seed, confidence, walks_max)
    return value + mean, half + doubt, push.pushes + count
