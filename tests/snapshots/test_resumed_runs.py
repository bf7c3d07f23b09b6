"""A run that stops, is saved, and goes on from its file is the run that never stopped, however it is played."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader._native import Engine, pause_run, restore_run, run_position, save_run
from neural_trader.backtesting.result import Result
from neural_trader.backtesting.run import play
from neural_trader.backtesting.settings import Settings
from neural_trader.backtesting.snapshots import Saving
from neural_trader.errors import DataError, EngineError, RunStopped, StrategyError, StrategyRunError, UsageError
from neural_trader.market.bars import Bars, Step
from neural_trader.market.recordings import Recording, synthetic_recording
from parity.accounts import make_account_case
from parity.outcome import PARAMETERS_JSON, VERSION, RecordsFromColumns
from parity.programs import Case, Program, make_case
from parity.test_pieces import cut
from snapshots.keepers import BarKeeper, MixedKeeper, TickKeeper

CASES = int(os.environ.get("NT_PARITY_SEEDS", "2000")) // 10
MINUTE = "1m"
LINEAR = {"interest": "5%", "instruments": {"*": {"kind": "linear", "maintenance": "0.5%"}}}

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def market() -> Recording:
    return synthetic_recording(7, MINUTE)


@pytest.fixture(scope="module")
def bars() -> list[Bars]:
    return [each.rows(0, 1_500) for each in nt.synthetic_bars(7)][:2]


def mixed(market: Recording) -> list[Any]:
    """Recordings of two venues, and bars beside them."""
    begin = int(market.records["ts_event_ns"][0])
    open_ns = begin - begin % 10**9 + np.arange(19) * 3 * 10**9
    random = np.random.default_rng(7)
    open_, close = random.integers(9_900, 10_100, (2, 19))
    guide = nt.Bars(
        "GUIDE", Step(1, 2), Step(1, 0), open_ns, open_ns + 3 * 10**9, open=open_,
        high=np.maximum(open_, close) + 5, low=np.minimum(open_, close) - 5, close=close,
    )  # fmt: skip
    other = replace(synthetic_recording(8, MINUTE), venue="two")
    return [replace(market, venue="one"), other, guide]


def runs(market: Recording, bars: list[Bars]) -> list[Run]:
    """The same kinds of runs over bars and over records, in Python and in Rust."""

    def over_bars(strategy: Any, **terms: Any) -> Run:
        return lambda **saving: nt.backtest(strategy, bars, benchmark=False, **terms, **saving)

    def over_records(strategy: Any, data: Any = market, **terms: Any) -> Run:
        return lambda **saving: nt.replay(strategy, data, benchmark=False, **terms, **saving)

    return [
        over_bars(BarKeeper),
        over_bars("sma_cross"),
        over_bars("sma_cross", native=False, fill="close"),
        over_bars("donchian_turtle"),
        over_records(TickKeeper),
        over_records(TickKeeper, queue="log", feed="5ms", whole=True),
        over_records("avellaneda_stoikov"),
        over_records("grid"),
        over_records("grid", native=False),
        over_records("twap"),
        over_records(MixedKeeper, mixed(market)),
        over_records(MixedKeeper, mixed(market), latency="0ms", feed="0ms", slippage="1 tick"),
        over_bars(BarKeeper, account=LINEAR, leverage=3),
        over_records(MixedKeeper, mixed(market), account=LINEAR, leverage=3),
    ]


def instant(ns: float) -> np.datetime64:
    return np.datetime64(int(ns), "ns")


@pytest.mark.parametrize("which", range(14))
def test_a_run_that_stopped_again_and_again_is_the_run_that_never_did(
    which: int, market: Recording, bars: list[Bars], tmp_path: Path
) -> None:
    run = runs(market, bars)[which]
    whole = run()
    random = Random(which)
    first_ns, last_ns = int(whole.time_ns[0]), int(whole.time_ns[-1])
    stops: list[Any] = sorted(instant(random.uniform(first_ns, last_ns)) for _ in range(3))
    if run_position(whole.engine)[2]:
        stops.insert(random.randrange(2), f"{random.randrange(1, 40)} turns")
    path = tmp_path / "run.snapshot"
    resume = None
    stopped = 0
    for stop_at in stops:
        with suppress(RunStopped):
            run(snapshot=path, stop_at=stop_at, resume=resume)
            continue
        stopped += 1
        resume = path
    result = run(resume=resume)
    assert stopped >= 3
    assert result.hash == whole.hash
    assert np.array_equal(result.time_ns, whole.time_ns) and np.array_equal(result.equity_curve, whole.equity_curve)
    assert result.exposed_samples == whole.exposed_samples


@pytest.mark.parametrize("which", [0, 1, 4, 6, 11])
def test_a_run_that_is_saved_on_its_way_is_the_same_and_goes_on_from_its_last_snapshot(
    which: int, market: Recording, bars: list[Bars], tmp_path: Path
) -> None:
    run = runs(market, bars)[which]
    whole, path = run(), tmp_path / "run.snapshot"
    assert run(snapshot=path, every="7d" if which < 4 else "9s").hash == whole.hash
    assert run(resume=path).hash == whole.hash
    # A stop behind the end of the data never comes.
    assert run(snapshot=path, stop_at="2100-01-01").hash == whole.hash


@dataclass(frozen=True)
class Cut:
    """Bars that arrive in pieces."""

    bars: Bars
    sizes: list[int]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bars, name)

    def __len__(self) -> int:
        return len(self.bars)

    def pieces(self) -> Iterator[Bars]:
        return cut(self.bars, self.sizes)


def hash_of(engine: Engine) -> str:
    return engine.digests(VERSION, PARAMETERS_JSON)["run"]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("strategy", ["sma_cross", BarKeeper])
def test_one_hash_whole_and_in_pieces_in_one_thread_and_two_stopped_or_not(
    strategy: Any, native: bool, bars: list[Bars], tmp_path: Path
) -> None:
    settings = Settings.of(
        cash=None, fee=None, slippage=None, fill=None, limit="touch", leverage=1, volume_cap=None, close_at_end=False,
        currency="USD", like=None,
    )  # fmt: skip
    of_class = nt.backtest(strategy, bars, benchmark=False, native=native).engine

    def hash_in_pieces(number: int) -> str:
        random = Random(number)
        path = tmp_path / f"{strategy}-{native}-{number}.snapshot"
        resume = None
        for share in (0.2, 0.21, 0.7, None):
            sizes = [random.choice((1, 30, 200, 5_000)) for _ in range(3)]
            series = [Cut(each, sizes) for each in bars]
            times = bars[0].close_ns
            stop_at = None if share is None else instant(times[int(share * len(times))] + number)
            saving = Saving.of(snapshot=stop_at and path, stop_at=stop_at, every=None, resume=resume)
            instance = nt.backtesting.run.instance_of(strategy, None)  # type: ignore[attr-defined]
            try:
                engine = play(instance, series, settings, native=native, saving=saving, run={})  # type: ignore[arg-type]
            except RunStopped:
                resume = path
                continue
        return hash_of(engine)

    found = {hash_of(of_class)}
    for workers in (1, 2):
        with ThreadPoolExecutor(workers) as pool:
            found.update(pool.map(hash_in_pieces, range(4)))
    assert len(found) == 1


@pytest.mark.parametrize("make", [make_case, make_account_case])
def test_random_runs_over_bars_stopped_anywhere_leave_the_same_records(make: Callable[[int], Case]) -> None:
    stops = fills = 0
    for case in map(make, range(CASES)):
        random = Random(case.seed)
        whole, program = Engine(case.market, **case.config), Program(case)
        expected = _played(whole, program)
        again = Program(case)

        def start() -> Engine:
            return Engine(case.market, **case.config)  # noqa: B023 - called within the loop

        engine = start()
        while True:
            pause_run(engine, turns=run_position(engine)[2] + random.choice((0, 1, 2, 9)))
            found = _played(engine, again)
            if run_position(engine)[0] or isinstance(found, str):
                break
            state = save_run(engine)
            engine = start()
            restore_run(engine, *state)
            assert save_run(engine) == state
            stops += 1
            if random.random() < 0.05:
                pause_run(engine)
                found = _played(engine, again)
                break
        assert (again.seen, found) == (program.seen, expected), case.seed
        fills += len(whole.fills["order"])
    assert stops > CASES and fills > CASES // 2


def _played(engine: Engine, program: Program) -> Any:
    try:
        engine.run(RecordsFromColumns(program))
    except EngineError as error:
        return str(error)
    return [hash_of(engine), engine.orders, engine.fills, engine.postings, engine.equity_samples, engine.halted]


IN_ANOTHER_PROCESS = """\
import json, sys
import neural_trader as nt
from neural_trader.market.recordings import synthetic_recording
from snapshots.keepers import BarKeeper, TickKeeper

bars = [each.rows(0, 1_500) for each in nt.synthetic_bars(7)][:2]
of_bars = nt.backtest(BarKeeper, bars, benchmark=False, resume=sys.argv[1])
of_records = nt.replay(TickKeeper, synthetic_recording(7, "1m"), benchmark=False, resume=sys.argv[2])
print(json.dumps([of_bars.hash, of_records.hash]))
"""


def test_a_run_goes_on_in_another_process(
    market: Recording, bars: list[Bars], tmp_path: Path, repository: Path
) -> None:
    of_bars, of_records = (runs(market, bars)[which] for which in (0, 4))
    paths = [tmp_path / "bars.snapshot", tmp_path / "records.snapshot"]
    for run, path in zip((of_bars, of_records), paths, strict=True):
        with pytest.raises(RunStopped):
            run(snapshot=path, stop_at="150 turns")
    environment = {**os.environ, "PYTHONPATH": str(repository / "tests"), "PYTHONHASHSEED": "11"}
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, *map(str, paths)]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(ended.stdout) == [of_bars().hash, of_records().hash]


# What is refused.


def test_a_snapshot_of_something_else_is_refused_with_one_line(
    market: Recording, bars: list[Bars], tmp_path: Path
) -> None:
    path = tmp_path / "run.snapshot"
    with pytest.raises(RunStopped):
        nt.replay("grid", market, snapshot=path, stop_at="90 turns")

    def refusal(call: Callable[[], object]) -> str:
        with pytest.raises(DataError) as refused:
            call()
        assert "\n" not in str(refused.value)
        return str(refused.value).removeprefix(f"{path}: ")

    assert refusal(lambda: nt.replay("grid", market, resume=path, latency="5ms")) == (
        "a snapshot of another run, with latency '10ms/10ms'; this one has '5ms/5ms'"
    )
    assert refusal(lambda: nt.replay("grid", market, resume=path, parameters={"rungs": 2})).startswith(
        "a snapshot of another run, with parameters {"
    )
    other = synthetic_recording(8, MINUTE)
    assert refusal(lambda: nt.replay("grid", other, resume=path)) == "a snapshot of a run over other data"
    assert refusal(lambda: nt.backtest(BarKeeper, bars, resume=path)) == (
        "a snapshot of a replay, and this is a backtest"
    )
    assert refusal(lambda: nt.replay("grid", market, resume=path, native=False)) == (
        "made with native=True, so it goes on only like that"
    )
    with pytest.raises(RunStopped):
        nt.replay(MixedKeeper, mixed(market), snapshot=path, stop_at="90 turns")
    *recordings, guide = mixed(market)
    dearer = replace(guide, high=guide.high + 1)
    assert refusal(lambda: nt.replay(MixedKeeper, [*recordings, dearer], resume=path)) == (
        "a snapshot of a run over other data"
    )
    assert "cannot be read" in refusal(lambda: nt.replay("grid", market, resume=tmp_path / "none"))


def test_bars_that_changed_are_refused(bars: list[Bars], tmp_path: Path) -> None:
    path = tmp_path / "run.snapshot"
    with pytest.raises(RunStopped):
        nt.backtest(BarKeeper, bars, snapshot=path, stop_at="900 turns")
    changed = nt.synthetic_bars(8)
    with pytest.raises(DataError, match=r"the bars are not those that the snapshot was made of$"):
        nt.backtest(BarKeeper, [each.rows(0, 1_500) for each in changed][:2], resume=path)


def test_what_was_asked_for_has_to_make_sense(market: Recording, tmp_path: Path) -> None:
    path = tmp_path / "run.snapshot"

    def refused(match: str, **terms: Any) -> None:
        with pytest.raises(UsageError, match=match):
            nt.replay("grid", market, **terms)

    refused("stop_at needs a file", stop_at="9 turns")
    refused("every needs a file", every="1m")
    refused("say stop_at, or every", snapshot=path)
    refused("there is no folder", snapshot=tmp_path / "no" / "run", every="1m")
    refused("journal is of a whole run", snapshot=path, every="1m", journal=tmp_path / "run.journal")
    refused("ladder is of a whole run", resume=path, ladder=True)
    path.write_text("a letter", encoding="utf-8")
    refused("is no snapshot", snapshot=path, every="1m")
    with pytest.raises(UsageError, match="a memory is of whole runs"):
        nt.backtest(BarKeeper, snapshot=tmp_path / "other", every="9d", memory=tmp_path / "memory")
    rising = nt.formula(entry=nt.close.sma(3) > nt.close.sma(9), name="rising")
    with pytest.raises(UsageError, match="rising is a formula, and those run whole"):
        nt.backtest(rising, snapshot=tmp_path / "other", every="9d")
    with pytest.raises(UsageError, match="stop_at a time"):
        nt.backtest("sma_cross", snapshot=tmp_path / "other", stop_at="9 turns")


class Hoarder(nt.Strategy):
    """Keeps what nobody can write down."""

    def on_start(self) -> None:
        self.set_timer(after_ns=1)
        self.notes = {"deep": [1, lambda: 2]}


def test_what_cannot_be_saved_is_named(market: Recording, tmp_path: Path) -> None:
    path = tmp_path / "run.snapshot"
    with pytest.raises(StrategyError, match=r"^Hoarder\.notes\['deep'\]\[1\] cannot be saved: a function is no plain"):
        nt.replay(Hoarder, market, snapshot=path, stop_at="1 turn")
    assert not path.exists() and not list(tmp_path.iterdir())


class Forgetful(Hoarder):
    """Says itself what of it matters."""

    def state(self) -> dict[str, Any]:
        return {"timers": 3}

    def restore(self, state: dict[str, Any]) -> None:
        raise ValueError(f"{state['timers']} timers")


def test_a_strategy_says_what_of_it_matters_and_what_it_raises_has_a_place(market: Recording, tmp_path: Path) -> None:
    path = tmp_path / "run.snapshot"
    with pytest.raises(RunStopped):
        nt.replay(Forgetful, market, snapshot=path, stop_at="1 turn")
    with pytest.raises(StrategyRunError, match=r"Forgetful\.restore.*ValueError: 3 timers"):
        nt.replay(Forgetful, market, resume=path)


def test_bytes_that_were_changed_are_found(market: Recording, tmp_path: Path) -> None:
    path = tmp_path / "run.snapshot"
    with pytest.raises(RunStopped):
        nt.replay(TickKeeper, market, snapshot=path, stop_at="200 turns")
    content = path.read_bytes()
    random = Random(1)
    for _ in range(40):
        at = random.randrange(len(content))
        flipped = bytes([content[at] ^ 1 << random.randrange(8)])
        for changed in (content[:at], content[:at] + flipped + content[at + 1 :]):
            path.write_bytes(changed)
            with pytest.raises(
                DataError, match=r"cut off after|no snapshot|the checksum differs|format|follow its end"
            ):
                nt.replay(TickKeeper, market, resume=path)


def test_a_disk_that_is_full_leaves_the_snapshot_before(
    market: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.snapshot"
    with pytest.raises(RunStopped):
        nt.replay(TickKeeper, market, snapshot=path, stop_at="200 turns")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="cannot be written"):
        nt.replay(TickKeeper, market, snapshot=path, stop_at="400 turns")
    assert [each.name for each in tmp_path.iterdir()] == [path.name] and path.read_bytes() == before


def test_what_was_resumed_is_one_trial_and_not_checked_for_look_ahead(bars: list[Bars], tmp_path: Path) -> None:
    path, ledger = tmp_path / "run.snapshot", tmp_path / "trials.jsonl"

    def run(**saving: Any) -> Result:
        return nt.backtest(BarKeeper, bars, benchmark=False, trials=ledger, **saving)

    with pytest.raises(RunStopped):
        run(snapshot=path, stop_at="300 turns")
    assert not ledger.exists()
    resumed = run(resume=path)
    assert resumed.look_ahead is not None and resumed.look_ahead.skipped == "the run goes on from a snapshot"
    assert resumed.warm_up is None
    assert resumed.counted is not None and resumed.counted.is_new
    saved = run(snapshot=path, every="300d")
    assert saved.look_ahead is not None and saved.look_ahead.skipped is None
    assert saved.counted is not None and not saved.counted.is_new
