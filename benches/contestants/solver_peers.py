"""Solvers of scipy, and a local push in numba, each as loose as the error allows.

Whole methods run as many steps as their largest error (`whole`) or that of the entries asked for (`entry`) needs, which
is found beforehand: what they would spend on looking at their own accuracy is not counted.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
import scipy
import scipy.sparse
import scipy.sparse.linalg as krylov
from solver_systems import Made, made
from worker import Job, serve

Look = Callable[[int, Any], bool]
"""What looks at steps and solution, and says whether that is enough."""
StepsOf = Callable[[Look], Any]
Run = Callable[[int], Any]

STEPS_MAX = 200
GMRES_RESTART = 20
CUTS = [step * 10.0**power for power in range(0, -9, -1) for step in (5.0, 2.0, 1.0)]
SECONDS_OF_PUSH_MAX = 5
SECONDS_OF_LOOKING_MAX = 15
"""What finding out how many steps are needed may take; who needs longer is far behind the others."""


@numba.njit
def push(begins, columns, values, b, entry, cut, left, done, queue, queued):  # type: ignore[no-untyped-def]
    """One entry by backward push: everything above the cut is pushed; arrays come zeroed and are left so."""
    size, head, tail, waiting = len(b), 0, 1, 1
    left[entry], queue[0], queued[entry] = 1.0, entry, True
    touched = [entry]
    value = 0.0
    while waiting:
        row = queue[head]
        head = (head + 1) % size
        waiting -= 1
        queued[row] = False
        own = 0.0
        for at in range(begins[row], begins[row + 1]):
            if columns[at] == row:
                own = values[at]
        step = left[row] / own
        left[row] = 0.0
        value += step * b[row]
        for at in range(begins[row], begins[row + 1]):
            other = columns[at]
            if other != row:
                if not done[other]:
                    done[other] = True
                    touched.append(other)
                left[other] -= step * values[at]
                if abs(left[other]) > cut and not queued[other]:
                    queued[other] = True
                    queue[tail] = other
                    tail = (tail + 1) % size
                    waiting += 1
    for row in touched:
        left[row] = 0.0
        done[row] = False
    return value


class Peers:
    """Works `SHAPE DOMINANCE: PEER, kind`, by case."""

    version = f"scipy {scipy.__version__}, numba {numba.__version__}"

    def __init__(self, job: Job) -> None:
        self.works: dict[str, Callable[[], Any]] = {}
        self._facts: dict[str, Any] = {}
        self._skipped: list[str] = []
        for shape, dominance, error in job["cases"]:
            self._case(f"{shape} {dominance:g}", made(shape, job["size"], dominance), error)

    def _case(self, name: str, given: Made, error: float) -> None:
        size = len(given.b)
        matrix = scipy.sparse.csr_matrix((given.values, given.columns, given.begins), shape=(size, size))
        facts = self._facts[name] = {"digest": given.digest(), "errors": {}}
        for peer, of_peer in PEERS.items():
            if peer == "CG" and not name.startswith("even"):
                continue
            run, steps_of = of_peer(matrix, given.b)
            kinds = {"entry": given.asked, "whole": slice(None)}
            for kind, steps in _needed(steps_of, given, kinds, error).items():
                label = f"{name}: {peer}, {kind}"
                if steps is None:
                    self._skipped.append(label)
                    continue
                missed = np.abs(run(steps)[kinds[kind]] - given.x[kinds[kind]]).max()
                facts["errors"][label] = float(missed)
                self.works[label] = partial(run, steps)
        self._push(name, given, error, facts)

    def _push(self, name: str, given: Made, error: float, facts: dict[str, Any]) -> None:
        size = len(given.b)
        arrays = (np.zeros(size), np.zeros(size, bool), np.zeros(size, np.int64), np.zeros(size, bool))
        one = partial(push, given.begins, given.columns, given.values, given.b)
        label = f"{name}: numba push, entry"

        def asked(cut: float) -> list[Any]:
            return [one(each, cut, *arrays) for each in given.asked]

        for cut in CUTS:
            begun = time.perf_counter()
            found = asked(cut)
            missed = max(abs(value - given.x[each]) for value, each in zip(found, given.asked, strict=True))
            if missed <= error:
                facts["errors"][label] = missed
                self.works[label] = partial(asked, cut)
                return
            if time.perf_counter() - begun > SECONDS_OF_PUSH_MAX:
                break
        self._skipped.append(label)

    def result(self) -> dict[str, Any]:
        return {"cases": self._facts, "skipped": self._skipped}


def _needed(steps_of: StepsOf, given: Made, kinds: dict[str, Any], error: float) -> dict[str, int | None]:
    """The fewest steps after which each kind of places is as good as it has to be."""
    found: dict[str, int | None] = dict.fromkeys(kinds)
    begun = time.perf_counter()

    def look(steps: int, x: Any) -> bool:
        for kind, places in kinds.items():
            if found[kind] is None and np.abs(x[places] - given.x[places]).max() <= error:
                found[kind] = steps
        late = time.perf_counter() - begun > SECONDS_OF_LOOKING_MAX
        return all(found.values()) or steps >= STEPS_MAX or late

    steps_of(look)
    return found


def _jacobi(matrix: Any, b: Any) -> tuple[Run, StepsOf]:
    inverse = 1.0 / matrix.diagonal()

    def run(steps: int, look: Look = lambda _steps, _x: False) -> Any:
        x = inverse * b
        for step in range(1, steps + 1):
            x = x + inverse * (b - matrix @ x)
            if look(step, x):
                break
        return x

    return run, lambda look: run(STEPS_MAX, look)


def _with_callback(method: Any, matrix: Any, b: Any) -> tuple[Run, StepsOf]:
    def steps_of(look: Look) -> None:
        steps = 0

        def hear(x: Any) -> None:
            nonlocal steps
            steps += 1
            if look(steps, x):
                raise _Enough

        with contextlib.suppress(_Enough):
            method(matrix, b, rtol=0.0, atol=0.0, maxiter=STEPS_MAX, callback=hear)

    return lambda steps: method(matrix, b, rtol=0.0, atol=0.0, maxiter=steps)[0], steps_of


def _gmres(matrix: Any, b: Any) -> tuple[Run, StepsOf]:
    def run(steps: int) -> Any:
        restart = min(steps, GMRES_RESTART)
        return krylov.gmres(matrix, b, rtol=0.0, atol=0.0, restart=restart, maxiter=steps // restart)[0]

    def steps_of(look: Look) -> None:
        # What it has after so many steps it only tells when it ends there.
        for steps in (2, 3, 4, 5, 6, 8, 10, 12, 14, 17, *range(GMRES_RESTART, STEPS_MAX, GMRES_RESTART)):
            if look(steps, run(steps)):
                break

    return run, steps_of


class _Enough(Exception):
    """A solution is good enough."""


PEERS = {
    "Jacobi": _jacobi,
    "BiCGSTAB": partial(_with_callback, krylov.bicgstab),
    "GMRES": _gmres,
    "CG": partial(_with_callback, krylov.cg),
}

serve(Peers)
