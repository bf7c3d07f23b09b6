"""Our solvers: single entries and whole solutions, at an error that they are known to have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from solver_systems import Made, made
from worker import Job, serve

import neural_trader
from neural_trader.solve import RightSide, Rows, System

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
        system = System(Rows(given.begins, given.columns, given.values))
        side = system.right_side(given.b)

        def asked(eps: float, **how: Any) -> list[Any]:
            return [system.entry(each, side, eps=eps, **how) for each in given.asked]

        def missed(answers: list[Any]) -> float:
            return max(abs(answer.value - given.x[each]) for answer, each in zip(answers, given.asked, strict=True))

        proved = asked(error)
        loose = next(eps for eps in LADDER if missed(asked(eps)) <= error)
        whole_eps = next(eps for eps in LADDER if _off(system, side, eps, given) <= error)
        whole = system.solve(side, eps=whole_eps)
        found = asked(loose)
        self._facts[name] = {
            "digest": given.digest(),
            "proved": {"error": missed(proved), "bound": max(each.certificate.bound for each in proved)},
            "entry": {"error": missed(found), "eps": loose},
            "whole": {"error": float(np.abs(whole.x - given.x).max()), "method": whole.certificate.method},
            "entries": {
                "proved": int(np.mean([each.certificate.entries for each in proved])),
                "entry": int(np.mean([each.certificate.entries for each in found])),
            },
            "methods": {"proved": proved[0].certificate.method, "entry": found[0].certificate.method},
        }
        self.works[f"{name}: entry, error proved"] = lambda: asked(error)
        self.works[f"{name}: entry, error measured"] = lambda: asked(loose)
        self.works[f"{name}: whole"] = lambda: system.solve(side, eps=whole_eps)

    def result(self) -> dict[str, Any]:
        return {"cases": self._facts}


def _off(system: System, side: RightSide, eps: float, given: Made) -> float:
    return float(np.abs(system.solve(side, eps=eps).x - given.x).max())


serve(Ours)
