"""What came of a sweep."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.backtesting.result import canonical
from neural_trader.backtesting.sweeping.measures import MEASURES, measure_named

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.honesty.selection import Assessment

SCHEMA = "neural-trader.sweep/1"


@dataclass(frozen=True, eq=False)
class SweepResult:
    """Every point that was played, and the best of them."""

    frame: pl.DataFrame = field(repr=False)
    """A row for each point: its parameters, its statistics, and ``error`` where it failed."""
    names: tuple[str, ...]
    """The parameters that vary."""
    metric: str
    """What best means, by a name of :data:`~neural_trader.backtesting.sweeping.measures.MEASURES`."""
    run: dict[str, Any]
    """What is the same in all points: strategy, parameters that do not vary, settings, data."""
    seconds: float = 0.0
    """How long it took, without the points that were there before."""
    played: int = 0
    """Points that were played now; the others were there before."""
    warning: str | None = None
    """Why points were not counted as trials, where they were not."""
    worth: Assessment | None = None
    """How likely the best point is luck; None where that was not asked, or where no point has the metric."""

    def best(self, count: int = 10, metric: str | None = None) -> pl.DataFrame:
        """The best points by a metric; those of which it is not known are left out."""
        name = metric or self.metric
        measure = measure_named(name)
        known = self.frame.filter(self.frame[name].is_not_null())
        return known.sort(name, descending=measure.higher_is_better, maintain_order=True).head(count)

    @cached_property
    def best_parameters(self) -> dict[str, int | float]:
        """The parameters of the best point; empty where there is none."""
        rows = self.best(1).select(self.names).to_dicts()
        return {} if not rows else {name: whole(value) for name, value in rows[0].items()}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what is the same in all points and of every number of the table, the points by their parameters.

        The same sweep has the same hash, whatever played it, and in however many pieces.
        """
        digest = hashlib.sha256(canonical(self.run | {"names": list(self.names)}).encode())
        table = self.frame.sort(self.names)
        for name in table.columns:
            digest.update(name.encode())
            if name == "error":
                digest.update(table[name].is_null().to_numpy().tobytes())
            else:
                digest.update(table[name].fill_null(math.inf).to_numpy().astype("<f8").tobytes())
        return digest.hexdigest()

    @property
    def failed(self) -> int:
        """Points that could not be played."""
        return int(self.frame["error"].is_not_null().sum())

    def to_dict(self, count: int = 10) -> dict[str, Any]:
        """The sweep as plain values, with its best points."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "metric": {"name": self.metric, "title": MEASURES[self.metric].title},
            "points": self.frame.height,
            "failed": self.failed,
            "played": self.played,
            "seconds": self.seconds,
            "hash": self.hash,
            "parameters": {
                name: {
                    "least": self.frame[name].min(),
                    "most": self.frame[name].max(),
                    "values": self.frame[name].n_unique(),
                }
                for name in self.names
            },
            "best": [
                {
                    "parameters": {name: whole(row[name]) for name in self.names},
                    "statistics": {name: row[name] for name in MEASURES if name in row},
                }
                for row in self.best(count).to_dicts()
            ],
            "honesty": None if self.worth is None else self.worth.document(),
        }

    def to_html(self, path: str | Path) -> Path:
        """Write a page with a heat map and parallel coordinates; returns its path."""
        from neural_trader.report.sweep_page import write_page

        measure = MEASURES[self.metric]
        return write_page(
            Path(path),
            document=self.to_dict(20),
            columns={name: self.frame[name].to_list() for name in (*self.names, self.metric)},
            worth=self.worth,
            higher_is_better=measure.higher_is_better,
        )


def whole(value: float) -> int | float:
    """A number without a fraction as a whole one."""
    return int(value) if float(value).is_integer() else value
