"""The ledger of trials: nothing is lost, nothing is counted twice, and a broken one breaks nothing else."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.errors import DataError
from neural_trader.honesty.trials import Ledger, Trial, ledger_of, place_in, user_place

WRITER = """
import sys
from pathlib import Path
from neural_trader.honesty.trials import Ledger, Trial

ledger, who, count = Ledger(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for at in range(count):
    ledger.record(Trial(f"{who}-{at}", at, "s", "{}", "data", 9, 0.1, 1.0, 0.0, 3.0, 0.5))
    print(at, flush=True)
"""


def trial(name: str, sharpe: float | None = 1.0, inputs: str = "data") -> Trial:
    return Trial(name, 1, "sma_cross", "{}", inputs, 100, 0.001, 0.01, 0.0, 3.0, sharpe)


def writer(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def small() -> Any:
    return nt.synthetic_bars(bars=300, symbols=("ALPHA",))


def test_every_backtest_is_counted_once(tmp_path: Path, small: Any) -> None:
    path = tmp_path / "trials.sqlite"
    runs = [nt.backtest(data=small, parameters={"fast": fast, "slow": 50}, trials=path) for fast in (5, 10, 5, 20)]
    counted = [run.counted for run in runs]
    assert all(counted)
    assert [(each.search.trials, each.is_new) for each in counted if each] == [
        (1, True),
        (2, True),
        (2, False),
        (3, True),
    ]
    kept = Ledger(path).trials()
    assert [each.hash for each in kept] == [runs[0].hash, runs[1].hash, runs[3].hash]
    for own, run in zip(kept, (runs[0], runs[1], runs[3]), strict=True):
        assert own.sharpe == pytest.approx(run.stats["Sharpe Ratio"])
        assert own.document()["parameters"]["parameters"] == run.run["parameters"]
    sharpes = [each.sharpe for each in kept if each.sharpe is not None]
    mean = sum(sharpes) / 3
    last = counted[-1]
    assert last is not None
    assert last.search.variance == pytest.approx(sum((each - mean) ** 2 for each in sharpes) / 2)


def test_counting_changes_no_hash(tmp_path: Path, small: Any) -> None:
    assert nt.backtest(data=small, trials=tmp_path / "a.sqlite").hash == nt.backtest(data=small).hash


def test_a_run_without_trades_is_a_trial_without_a_ratio(tmp_path: Path, small: Any) -> None:
    class Idle(nt.Strategy):
        """Do nothing."""

    found = nt.backtest(Idle, small, trials=tmp_path / "t.sqlite").counted
    assert found is not None and found.search == (1, 0.0)
    assert Ledger(tmp_path / "t.sqlite").trials()[0].sharpe is None


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trials.sqlite"
    writers = [writer(path, f"w{at}", 40) for at in range(6)]
    for each in writers:
        each.communicate(timeout=120)
    assert [each.returncode for each in writers] == [0] * 6
    assert {each.hash for each in Ledger(path).trials()} == {f"w{who}-{at}" for who in range(6) for at in range(40)}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_what_was_recorded_survives_the_death_of_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite"
    for round_ in range(3):
        dying = writer(path, f"r{round_}", 100_000)
        assert dying.stdout is not None
        seen = [int(dying.stdout.readline()) for _ in range(25)]
        dying.send_signal(signal.SIGKILL)
        dying.stdout.close()
        dying.wait(timeout=60)
        kept = {each.hash for each in Ledger(path).trials()}
        assert {f"r{round_}-{at}" for at in seen} <= kept
        assert Ledger(path).record(trial(f"after-{round_}"))[0]
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_only_trials_on_the_same_data_count_outside_of_projects(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "t.sqlite")
    for name, inputs, sharpe in (("a", "one", 1.0), ("b", "two", 5.0), ("c", "one", None)):
        ledger.record(trial(name, sharpe, inputs))
    assert ledger.record(trial("d", 3.0, "one"), search_over="one") == (True, (3, 2.0))
    assert ledger.record(trial("d", 3.0, "one")) == (False, (4, pytest.approx(4.0)))


def test_the_ledger_is_that_of_the_project_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    (project / "inside").mkdir(parents=True)
    (project / "run.toml").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert ledger_of(None, {}, project / "inside") == Ledger(place_in(project))
    outside = ledger_of(None, {}, tmp_path)
    assert outside is not None and outside.path == user_place() and not outside.is_of_project
    assert ledger_of(None, {"CI": "true"}, tmp_path) is None
    assert ledger_of(None, {"NT_TRIALS": "off"}, project) is None
    assert ledger_of("off", {}, project) is None
    named = ledger_of(tmp_path / "own.sqlite", {"NT_TRIALS": "off"}, project)
    assert named is not None and named.path == tmp_path / "own.sqlite" and named.is_of_project


def damaged(path: Path) -> None:
    Ledger(path).record(trial("a"))
    path.write_bytes(b"\x00nonsense" * 500)


def newer(path: Path) -> None:
    Ledger(path).record(trial("a"))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()


def of_another(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trials (name TEXT)")
        connection.execute("PRAGMA user_version = 1")
    connection.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(damaged, "cannot be used"), (newer, "newer"), (of_another, "cannot be used"), (folder, "cannot be used")],
    ids=["damaged", "newer", "of_another", "folder"],
)
def test_a_broken_ledger_is_one_line_and_a_warning(tmp_path: Path, small: Any, spoil: Any, words: str) -> None:
    path = tmp_path / "t.sqlite"
    spoil(path)
    with pytest.raises(DataError, match=words) as caught:
        Ledger(path).record(trial("b"))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    result = nt.backtest(data=small, trials=path)
    assert result.counted is None and result.samples
    assert "not counted" in result.warnings[-1] and words in result.warnings[-1]


def test_a_ledger_that_may_not_be_written_is_a_warning(tmp_path: Path, small: Any) -> None:
    (tmp_path / "file").touch()
    result = nt.backtest(data=small, trials=tmp_path / "file" / "t.sqlite")
    assert "cannot be written" in result.warnings[-1]


def test_resetting_forgets_everything(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "t.sqlite")
    assert (ledger.reset(), ledger.trials()) == (0, [])
    assert not ledger.path.exists(), "looking makes no file"
    ledger.record(trial("a"))
    ledger.record(trial("b"))
    assert (ledger.reset(), ledger.trials()) == (2, [])


def test_a_ledger_of_the_first_format_is_taken_over(tmp_path: Path, small: Any) -> None:
    path = tmp_path / "t.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE trials (hash TEXT PRIMARY KEY, time_ns INTEGER NOT NULL, strategy TEXT NOT NULL, "
            "parameters TEXT NOT NULL, inputs TEXT NOT NULL, count INTEGER NOT NULL, mean REAL, deviation REAL, "
            "skewness REAL, kurtosis REAL, sharpe REAL) WITHOUT ROWID"
        )
        connection.execute("INSERT INTO trials VALUES ('ab', 1, 's', '{}', 'data', 9, 0.1, 1.0, 0.0, 3.0, 0.5)")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    ledger = Ledger(path)
    assert ledger.trials() == [Trial("ab", 1, "s", "{}", "data", 9, 0.1, 1.0, 0.0, 3.0, 0.5, "ab")]
    counted = nt.backtest(data=small, trials=path).counted
    assert counted is not None and counted.search.trials == 2
    assert ledger.search("data") == (1, 0.0) and Ledger(tmp_path / "none.sqlite").search() == (0, 0.0)
