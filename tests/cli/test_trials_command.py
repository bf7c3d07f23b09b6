"""``trials``: what a user sees of the ledger, and where it is."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

from commands import Command, Ended


def run(command: Command, *more: object, **keywords: object) -> object:
    return command("backtest", "-p", "ALPHA", "--end", "2022-03-01", "-q", *more, **keywords).passed()  # type: ignore[arg-type]


def refused(ended: Ended, code: int) -> str:
    assert ended.code == code and ended.err.count("\n") == 1, ended
    return ended.err


def test_backtests_of_a_project_are_counted_beside_its_configuration(command: Command, tmp_path: Path) -> None:
    command("init", "mine").passed()
    on = {"NT_TRIALS": ""}
    for entry in (13, 14, 14):
        run(command, "-c", "mine/run.toml", "--set", f"entry={entry}", env=on)
    assert (tmp_path / "mine" / ".neural-trader" / "trials.sqlite").is_file()
    shown = command("trials", "list", "-c", "mine/run.toml", "--json", env=on).passed().document
    assert shown["total"] == 2
    assert [each["parameters"]["parameters"]["entry"] for each in shown["trials"]] == [14, 13]
    inside = command("trials", "list", folder=tmp_path / "mine", env=on).passed().out
    assert "2 trials in" in inside
    assert command("config", "show", "-c", "mine/run.toml", "--json", env=on).passed().document["trials"]["origin"] == (
        "mine/run.toml"
    )


def test_a_setting_switches_counting_off_or_moves_it(command: Command, tmp_path: Path) -> None:
    command("init", "mine").passed()
    (tmp_path / "mine" / "run.local.toml").write_text('trials = "off"\n', encoding="utf-8")
    run(command, "-c", "mine/run.toml", env={"NT_TRIALS": ""})
    (tmp_path / "mine" / "run.local.toml").write_text('trials = "kept.sqlite"\n', encoding="utf-8")
    run(command, "-c", "mine/run.toml", env={"NT_TRIALS": "off"})
    run(command, "--trials", "flag.sqlite")
    assert sorted(path.name for path in tmp_path.rglob("*.sqlite")) == ["flag.sqlite", "kept.sqlite"]


def test_trials_are_shown_exported_and_reset(command: Command, tmp_path: Path) -> None:
    env = {"NT_TRIALS": "t.sqlite"}
    assert "every backtest adds one" in command("trials", "list", env=env).passed().out
    for fast in (3, 8, 20):
        run(command, "--set", f"fast={fast}", env=env)
    best = command("trials", "list", "--best", "--json", env=env).passed().document["trials"]
    assert [each["sharpe"] for each in best] == sorted((each["sharpe"] for each in best), reverse=True)
    assert "2 of them here" in command("trials", "list", "-n", 2, env=env).passed().out
    one = command("trials", "show", best[0]["hash"][:10], "--json", env=env).passed().document
    assert one == best[0] == command("trials", "show", "best", "--json", env=env).passed().document
    assert best[0]["hash"] in command("trials", "show", best[0]["hash"], env=env).passed().out
    assert command("trials", "export", "all.csv", "--json", env=env).passed().document["trials"] == 3
    command("trials", "export", "all.json", env=env).passed()
    with (tmp_path / "all.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    written = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["trials"]
    assert [row["hash"] for row in rows] == [each["hash"] for each in written]
    assert [float(row["sharpe"]) for row in rows] == [each["sharpe"] for each in written]
    assert command("trials", "reset", "--yes", "--json", env=env).passed().document["forgotten"] == 3
    assert command("trials", "list", "--json", env=env).passed().document["total"] == 0


def test_mistakes_are_one_line(command: Command, tmp_path: Path) -> None:
    env = {"NT_TRIALS": "t.sqlite"}
    run(command, env=env)
    assert "say --yes" in refused(command("trials", "reset", env=env), 2)
    assert "no trial begins with 'zz'" in refused(command("trials", "show", "zz", env=env), 2)
    assert ".csv or .json" in refused(command("trials", "export", "all.txt", env=env), 2)
    command("trials", "export", "all.csv", env=env).passed()
    assert "--force" in refused(command("trials", "export", "all.csv", env=env), 2)
    assert "not counted here" in refused(command("trials", "list"), 3)
    with sqlite3.connect(tmp_path / "t.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer" in refused(command("trials", "list", env=env), 3)
    ended = command("backtest", "-p", "ALPHA", "--end", "2022-03-01", "--json", env=env).passed()
    assert any("not counted" in warning for warning in ended.document["warnings"])
