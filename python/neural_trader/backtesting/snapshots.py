"""Runs that stop, are saved to a file, and go on from it, also on another machine (docs/snapshots.md)."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader._native import (
    Engine,
    Indicator,
    Replay,
    __version__,
    open_snapshot,
    pause_run,
    restore_run,
    run_position,
    save_run,
    seal_snapshot,
)
from neural_trader.errors import DataError, EngineError, RunStopped, UsageError
from neural_trader.market.times import instant_ns_of, interval_ns_of, time_text
from neural_trader.report.atomic import write_bytes
from neural_trader.strategy.state import decode_state, encode_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from neural_trader.strategy.base import Strategy
    from neural_trader.strategy.overlays import Overlay

_MAGIC = b"neural-trader snapshot "
_HEADER = {"version", "world", "run", "inputs", "source_sha256", "native"}
_BEFORE_ALL_NS = -(2**63)


@dataclass(frozen=True)
class Saving:
    """Where a run is saved, when, and from which snapshot it goes on."""

    path: Path | None
    stop_ns: int | None = None
    stop_turns: int | None = None
    every_ns: int | None = None
    resume: Path | None = None

    @classmethod
    def of(cls, *, snapshot: Any, stop_at: Any, every: Any, resume: Any) -> Saving | None:
        """What a user asks for; None if that is nothing. UsageError where it makes no sense.

        ``stop_at`` is a time, or a number of turns of the strategy as in "500 turns"; ``every`` a length of time by the
        clock of the data.
        """
        if snapshot is None and (stop_at is not None or every is not None):
            raise UsageError(f"{'stop_at' if every is None else 'every'} needs a file for the snapshot: snapshot=FILE")
        if snapshot is not None and stop_at is None and every is None:
            raise UsageError("a snapshot is made at a time or now and then: say stop_at, or every")
        if snapshot is None and resume is None:
            return None
        turns = re.fullmatch(r"\s*(\d+)\s*turns?\s*", stop_at) if isinstance(stop_at, str) else None
        return cls(
            path=None if snapshot is None else _free(Path(snapshot)),
            stop_ns=None if stop_at is None or turns else instant_ns_of(stop_at, "stop_at"),
            stop_turns=min(int(turns[1]), 2**63) if turns else None,
            every_ns=None if every is None else interval_ns_of(every),
            resume=None if resume is None else Path(resume),
        )


@dataclass(frozen=True)
class Course:
    """A run that may be saved on its way."""

    saving: Saving
    engine: Engine | Replay
    strategy: Strategy
    run: Mapping[str, Any]
    """What the parameter digest covers: a snapshot of anything else is refused."""
    inputs: str
    """What the run is played on, as a digest or a description."""
    source_sha256: str | None
    is_native: bool
    """The strategy runs in Rust: what it keeps is not what its form in Python keeps."""
    overlays: Sequence[Overlay] = ()
    faults: list[BaseException] = field(default_factory=list)
    """What came up here, and not in the strategy."""

    def play(self, stretch: Callable[[bytes | None], tuple[bool, bytes | None]]) -> None:
        """Play to the end, or raise RunStopped where the run was to stop.

        ``stretch`` plays up to the engine's next pause. It takes and returns the state of a strategy in Rust, None for
        one in Python, and says whether the run is over.
        """
        saving, engine = self.saving, self.engine
        state = self._resumed(saving.resume) if saving.resume is not None else None
        saved = self._place
        pause_ns = _BEFORE_ALL_NS if saving.every_ns else saving.stop_ns
        while True:
            pause_run(engine, time_ns=pause_ns, turns=saving.stop_turns)
            is_over, state = stretch(state)
            if is_over:
                return
            stopped = self._has_stopped
            if (stopped or self._place != saved) and saving.path is not None:
                self._save(saving.path, state)
                saved = self._place
            if stopped:
                turns = self._turns
                when = time_text(engine.now_ns) + (f", after {turns:,} turns" if turns else "")
                line = f"stopped at {when} and saved in {saving.path}, from which resume goes on"
                with self._own():
                    raise RunStopped(line, path=saving.path, time_ns=engine.now_ns, turns=turns)
            pause_ns = self._next_pause_ns

    @contextmanager
    def _own(self) -> Iterator[None]:
        """What is raised inside is nothing that the strategy did."""
        try:
            yield
        except BaseException as error:
            self.faults.append(error)
            raise

    @property
    def _place(self) -> tuple[int, int]:
        return self._turns, self.engine.sample_count

    @property
    def _turns(self) -> int:
        return run_position(self.engine)[2]

    @property
    def _has_stopped(self) -> bool:
        saving, (_, next_ns, turns) = self.saving, run_position(self.engine)
        by_turns = saving.stop_turns is not None and turns >= saving.stop_turns
        return by_turns or (saving.stop_ns is not None and next_ns > saving.stop_ns)

    @property
    def _next_pause_ns(self) -> int | None:
        """The first time of the grid that is not before what comes next, or where the run stops if that is earlier."""
        every_ns, stop_ns = self.saving.every_ns, self.saving.stop_ns
        if every_ns is None:
            return stop_ns
        grid_ns = min(-(-run_position(self.engine)[1] // every_ns) * every_ns, 2**63 - 1)
        return grid_ns if stop_ns is None else min(grid_ns, stop_ns)

    @property
    def _modules(self) -> set[str]:
        """The modules whose dataclasses may be part of what is saved."""
        own = [type(self.strategy), *(type(overlay) for overlay in self.overlays)]
        return {base.__module__ for each in own for base in each.__mro__ if base is not object}

    def _save(self, path: Path, state: bytes | None) -> None:
        own = [("strategy", type(self.strategy).__name__, self.strategy.state())]
        own += [("overlay", type(overlay).__name__, vars(overlay)) for overlay in self.overlays]
        with self._own():
            parts, handles = self._engine_parts()
            if state is not None:
                parts.append(("trader", state))
            for name, owner, attributes in own:
                text = encode_state(attributes, owner=owner, modules=self._modules, handles=handles)
                parts.append((name, text.encode()))
            header = {
                "version": __version__,
                "world": _world(self.engine),
                "run": self.run,
                "inputs": self.inputs,
                "source_sha256": self.source_sha256,
                "native": self.is_native,
                "time_ns": self.engine.now_ns,
                "turns": self._turns,
            }
            try:
                write_bytes(path, seal_snapshot(json.dumps(header, sort_keys=True), parts))
            except OSError as error:
                # The name of the temporary file would tell nobody anything.
                raise OSError(error.errno, f"cannot be written ({error.strerror})", str(path)) from error

    def _engine_parts(self) -> tuple[list[tuple[str, bytes]], list[Indicator]]:
        """The states of engine and indicators, and the handles of those."""
        core, indicators = save_run(self.engine)
        return [("engine", core), *(("indicator", each) for each in indicators)], self._handles

    @property
    def _handles(self) -> list[Indicator]:
        return self.engine.indicators if isinstance(self.engine, Engine) else []

    def _resumed(self, path: Path) -> bytes | None:
        """Take the state of a snapshot of this run; returns that of a strategy in Rust."""
        with self._own():
            header, parts = read_snapshot(path)
            self._refuse_other(path, header)
            try:
                restore_run(self.engine, parts["engine"][0], parts.get("indicator", []))
                texts = [parts["strategy"][0], *parts.get("overlay", [])]
                states = [decode_state(text.decode(), modules=self._modules, handles=self._handles) for text in texts]
            except (DataError, EngineError, ValueError, KeyError) as error:
                raise DataError(f"{path}: {error}") from None
        for overlay, state in zip(self.overlays, states[1:], strict=True):
            vars(overlay).update(state)
        self.strategy.restore(states[0])
        return parts.get("trader", [None])[0]

    def _refuse_other(self, path: Path, header: Mapping[str, Any]) -> None:
        if header["version"] != __version__:
            raise DataError(
                f"{path}: made by version {header['version']}, and this is {__version__}; a run goes on in its version"
            )
        if header["world"] != _world(self.engine):
            raise DataError(f"{path}: a snapshot of a {header['world']}, and this is a {_world(self.engine)}")
        # As the header has it: JSON knows neither tuples nor keys that are no text.
        run = json.loads(json.dumps(self.run))
        for name in sorted({*run, *header["run"]}):
            there, here = header["run"].get(name), run.get(name)
            if there != here:
                raise DataError(f"{path}: a snapshot of another run, with {name} {there!r}; this one has {here!r}")
        if header["inputs"] != self.inputs:
            raise DataError(f"{path}: a snapshot of a run over other data")
        if header["source_sha256"] != self.source_sha256:
            raise DataError(f"{path}: the file of the strategy has changed since the snapshot was made")
        if header["native"] != self.is_native:
            raise DataError(f"{path}: made with native={header['native']}, so it goes on only like that")


def read_snapshot(path: Path) -> tuple[dict[str, Any], dict[str, list[bytes]]]:
    """The header of a snapshot, and its states by name; DataError says what is wrong with its bytes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        text, states = open_snapshot(content)
        header = json.loads(text)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None
    if not isinstance(header, dict) or not set(header) >= _HEADER:
        raise DataError(f"{path}: its header makes no sense")
    parts: dict[str, list[bytes]] = {}
    for name, state in states:
        parts.setdefault(name, []).append(state)
    return header, parts


def is_ours(course: Course | None, error: BaseException) -> bool:
    """Whether an error came up in saving or resuming a run, and not in its strategy."""
    return course is not None and any(error is fault for fault in course.faults)


def _world(engine: Engine | Replay) -> str:
    return "replay" if isinstance(engine, Replay) else "backtest"


def _free(path: Path) -> Path:
    """Refuse a place where a snapshot cannot be written, or where it would take something else's place."""
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {str(path.parent)!r}; create it, or choose another")
    if path.exists():
        if not path.is_file():
            raise UsageError(f"{path}: exists, and is no file; choose another name for the snapshot")
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise UsageError(f"{path}: exists, and is no snapshot; choose another name")
    return path
