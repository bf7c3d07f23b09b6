"""Our memory: searches through its shelf as strategies make them, with and without a filter, and cards written."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from memory_points import DIMENSIONS, QUERIES, K, made, recall
from worker import Job, serve

from neural_trader import __version__
from neural_trader.memory import Card, Filter, Memory, Outcome
from neural_trader.memory.columns import Columns
from neural_trader.memory.index import Index
from neural_trader.memory.recall import Question, Recall
from neural_trader.memory.recorder import Recorder
from neural_trader.memory.shelf import Shelf
from neural_trader.memory.store import Change

BLOCK = 4096
STRATEGY, WRITING = "recall in a strategy", "cards written"
TOGETHER = 512
"""Cards that are written at a time, as runs do."""
NAMES = tuple(f"f{at:02d}" for at in range(DIMENSIONS))


class AsTheyAre:
    """An embedding that takes points as they are, so that all contestants search the same."""

    dimensions = DIMENSIONS
    name = "as they are"

    def embed(self, features: Sequence[Mapping[str, float]]) -> Any:
        return np.array([[each[name] for name in NAMES] for each in features], dtype=np.float32)


class Ours:
    """Works by name; each is all queries one after the other, or a block of cards."""

    version = f"neural-trader {__version__}"

    def __init__(self, job: Job) -> None:
        self.points = made(job["size"])
        self.asked = [dict(zip(NAMES, map(float, query), strict=True)) for query in self.points.queries]
        self.truth, self.of_symbol = self.points.truth(), self.points.truth(symbol=3)
        self.works: dict[str, Callable[[], Any]] = {}
        self.facts: dict[str, Any] = {}
        kinds = [("exact", None)] if job["graph_from"] is None else [("exact", None), ("graph", job["graph_from"])]
        for kind, graph_from in kinds:
            self._search(kind, graph_from)
        if job["cards"]:
            self._cards(job["cards"], job["graph_from"])

    def _search(self, kind: str, graph_from: int | None) -> None:
        columns, index = Columns(), Index(DIMENSIONS, graph_from=graph_from)
        for start in range(0, len(self.points.rows), BLOCK):
            rows = range(start, min(start + BLOCK, len(self.points.rows)))
            index.add(self.points.rows[rows.start : rows.stop])
            columns.add([Change(at + 1, at, at, "s", f"{self.points.symbols[at]}", "", 0.0, b"") for at in rows])
        begun = time.process_time()
        index.grow_graph(lambda rows: self.points.rows[rows])
        shelf = Shelf(AsTheyAre(), index, columns, _no_vectors)
        for label, wanted, truth in (("", Filter(), self.truth), (", one symbol", Filter(symbol="3"), self.of_symbol)):

            def search(wanted: Filter = wanted, shelf: Shelf = shelf) -> list[Recall]:
                return [shelf.recall(Question(asked, K, wanted), None, _ids) for asked in self.asked]

            found = [[card - 1 for card in answer.cards] for answer in search()]
            self.facts[f"{kind}{label}"] = {"recall": recall(found, truth), "build_s": time.process_time() - begun}
            self.works[f"{kind}{label}"] = search

    def _cards(self, count: int, graph_from: int | None) -> None:
        """Cards in a file, as runs write them: a strategy asks for them, and more are written."""
        self._folder = tempfile.TemporaryDirectory()
        self._memory = Memory(Path(self._folder.name) / "memory.sqlite", graph_from=graph_from)
        self._written = 0
        while self._written < count:
            self._write(min(BLOCK, count - self._written))
        self._memory.refreshed()
        learned = self._memory.learned_embedding()
        assert learned is not None
        rows = [dict(zip(NAMES, map(float, row), strict=True)) for row in self.points.rows[:count]]
        seen = replace(self.points, rows=learned.embed(rows), queries=learned.embed(self.asked))
        self._recorder = Recorder(self._memory, "bench", {}, 2**62)
        self.works[STRATEGY] = self._ask
        self.works[WRITING] = self._write_some
        found = [[int(card.quantity) for card in answer.cards] for answer in self._ask()]
        self.facts[STRATEGY] = {"recall": recall(found, seen.truth()), "build_s": 0.0}

    def _ask(self) -> list[Recall]:
        return [self._recorder.recall(asked, K, 2**62) for asked in self.asked]

    def _write(self, count: int) -> None:
        at = range(self._written, self._written + count)
        self._memory.add([self._card(row) for row in at])
        self._written += count

    def _write_some(self) -> None:
        self._write(TOGETHER)
        self._memory.refreshed()

    def _card(self, row: int) -> Card:
        features = dict(zip(NAMES, map(float, self.points.rows[row % len(self.points.rows)]), strict=True))
        outcome = Outcome(row + 1, 1.0, 0.01, 0.02, -0.01, 0.1, "Won, and kept most of what there was.")
        return Card(row, "bench", "ALPHA", "buy", float(row), 100.0, features, "why", "trend", {}, outcome)

    def result(self) -> dict[str, Any]:
        return {"digest": self.points.digest(), "facts": self.facts, "queries": QUERIES}


def _no_vectors(ids: Sequence[int]) -> list[bytes]:
    raise AssertionError(f"the index keeps the points of {len(ids)} cards")


def _ids(ids: Sequence[int], known: Any) -> Any:
    assert len(ids) == len(known)
    return ids


serve(Ours)
