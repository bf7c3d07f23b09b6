"""Our solvers: single entries and whole solutions, at an error that they are known to have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from solver_systems import Made, made
from worker import Job, serve

import neural_trader
from neural_trader.solve import RightSide, Rows, System, Tracked

LADDER = [step * 10.0**power for power in range(0, -9, -1) for step in (5.0, 2.0, 1.0)]


class Ours:
    """Works `SHAPE DOMINANCE ERROR: kind`, by case."""

    version = neural_trader.__version__

    def __init__(self, job: Job) -> None:
        self.works: dict[str, Callable[[], Any]] = {}
        self._size = job["size"]
        self._facts: dict[str, Any] = {}
        for shape, dominance, error in job["cases"]:
            self._case(f"{shape} {dominance:g}", made(shape, self._size, dominance), error)

    def _case(self, name: str, given: Made, error: float) -> None:
        rows = Rows(given.begins, given.columns, given.values)
        system = System(rows)
        side = system.right_side(given.b)

        def asked(eps: float) -> list[Any]:
            return [system.entry(each, side, eps=eps, confidence=None) for each in given.asked]

        def missed(answers: list[Any]) -> float:
            return max(abs(answer.value - given.x[each]) for answer, each in zip(answers, given.asked, strict=True))

        proved = asked(error)
        loose = next(eps for eps in LADDER if missed(asked(eps)) <= error)
        whole_eps = next(eps for eps in LADDER if _off(system, side, eps, given) <= error)
        whole, sure = system.solve(side, eps=whole_eps), system.solve(side, eps=error)
        found = asked(loose)
        self._facts[name] = {
            "digest": given.digest(),
            "proved": {"error": missed(proved), "bound": max(each.certificate.bound for each in proved)},
            "entry": {"error": missed(found), "eps": loose},
            "whole": {"error": float(np.abs(whole.x - given.x).max()), "method": whole.certificate.method},
            "sure": {"error": float(np.abs(sure.x - given.x).max()), "bound": sure.certificate.bound},
            "entries": {
                "proved": int(np.mean([each.certificate.entries for each in proved])),
                "entry": int(np.mean([each.certificate.entries for each in found])),
            },
            "methods": {"proved": proved[0].certificate.method, "entry": found[0].certificate.method},
        }
        self.works[f"{name}: entry, error proved"] = lambda: asked(error)
        self.works[f"{name}: entry, error measured"] = lambda: asked(loose)
        self.works[f"{name}: whole, error measured"] = lambda: system.solve(side, eps=whole_eps)
        self.works[f"{name}: whole, error proved"] = lambda: system.solve(side, eps=error)
        self.works[f"{name}: matrix"] = lambda: System(rows)
        tracked = Tracked(rows, given.b, eps=error)
        change = partial(_change, tracked, given)
        change()
        self._facts[name]["tracked"] = tracked.certificate().bound
        self.works[f"{name}: change"] = change

    def result(self) -> dict[str, Any]:
        return {"cases": self._facts}


def _change(tracked: Tracked, given: Made) -> None:
    """Other values on the right side, one after the other, each with a look at what that makes of its entry."""
    for factor in (1.01, 1.0):
        for row in given.asked:
            tracked.change_side(row, given.b[row] * factor)
            _ = tracked[row]


def _off(system: System, side: RightSide, eps: float, given: Made) -> float:
    return float(np.abs(system.solve(side, eps=eps).x - given.x).max())


serve(Ours)
