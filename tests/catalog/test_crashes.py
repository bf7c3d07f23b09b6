"""Whatever ends a writer, and whoever writes beside it, a catalog is in the old state or in the new one."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog_markets import part_of, some_trades
from neural_trader.errors import DataError
from neural_trader.market.catalog import Catalog, Key, commit
from neural_trader.market.catalog.lock import held
from neural_trader.market.ticks import Trades

TRADES = Key("binance", "ETHUSDT", "trades")
WRITER = Path(__file__).with_name("writer.py")
PIECE, ROWS = 1500, 30_000


class Crash(BaseException):
    """The end of a process, at one step of its work."""


class Steps:
    """Counts what a writer does to files, and ends it at one of these steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.left = last
        for owner, name in (
            (os, "replace"), (os, "fsync"), (shutil, "rmtree"), (Path, "unlink"), (Path, "write_text"), (Path, "mkdir"),
            (pl.DataFrame, "write_parquet"),
        ):  # fmt: skip
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise Crash
            return function(*arguments, **named)

        return step


def state_of(catalog: Catalog, whole: Trades) -> int:
    """How many rows of the whole are there; everything that a catalog promises is checked on the way."""
    dataset = catalog.dataset(TRADES)
    back = dataset.item()
    assert isinstance(back, Trades)
    rows = len(back)
    for name in ("ts_ns", "price", "quantity", "trade_id"):
        assert getattr(back, name).tolist() == getattr(whole, name)[:rows].tolist()
    manifest = dataset.manifest()
    for path, part in zip(dataset.paths(), manifest.parts.values(), strict=True):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == part.sha256
    # What tools see that know nothing of manifests.
    found = pl.scan_parquet(catalog.root / "data" / "**/*.parquet", hive_partitioning=True).select(pl.len()).collect()
    assert found.item() == rows
    return rows


def test_a_crash_at_any_step_leaves_the_old_state_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = some_trades(2000)
    old = Catalog(tmp_path / "old")
    old.append(part_of(whole, 0, 900), "binance")
    seen = []
    for last in range(1000):
        catalog = Catalog(tmp_path / f"crashed {last}")
        shutil.copytree(old.root, catalog.root)
        with monkeypatch.context() as patched:
            Steps(patched, last)
            try:
                catalog.append(part_of(whole, 850, 2000), "binance")
                ended = True
            except Crash:
                ended = False
        rows = state_of(catalog, whole)
        assert rows in (900, 2000)
        assert not ended or rows == 2000
        seen.append(rows)
        # Whatever was left behind is in nobody's way.
        assert catalog.append(part_of(whole, 850, 2000), "binance").new == 2000 - rows
        assert state_of(catalog, whole) == 2000
        shutil.rmtree(catalog.root)
        if ended:
            break
    assert seen == sorted(seen)
    assert set(seen) == {900, 2000}
    assert len(seen) > 20


def start(root: Path, step: int = 1, first: int = 0) -> subprocess.Popen[str]:
    arguments = [sys.executable, str(WRITER), str(root), str(ROWS), str(PIECE), str(step), str(first)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_a_writer_that_is_killed_leaves_whole_imports(tmp_path: Path) -> None:
    whole, catalog = some_trades(ROWS), Catalog(tmp_path / "killed")
    chosen, states = random.Random(7), []
    manifest = catalog.root / "manifests" / TRADES.plain / "manifest.json"
    for _ in range(8):
        before = manifest.read_bytes() if manifest.exists() else b""
        with start(catalog.root, first=states[-1] // PIECE if states else 0) as process:
            # Once it writes, however slow the machine is, it may be in the middle of anything.
            while process.poll() is None and (not manifest.exists() or manifest.read_bytes() == before):
                time.sleep(0.002)
            time.sleep(chosen.uniform(0.0, 0.1))
            process.kill()
        states.append(state_of(catalog, whole))
        assert states[-1] % PIECE == 0
    assert states == sorted(states)
    assert states[0] > 0
    with start(catalog.root) as process:
        assert process.wait() == 0
    assert state_of(catalog, whole) == ROWS


def test_writers_of_one_dataset_take_turns_and_readers_see_whole_imports(tmp_path: Path) -> None:
    whole, catalog = some_trades(ROWS), Catalog(tmp_path / "shared")
    pieces = ROWS // PIECE
    with start(catalog.root, 2, 0) as one, start(catalog.root, 2, 1) as two, start(catalog.root, 1, 0) as all_of_them:
        reads = 0
        while any(process.poll() is None for process in (one, two, all_of_them)):
            if catalog.datasets():
                rows = len(catalog.dataset(TRADES).item())
                assert rows % PIECE == 0
                reads += 1
        assert [process.wait() for process in (one, two, all_of_them)] == [0, 0, 0]
    assert reads > 0
    assert pieces > 1
    assert state_of(catalog, whole) == ROWS


def test_who_waits_too_long_for_a_writer_is_told_which_process_it_is(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    words = f"process {os.getpid()} has been writing here"
    with held(lock), pytest.raises(DataError, match=words), held(lock, patience_s=0.1):
        pass
    with held(lock, patience_s=0.0):
        pass


def test_the_lock_of_a_process_that_died_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    script = (
        "import pathlib, sys, time\nfrom neural_trader.market.catalog.lock import held\n"
        "with held(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert lock.read_text(encoding="utf-8").strip() == str(process.pid)
        with pytest.raises(DataError), held(lock, patience_s=0.1):
            pass
        process.kill()
    with held(lock, patience_s=0.0):
        assert lock.read_text(encoding="utf-8").strip() == str(os.getpid())


def test_a_file_that_vanishes_in_the_middle_of_a_commit_is_reported(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog")
    catalog.append(some_trades(100), "binance")
    state = catalog.root / "manifests" / TRADES.plain
    (state / "journal.json").write_text('{"2024-01-09": "data/gone.parquet"}', encoding="utf-8")
    assert commit.is_unfinished(state)
    with pytest.raises(DataError, match=r"gone\.parquet: lost while it was being written"):
        catalog.dataset(TRADES).item()
