"""Local push, backward from one entry and forward from few of the right side; for sources see push.rs of nt-solver."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from neural_trader.baseline.solve.dominance import EPSILON, Dominance, Matrix, rounding

SHARE = 0.99
NEXT_CUT = 0.25
SMALLEST = 2.0**-1022


def center_of(reach: tuple[float, float]) -> float:
    """The middle of a reach."""
    return (reach[0] + reach[1]) / 2.0


def radius_of(reach: tuple[float, float]) -> float:
    """How far from the middle a solution can be, rounded upwards."""
    return (reach[1] - reach[0]) / 2.0 + 2.0 * EPSILON * max(abs(reach[0]), abs(reach[1]))


def goal_of(eps: float, radius: float) -> float:
    """The norm of a residual that proves an accuracy."""
    return SHARE * eps / radius if radius > 0.0 else float("inf")


@dataclass
class Push:
    """A residual and what was pushed of it, by the rows that were touched, in the order in which they were."""

    rows: Matrix
    diagonal: list[float]
    by_sum: bool
    weight: Callable[[int], float]
    left: dict[int, float] = field(default_factory=dict)
    pushed: dict[int, float] = field(default_factory=dict)
    total: float = 0.0
    rows_read: int = 0
    entries: int = 0
    pushes: int = 0

    def begin(self, source: dict[int, float]) -> None:
        for row, value in source.items():
            self.left[row] = value
            self.pushed[row] = 0.0
        self.total = self.summed()

    def size(self, row: int) -> float:
        return abs(self.left[row]) * self.weight(row)

    def summed(self) -> float:
        if not self.by_sum:
            return max(map(self.size, self.left))
        total = 0.0
        for row in self.left:
            total += self.size(row)
        return total

    def run(self, goal: float, enough: Callable[[Push], bool]) -> None:
        """Push until the norm of the residual is at most the goal, or it is enough, asked between thresholds."""
        floor = 0.0 if self.by_sum else goal
        cut = max(NEXT_CUT * max(map(self.size, self.left)), floor)
        while self.total > goal and not enough(self) and cut >= SMALLEST:
            queue = deque(row for row in self.left if self.size(row) > cut)
            queued = set(queue)
            running = self.total
            while queue:
                row = queue.popleft()
                queued.discard(row)
                if self.size(row) > cut:
                    running = self._push(row, cut, running, queue, queued)
                if self.by_sum and running <= goal:
                    break
            self.total = self.summed()
            cut = max(NEXT_CUT * cut, floor)

    def _push(self, row: int, cut: float, running: float, queue: deque[int], queued: set[int]) -> float:
        step = self.left[row] / self.diagonal[row]
        running -= self.size(row)
        self.left[row] = 0.0
        self.pushed[row] += step
        self.rows_read += 1
        self.entries += len(self.rows[row])
        self.pushes += 1
        for column, value in self.rows[row]:
            if column == row:
                continue
            self.pushed.setdefault(column, 0.0)
            before = abs(self.left.setdefault(column, 0.0)) * self.weight(column)
            self.left[column] -= step * value
            after = self.size(column)
            running += after - before
            if after > cut and column not in queued:
                queued.add(column)
                queue.append(column)
        return running

    def check(self, source: dict[int, float]) -> Checked:
        """The residual, computed anew from what was pushed."""
        left = dict.fromkeys(self.left, 0.0)
        size, terms = dict(left), dict.fromkeys(self.left, 0)
        for row, value in source.items():
            left[row] += value
            size[row] += abs(value)
        for row, pushed in self.pushed.items():
            if pushed == 0.0:
                continue
            self.rows_read += 1
            self.entries += len(self.rows[row])
            for column, value in self.rows[row]:
                part = pushed * value
                left[column] -= part
                size[column] += abs(part)
                terms[column] += 1
        return Checked(dict(self.pushed), left, {row: rounding(terms[row]) * size[row] for row in left})


@dataclass(frozen=True)
class Checked:
    """What a push came to: what was pushed at each row, the residual, and by how much rounding may falsify it."""

    pushed: dict[int, float]
    left: dict[int, float]
    rounded: dict[int, float]

    def value(self, known: Dominance, side: list[float], reach: tuple[float, float]) -> tuple[float, float]:
        value = size = 0.0
        center = center_of(reach)
        for row, left in self.left.items():
            part = self.pushed[row] * side[row]
            size += abs(part)
            if known.by_rows:
                following = side[row] / known.diagonal[row]
                part += left * (following + known.spread[row] * center)
                size += abs(left) * (abs(following) + known.weights[row] * abs(center))
            value += part
        return value, rounding(len(self.left) + known.row_entries_max) * size

    def doubt(self, known: Dominance, reach: float) -> float:
        total = 0.0
        for row, rounded in self.rounded.items():
            total += rounded * known.weights[row]
        return 2.0 * reach * total

    def bound(self, known: Dominance, reach: tuple[float, float]) -> float:
        most = max(abs(reach[0]), abs(reach[1]))
        if known.by_rows:
            total = 0.0
            for row, left in self.left.items():
                total += abs(left) * known.spread[row]
            bound = radius_of(reach) * total + self.doubt(known, most)
        else:
            bound = most * max((abs(self.left[row]) + self.rounded[row]) / known.slack[row] for row in self.left)
        return bound * (1.0 + rounding(len(self.left)))


def asking(matrix: Matrix, known: Dominance, entry: int) -> Push:
    """A push that asks for an entry, and has not begun."""
    spread, slack = known.spread, known.slack
    weight = spread.__getitem__ if known.by_rows else lambda row: 1.0 / slack[row]
    push = Push(matrix, known.diagonal, known.by_rows, weight)
    push.begin({entry: 1.0})
    return push


def backward(
    matrix: Matrix, known: Dominance, side: list[float], entry: int, eps: float
) -> tuple[float, float, int, int]:
    """One entry to an error of ``eps``: its value, the bound, the entries that were read and the pushes."""
    reach = known.reach(side)
    push = asking(matrix, known, entry)
    push.run(goal_of(eps, radius_of(reach)), lambda _: False)
    checked = push.check({entry: 1.0})
    value, rounded = checked.value(known, side, reach)
    return value, checked.bound(known, reach) + rounded, push.entries, push.pushes


def forward(
    across: Matrix, known: Dominance, side: dict[int, float], eps: float
) -> tuple[dict[int, float], float, int, int]:
    """The solution of a right side with few entries, from the transposed matrix: by row, bound, entries and pushes."""
    slack, weights = known.slack, known.weights
    weight = (lambda row: 1.0 / slack[row]) if known.by_rows else weights.__getitem__
    push = Push(across, known.diagonal, not known.by_rows, weight)
    push.begin(side)
    push.run(goal_of(eps, known.scale), lambda _: False)
    checked = push.check(side)
    parts = [(abs(checked.left[row]) + checked.rounded[row]) * weight(row) for row in checked.left]
    reach = max(parts)
    if not known.by_rows:
        reach = 0.0
        for part in parts:
            reach += part
    bound = reach * known.scale * (1.0 + rounding(len(parts)))
    return {row: value for row, value in checked.pushed.items() if value}, bound, push.entries, push.pushes
