"""The plots of docs/solvers.md, what entries read and where a whole solution is cheaper: python -m benches.solver_plots

Counts are the same on every machine; times are those that the processors of this one were busy. Systems have four
neighbours a row, so that ten million rows fit into memory.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neural_trader.solve import Rows, System

DOCS = Path(__file__).parent.parent / "docs"
SIZES = [10**power for power in range(3, 8)]
DENSE_SIZES = [1_000, 3_000, 10_000, 30_000]
TIMED_SIZES = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
EPS = 1e-4
COLOURS = ("#0072b2", "#009e73", "#d55e00", "#cc79a7", "#555555")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 400, 70, 50, 20, 200


class Line(NamedTuple):
    """A line of a plot."""

    label: str
    points: list[tuple[float, float]]


def main() -> int:
    """Count, time and draw; with sizes as arguments, only up to the largest of them."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1]
    draw(DOCS / "solver-counts.svg", counted(largest), "rows of the system", "entries read for one entry, error 1e-4")
    lines = timed(min(largest, TIMED_SIZES[-1]))
    draw(DOCS / "solver-crossover.svg", lines, "rows of the system", "processor seconds, error 1e-4")
    return 0


def system(shape: str, size: int, dominance: float) -> Rows:
    """Four neighbours a row, near or far; `alike` near with one sign; with `hub` every tenth row knows a fiftieth."""
    random = np.random.default_rng(1)
    if shape == "hub":
        return _with_hubs(size, dominance, random)
    own = np.arange(size, dtype=np.int32)[:, None]
    columns = np.empty((size, 5), np.int32)
    columns[:, :1] = own
    if shape != "far":
        columns[:, 1:] = (own + np.array([-2, -1, 1, 2], np.int32)) % size
    else:
        part = (size - 1) // 4
        starts = 1 + np.arange(4, dtype=np.int32) * np.int32(part)
        columns[:, 1:] = (own + starts + random.integers(0, part, (size, 4), dtype=np.int32)) % size
    values = random.uniform(0.1, 1.0, (size, 5))
    values[:, 0] = dominance * values[:, 1:].sum(axis=1)
    values[:, 1:] *= -1 if shape == "alike" else random.integers(0, 2, (size, 4), dtype=np.int8) * 2 - 1
    return Rows(np.arange(0, 5 * size + 1, 5, dtype=np.int32), columns.ravel(), values.ravel())


def _with_hubs(size: int, dominance: float, random: np.random.Generator) -> Rows:
    """Every tenth row has a share of all rows, which no push can avoid."""
    widths = np.where(np.arange(size) % 10 == 0, max(size // 50, 4), 4)
    begins = np.concatenate([[0], np.cumsum(widths + 1)])
    own = np.repeat(np.arange(size), widths + 1)
    place = np.arange(begins[-1]) - begins[own]
    columns = (own + np.where(place > 2, 2 - place, place)) % size
    values = random.uniform(0.1, 1.0, begins[-1]) * random.choice([-1.0, 1.0], begins[-1])
    values[begins[:-1]] = 0.0
    values[begins[:-1]] = dominance * np.add.reduceat(np.abs(values), begins[:-1])
    return Rows(begins, columns, values)


def right_side(size: int) -> np.ndarray:
    """Numbers between -1 and 1, in which all sizes begin alike."""
    return np.sin(np.arange(size, dtype=np.float64) ** 1.5)


def counted(largest: int) -> list[Line]:
    """Entries read by a push, and by the whole solution."""
    cases = {
        "near, dominance 2": ("near", 2.0, largest),
        "near, dominance 1.1": ("near", 1.1, largest),
        "near, one sign, 1.001": ("alike", 1.001, largest),
        "far, dominance 2": ("far", 2.0, min(largest, 1_000_000)),
        "dense rows, dominance 2": ("hub", 2.0, largest),
    }
    lines = []
    for label, (shape, dominance, most) in cases.items():
        points = []
        for size in DENSE_SIZES if shape == "hub" else [each for each in SIZES if each <= most]:
            given = System(system(shape, size, dominance))
            side = given.right_side(right_side(size))
            asked = [given.entry(size // 3 + step, side, eps=EPS, method="push") for step in (0, 101, 202)]
            points.append((float(size), float(np.mean([each.certificate.entries for each in asked]))))
        lines.append(Line(label, sorted(points)))
    sizes = [each for each in SIZES if each <= min(largest, 1_000_000)]
    whole = []
    for size in sizes:
        given = System(system("near", size, 2.0))
        whole.append((float(size), float(given.solve(right_side(size), eps=EPS).certificate.entries)))
    return [*lines, Line("whole solution", whole)]


def timed(largest: int) -> list[Line]:
    """Seconds that processors are busy for a push, our own choice, and the whole solution."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for size in [each for each in TIMED_SIZES if each <= largest]:
        for shape, dominance in (("near", 1.1), ("far", 2.0)):
            given = System(system(shape, size, dominance))
            side = given.right_side(right_side(size))
            works = {
                "push": lambda: given.entry(size // 3, side, eps=EPS, method="push"),  # noqa: B023 - called at once
                "choice": lambda: given.entry(size // 3, side, eps=EPS),  # noqa: B023
                "whole": lambda: given.solve(side, eps=EPS),  # noqa: B023
            }
            for name, work in works.items():
                lines.setdefault(f"{shape} {dominance:g}: {name}", []).append((float(size), _best(work)))
    return [Line(label, points) for label, points in lines.items()]


def _best(work: object) -> float:
    assert callable(work)
    seconds = []
    while len(seconds) < 3 or (sum(seconds) < 0.1 and len(seconds) < 50):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def draw(file: Path, lines: list[Line], across: str, upwards: str) -> None:
    """A plot with logarithmic axes, as SVG."""
    every = [point for line in lines for point in line.points]
    low = [math.floor(math.log10(min(point[axis] for point in every))) for axis in (0, 1)]
    high = [math.ceil(math.log10(max(point[axis] for point in every))) for axis in (0, 1)]

    def x(value: float) -> float:
        return LEFT + (math.log10(value) - low[0]) / (high[0] - low[0]) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - low[1]) / (high[1] - low[1]) * (HEIGHT - BOTTOM - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for power in range(low[0], high[0] + 1):
        at = x(10.0**power)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#dddddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_power(power)}</text>')
    for power in range(low[1], high[1] + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_power(power)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{across}</text>')
    parts.append(f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{upwards}</text>')
    ends = sorted(((y(line.points[-1][1]), at) for at, line in enumerate(lines)), reverse=False)
    shown: dict[int, float] = {}
    for end, at in ends:
        shown[at] = max(end, max(shown.values(), default=-math.inf) + 16)
    for at, line in enumerate(lines):
        colour = COLOURS[at % len(COLOURS)]
        dash = ' stroke-dasharray="5 3"' if at >= len(COLOURS) else ""
        path = "L".join(f"{x(size):.1f} {y(value):.1f}" for size, value in line.points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in line.points]
        label_x = WIDTH - RIGHT + 12
        parts.append(f'<text x="{label_x}" y="{shown[at] + 4:.1f}" fill="{colour}">{line.label}</text>')
    file.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _power(power: int) -> str:
    return f'10<tspan dy="-5" font-size="9">{power}</tspan><tspan dy="5"></tspan>'


if __name__ == "__main__":
    sys.exit(main())
