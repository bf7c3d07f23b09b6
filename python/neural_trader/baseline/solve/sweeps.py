"""Whole solutions: the series of Neumann, stabilised biconjugate gradient and conjugate gradient."""

from __future__ import annotations

import math

from neural_trader.baseline.solve.dominance import Dominance, Matrix, diagonal_of, sweeps_needed

STEPS_MAX = 10_000
SCALING_STEPS_MAX = 1000
RESTARTS_MAX = 50
BLOCK = 1 << 13
UNEVEN = 0.1


def dot(left: list[float], right: list[float]) -> float:
    """The sum of products, in four lanes over each block, the blocks added up in order."""
    total = 0.0
    for begin in range(0, len(left), BLOCK):
        lanes = [0.0] * 4
        for at in range(begin, min(begin + BLOCK, len(left))):
            lanes[(at - begin) % 4] += left[at] * right[at]
        total += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    return total


def neumann(matrix: Matrix, known: Dominance, side: list[float], eps: float) -> tuple[list[float], int]:
    """Sweeps of Jacobi from ``b / diagonal`` until a residual proves ``eps``: the solution, and how many there were."""
    x = [b / own for b, own in zip(side, known.diagonal, strict=True)]
    low, high = known.reach(side)
    behind = max(abs(low), abs(high)) * known.scale * (1.0 + known.rate) / (1.0 - known.rate)
    sweeps_max = sweeps_needed(known.rate, eps, behind) + 2
    sweeps = 0
    while True:
        residual = _left(matrix, side, x)
        if known.by_rows:
            reach = max(abs(left) / slack for left, slack in zip(residual, known.slack, strict=True))
        else:
            reach = _reach(False, known.weights, residual)
        sweeps += 1
        if reach * known.scale <= eps or sweeps >= sweeps_max:
            return x, sweeps
        x = [value + left / own for value, left, own in zip(x, residual, known.diagonal, strict=True)]


def bicgstab(
    matrix: Matrix, known: Dominance, side: list[float], eps: float, start: list[float] | None = None
) -> tuple[list[float], int]:
    """Stabilised biconjugate gradient (van der Vorst 1992) on the system divided by its diagonal."""
    inverse = [1.0 / value for value in known.diagonal]
    x = list(start) if start is not None else [b * each for b, each in zip(side, inverse, strict=True)]
    return _bicgstab(matrix, inverse, known.by_rows, known.units(), eps / known.scale, side, x, STEPS_MAX)


def weights_of(comparison: Matrix) -> list[float]:
    """Weights with ``M w`` within a tenth of ones, or what a bounded number of steps made of that."""
    own = diagonal_of(comparison)
    inverse = [1.0 / value for value in own]
    ones = [1.0] * len(comparison)
    return _bicgstab(comparison, inverse, True, own, UNEVEN, ones, list(inverse), SCALING_STEPS_MAX)[0]


def conjugate_gradient(matrix: Matrix, known: Dominance, side: list[float], eps: float) -> tuple[list[float], int]:
    """Conjugate gradient (Hestenes and Stiefel 1952), with the diagonal as preconditioner."""
    inverse = [1.0 / value for value in known.diagonal]
    x = [b * each for b, each in zip(side, inverse, strict=True)]
    steps, units, goal = 0, known.units(), eps / known.scale

    def weighted(left: list[float], right: list[float]) -> float:
        return dot(left, [value * own for value, own in zip(right, known.diagonal, strict=True)])

    for _ in range(RESTARTS_MAX):
        z = _residual(matrix, inverse, side, x)
        missing = _reach(known.by_rows, units, z) / goal
        if missing <= 1.0 or steps >= STEPS_MAX or not math.isfinite(missing):
            break
        p, rho = list(z), weighted(z, z)
        while missing > 1.0 and steps < STEPS_MAX:
            q = _applied(matrix, inverse, p)
            steps += 1
            alpha = _ratio(rho, weighted(p, q))
            if not math.isfinite(alpha):
                break
            x = [value + alpha * each for value, each in zip(x, p, strict=True)]
            z = [value + -alpha * each for value, each in zip(z, q, strict=True)]
            missing = _reach(known.by_rows, units, z) / goal
            following = weighted(z, z)
            beta = _ratio(following, rho)
            if not math.isfinite(beta) or following == 0.0:
                break
            rho = following
            p = [value + beta * each for value, each in zip(z, p, strict=True)]
    return x, steps


def _bicgstab(
    matrix: Matrix,
    inverse: list[float],
    by_rows: bool,
    units: list[float],
    goal: float,
    side: list[float],
    x: list[float],
    steps_max: int,
) -> tuple[list[float], int]:
    steps = 0
    for _ in range(RESTARTS_MAX):
        r = _residual(matrix, inverse, side, x)
        missing = _reach(by_rows, units, r) / goal
        if missing <= 1.0 or steps >= steps_max or not math.isfinite(missing):
            break
        shadow, p = list(r), list(r)
        rho = dot(shadow, r)
        while missing > 1.0 and steps < steps_max:
            v = _applied(matrix, inverse, p)
            alpha = _ratio(rho, dot(shadow, v))
            r = [value + -alpha * each for value, each in zip(r, v, strict=True)]
            t = _applied(matrix, inverse, r)
            steps += 1
            square = dot(t, t)
            omega = dot(t, r) / square if square > 0.0 else 0.0
            if not (math.isfinite(alpha) and math.isfinite(omega)):
                break
            x = [value + (alpha * a + omega * b) for value, a, b in zip(x, p, r, strict=True)]
            r = [value + -omega * each for value, each in zip(r, t, strict=True)]
            missing = _reach(by_rows, units, r) / goal
            following = dot(shadow, r)
            beta = _ratio(following, rho) * _ratio(alpha, omega)
            if not (math.isfinite(beta) and math.isfinite(missing)) or following == 0.0:
                break
            rho = following
            p = [value + beta * (a - omega * b) for value, a, b in zip(r, p, v, strict=True)]
    return x, steps


def _ratio(above: float, below: float) -> float:
    """A division as processors do it."""
    if below == 0.0:
        return math.nan if above == 0.0 or math.isnan(above) else math.copysign(math.inf, above)
    return above / below


def _applied(matrix: Matrix, inverse: list[float], v: list[float]) -> list[float]:
    out = []
    for row, entries in enumerate(matrix):
        total = 0.0
        for column, value in entries:
            total += value * v[column]
        out.append(total * inverse[row])
    return out


def _left(matrix: Matrix, side: list[float], x: list[float]) -> list[float]:
    out = []
    for row, entries in enumerate(matrix):
        left = side[row]
        for column, value in entries:
            left -= value * x[column]
        out.append(left)
    return out


def _residual(matrix: Matrix, inverse: list[float], side: list[float], x: list[float]) -> list[float]:
    return [left * each for left, each in zip(_left(matrix, side, x), inverse, strict=True)]


def _reach(by_rows: bool, units: list[float], residual: list[float]) -> float:
    parts = [abs(value) * unit for value, unit in zip(residual, units, strict=True)]
    if by_rows:
        return max(parts)
    total = 0.0
    for begin in range(0, len(parts), BLOCK):
        block = 0.0
        for part in parts[begin : begin + BLOCK]:
            block += part
        total += block
    return total
