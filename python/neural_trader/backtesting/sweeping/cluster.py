"""Sweeps on a cluster of Dask: a connection to it, and blocks of points as its tasks."""

from __future__ import annotations

import logging
import pydoc
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader._native import __version__
from neural_trader.backtesting.sweeping.cluster_work import (
    NotHereError,
    Stored,
    Task,
    Work,
    has,
    other_version,
    play_block,
)
from neural_trader.backtesting.sweeping.measures import measured
from neural_trader.backtesting.sweeping.running import Block, Plan, Played
from neural_trader.errors import NeuralTraderError, UsageError
from neural_trader.market.catalog.references import is_reference

if TYPE_CHECKING:
    from neural_trader.backtesting.settings import Settings
    from neural_trader.backtesting.sweeping.paths import Paths
    from neural_trader.backtesting.sweeping.space import Matrix

CONNECT_S = 10.0
"""How long a scheduler may take to answer, and its first worker to come."""

PATIENCE_S = 60.0
"""How long a sweep waits for a worker when all of them have gone."""

TICK_S = 0.5
"""How often it looks for workers that have come or gone."""

AHEAD = 3
"""Blocks for each thread that the cluster has at a time, so that no thread waits for us."""

BLOCKS_A_THREAD = 4
"""Blocks for each thread in a whole sweep, at least, so that the last ones end at about the same time."""

FORMULAS_LEAST = 32
"""Points of a formula in a block, below which they have too little in common."""


class Cluster:
    """A connection to the scheduler of a cluster, for as many sweeps as are played meanwhile."""

    def __init__(self, address: str) -> None:
        """Connect to ``dask://HOST:PORT``, and hold every worker to our version."""
        found = re.fullmatch(r"dask://([^/\s]+:\d+)/?", address)
        if found is None:
            raise UsageError(f"executor {address!r}: write the address of a Dask scheduler, such as dask://HOST:8786")
        try:
            import distributed
        except ImportError:
            raise UsageError(
                'a cluster needs Dask: pip install "neural-trader[cluster]" here and on the workers, '
                "or leave out the executor"
            ) from None
        self.address = found[1]
        self._log = logging.getLogger("distributed")
        self._level = self._log.level
        # What is lost with a worker is played again; its traceback would only frighten.
        self._log.setLevel(logging.CRITICAL)
        try:
            self.client: Any = distributed.Client(
                f"tcp://{self.address}", timeout=CONNECT_S, set_as_default=False, name="neural-trader"
            )
        except (OSError, TimeoutError):
            self._log.setLevel(self._level)
            raise NeuralTraderError(
                f"no scheduler answers at {address} within {CONNECT_S:g} s: start one with `dask scheduler`, "
                "or leave out the executor"
            ) from None
        try:
            self._await_workers()
            self._hold_to_version()
        except BaseException:
            self.close()
            raise

    def _await_workers(self) -> None:
        begun = time.monotonic()
        while not self.threads():
            if time.monotonic() - begun > CONNECT_S:
                raise NeuralTraderError(
                    f"the cluster at {self.address} has no worker: start some with `dask worker tcp://{self.address}`"
                )
            time.sleep(TICK_S)

    def _hold_to_version(self) -> None:
        """Ask every worker for its version, by what each Python has: one without this package can still answer."""
        for worker, version in self.asked(pydoc.locate, "neural_trader.__version__").items():
            if version is None or isinstance(version, Exception):
                raise NeuralTraderError(
                    f"the worker {worker} has no neural-trader: "
                    f'pip install "neural-trader[cluster]=={__version__}" there'
                )
            if version != __version__:
                raise NeuralTraderError(other_version(worker, version, __version__))

    def asked(self, question: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """What each worker answers; an exception where it cannot."""
        with self.telling():
            answers: dict[str, Any] = self.client.run(question, *arguments, on_error="return")
            return answers

    def stored(
        self,
        data: Any,
        kind: str | None,
        symbols: Sequence[str] | None,
        start: Any,
        end: Any,
        digest: str,
        settings: Settings,
    ) -> Stored | None:
        """Where every worker has the bars in a catalog of its own; None where they have to be sent."""
        if not is_reference(data):
            return None
        stored = Stored(data, kind, None if symbols is None else tuple(symbols), start, end, settings, digest)
        return stored if all(answer is True for answer in self.asked(has, stored).values()) else None

    def threads(self) -> int:
        """How many blocks the workers that are there can play at once."""
        with self.telling():
            return sum(self.client.nthreads().values())

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Says it in one line if the scheduler has gone."""
        try:
            yield
        except (OSError, TimeoutError) as error:
            raise self._gone() from error

    def hold_on(self, error: Exception | None = None) -> None:
        """Go on if the scheduler is there, whatever happened to a worker."""
        if self.client.status != "running":
            raise self._gone() from error

    def _gone(self) -> NeuralTraderError:
        return NeuralTraderError(
            f"the scheduler at {self.address} has gone; points that were kept with out are there: "
            "start it, and run the same command again"
        )

    def close(self) -> None:
        """Leave the cluster."""
        with suppress(OSError, TimeoutError):
            self.client.close(timeout=CONNECT_S)
        self._log.setLevel(self._level)


@contextmanager
def connected(executor: str | Cluster, threads: int = 0) -> Iterator[Cluster]:
    """A connection to a cluster; one that there is already stays open. No ``threads`` can be asked of it."""
    if threads:
        raise UsageError("threads are of this machine, and workers of a cluster have their own: leave them out")
    if isinstance(executor, Cluster):
        yield executor
        return
    cluster = Cluster(executor)
    try:
        yield cluster
    finally:
        cluster.close()


class ClusterRunner:
    """Plays blocks of points on the workers of a cluster; whatever goes with a worker is played again."""

    def __init__(self, cluster: Cluster, plan: Plan, stored: Stored | None, total: int) -> None:
        local = plan.runner(1)
        self._cluster, self._plan, self._work, self._span = cluster, plan, Work.of(plan, stored), local.span
        self._least = FORMULAS_LEAST if local.in_rust else 1
        blocks = BLOCKS_A_THREAD * max(1, cluster.threads())
        self.rows = min(local.rows, max(self._least, -(-total // blocks)))
        self.in_rust = local.in_rust
        self.paths: Paths | None = None
        self._waiting: dict[Any, Block] = {}
        self._shipped: Any = None
        self._threads, self._looked_s, self._seen_s = 0, 0.0, time.monotonic()

    def play(self, points: Matrix) -> Played:
        """Statistics of points, cut so that every thread has some of them."""
        rows = max(min(self._least, 8), -(-len(points) // max(1, self._cluster.threads())))
        cuts = range(0, len(points), rows)
        blocks = [Block(at, points[begin : begin + rows], 0) for at, begin in enumerate(cuts)]
        found = sorted(self.stream(blocks), key=lambda each: each[0].number)
        names = found[0][1][0]
        failed = {block.number * rows + row: error for block, (_, each) in found for row, error in each.items()}
        return {name: np.concatenate([values[name] for _, (values, _) in found]) for name in names}, failed

    def stream(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Played]]:
        """Statistics of blocks, as workers are done with them."""
        more, again, ended = iter(blocks), list[Block](), False
        while again or self._waiting or not ended:
            while (again or not ended) and len(self._waiting) < AHEAD * self._look():
                block = again.pop() if again else next(more, None)
                if block is None:
                    ended = True
                elif not len(block.points):
                    yield block, ({}, {})
                elif not self._submit(block):
                    again.append(block)
                    time.sleep(TICK_S)
            for future in self._done():
                block = self._waiting.pop(future)
                played = self._result(future)
                if played is None:
                    again.append(block)
                else:
                    yield block, played

    def _look(self) -> int:
        """The threads of the cluster; an error once there have been none for long."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= TICK_S:
            self._looked_s, self._threads = now_s, self._cluster.threads()
            if self._threads:
                self._seen_s = now_s
            elif now_s - self._seen_s > PATIENCE_S:
                raise NeuralTraderError(
                    f"all workers of the cluster at {self._cluster.address} have gone, and none came back within "
                    f"{PATIENCE_S:g} s; points that were kept with out are there: start workers, and run the same "
                    "command again"
                )
        return self._threads

    def _submit(self, block: Block) -> bool:
        """Give a block to the cluster; False where that has to be tried again."""
        client = self._cluster.client
        if self._shipped is None:
            try:
                # Once to each worker; one that comes later takes it from another.
                self._shipped = client.scatter(self._work, broadcast=True, hash=False)
            except (OSError, TimeoutError) as error:
                # That worker has gone meanwhile, or the scheduler has.
                self._cluster.hold_on(error)
                return False
        key = f"neural-trader-{uuid.uuid4().hex}"
        ends = None if self.paths is None else self.paths.ends
        may_be_drawn = np.arange(0) if self.paths is None else self.paths.open(block.points)
        task = Task(key, block.points, ends, may_be_drawn)
        future = client.submit(play_block, self._shipped, task, key=key, pure=False)
        self._waiting[future] = block
        return True

    def _done(self) -> list[Any]:
        """Blocks that have ended by now, one way or another."""
        from distributed import CancelledError, wait

        if not self._waiting:
            time.sleep(TICK_S)
            return []
        with suppress(TimeoutError, CancelledError), self._cluster.client.as_current():
            wait(list(self._waiting), timeout=TICK_S, return_when="FIRST_COMPLETED")
        self._look()
        return [future for future in self._waiting if future.status != "pending"]

    def _result(self, future: Any) -> Played | None:
        """Statistics of a block that has ended; None where it has to be played again."""
        from distributed import CancelledError, KilledWorker

        try:
            answer = future.result(timeout=PATIENCE_S)
        except NotHereError:
            # A worker came later, and its catalog is another one: it gets the bars.
            self._work, self._shipped = Work.of(self._plan, None), None
            return None
        except NeuralTraderError:
            raise
        except TimeoutError:
            return None
        except CancelledError:
            # The bars were lost with the only worker that had them.
            self._cluster.hold_on()
            self._shipped = None
            return None
        except KilledWorker as error:
            raise NeuralTraderError(
                f"{error.allowed_failures + 1} workers died one after the other while they played the same block: "
                "give them more memory, or look into their logs"
            ) from None
        except Exception as error:
            raise NeuralTraderError(
                f"a worker of the cluster could not play a block ({type(error).__name__}: {error}); look into its log"
            ) from error
        if answer is None:
            return None
        if self.paths is not None and answer.curves is not None:
            self.paths.take(*answer.curves)
        return measured(answer.figures, self._span, curve=self._plan.curve), answer.failed

    def close(self) -> None:
        """Cancel what still runs, and let the workers forget the bars."""
        with suppress(OSError, TimeoutError):
            self._cluster.client.cancel(list(self._waiting), force=True)
        self._waiting.clear()
        self._shipped = None
