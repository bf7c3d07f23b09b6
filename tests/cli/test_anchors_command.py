"""``anchors``: what is locked stays what it is, those of this repository included."""

from __future__ import annotations

import json
from pathlib import Path

from commands import Command, Ended

OURS = Path(__file__).resolve().parents[1] / "anchors" / "anchors.lock"
STRATEGY = '''
import neural_trader as nt


class Half(nt.Strategy):
    """Hold a part."""

    def on_bar(self, bar):
        if not self.position():
            self.target(0.5 * self.share)
'''


def report(command: Command, name: str, *more: object) -> None:
    command("backtest", "-p", "ALPHA", "--end", "2022-02-01", "-q", "-o", f"{name}.json", *more).passed()


def refused(ended: Ended, code: int) -> str:
    assert ended.code == code and ended.err.count("\n") == 1, ended
    return ended.err


def test_the_anchors_of_this_repository_hold(command: Command) -> None:
    kept = [json.loads(line) for line in OURS.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(kept) >= 20
    assert len({each["digests"]["fills"] for each in kept}) == len(kept), "each locks something else"
    out = command("anchors", "verify", "--file", OURS).passed().out
    assert out == f"ANCHORS PASS ({len(kept)} / {len(kept)})\n"


def test_reports_are_locked_and_verified_from_any_folder(command: Command, tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(STRATEGY, encoding="utf-8")
    command("data", "synth", "bars.parquet", "--bars", 200).passed()
    command("backtest", "-s", "half.py", "-d", "bars.parquet", "-q", "-o", "half.json").passed()
    report(command, "cross")
    assert command("anchors", "add", "half.json", "cross.json").passed().out == "2 anchors in anchors.lock\n"
    command("anchors", "add", "cross.json", "--name", "again").passed()
    (tmp_path / "elsewhere").mkdir()
    found = command("anchors", "verify", "--file", "../anchors.lock", "--json", folder=tmp_path / "elsewhere")
    assert found.passed().document == {
        "file": "../anchors.lock",
        "verdict": "PASS",
        "passed": 3,
        "total": 3,
        "failed": {},
    }
    names = [each["name"] for each in command("anchors", "list", "--json").passed().document["anchors"]]
    assert names == ["again", "cross", "half"] and "bars.parquet" in command("anchors", "list").passed().out


def test_what_moves_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(STRATEGY, encoding="utf-8")
    report(command, "half", "-s", "half.py")
    report(command, "cross")
    command("anchors", "add", "half.json", "cross.json").passed()
    (tmp_path / "half.py").write_text(STRATEGY.replace("0.5", "0.25"), encoding="utf-8")
    ended = command("anchors", "verify")
    assert ended.out == "ANCHORS FAIL (1 / 2)\n"
    said = refused(ended, 4)
    assert "half: other orders" in said and "source file has changed" in said
    (tmp_path / "half.py").unlink()
    assert "no strategy file" in refused(command("anchors", "verify", "--json"), 4)


def test_a_report_that_contradicts_itself_is_not_locked(command: Command, tmp_path: Path) -> None:
    report(command, "cross")
    document = json.loads((tmp_path / "cross.json").read_text(encoding="utf-8"))
    document["run"]["cash"] = "20000"
    (tmp_path / "cross.json").write_text(json.dumps(document), encoding="utf-8")
    assert "does not verify" in refused(command("anchors", "add", "cross.json"), 4)
    assert not (tmp_path / "anchors.lock").exists()


def test_mistakes_are_one_line(command: Command, tmp_path: Path) -> None:
    assert "no anchors here" in refused(command("anchors", "verify"), 3)
    for text in ("nonsense\n", "{}\n", '{"format": 1}\n{"name": "x"}\n', ""):
        (tmp_path / "anchors.lock").write_text(text, encoding="utf-8")
        assert "damaged" in refused(command("anchors", "verify"), 3)
    (tmp_path / "anchors.lock").write_text('{"format": 2}\n', encoding="utf-8")
    assert "newer" in refused(command("anchors", "list"), 3)
    assert "--name is for one" in refused(command("anchors", "add", "a.json", "b.json", "--name", "x"), 2)
