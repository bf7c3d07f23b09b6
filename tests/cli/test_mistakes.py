"""Every mistake that a user can make: its exit code, one line that says what to do, and nothing left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from commands import Command

HEADER = "time,open,high,low,close,volume\n"
FILES = {
    "empty.csv": "",
    "header.csv": HEADER,
    "columns.csv": "foo,bar\n1,2\n",
    "unsorted.csv": HEADER + "2024-01-02,1,1,1,1,1\n2024-01-01,1,1,1,1,1\n",
    "twice.csv": HEADER + "2024-01-01,1,1,1,1,1\n2024-01-01,1,1,1,1,1\n",
    "nan.csv": HEADER + "2024-01-01,1,1,1,1,1\n2024-01-02,NaN,1,1,1,1\n",
    "hole.csv": HEADER + "2024-01-01,1,1,1,1,1\n2024-01-02,,1,1,1,1\n",
    "low.csv": HEADER + "2024-01-01,1,1,1,1,1\n2024-01-02,5,4,3,4,1\n",
    "good.csv": HEADER + "".join(f"2024-01-{day:02},5,6,4,5,100\n" for day in range(1, 29)),
    "syntax.py": "def x(:\n",
    "noclass.py": "x = 1\n",
    "raises.py": (
        "import neural_trader as nt\n\nclass Raises(nt.Strategy):\n    def on_bar(self, bar):\n"
        '        raise ValueError("two\\nlines")\n'
    ),
    "import.py": "import no_such_module\n",
    "two.py": "import neural_trader as nt\nclass A(nt.Strategy): pass\nclass B(nt.Strategy): pass\n",
    "typo.toml": "cahs = 5\n",
    "kind.toml": "cash = true\n",
    "broken.toml": "cash =\n",
    "zero.toml": "cash = 0\n",
    "table.toml": "parameters = 5\n",
    "foreign.html": "<html>somebody's page</html>\n",
    "foreign.json": '{"somebody": "else"}\n',
    "broken.json": '{"schema": "neural-trader.result/1", ',
}


class Mistake(NamedTuple):
    """A command line, the exit code it ends with, and a part of the line that explains it."""

    line: str
    code: int
    says: str


MISTAKES = [
    # Wrong use ends with 2.
    Mistake("bakctest", 2, "no such command 'bakctest'. Did you mean 'backtest'"),
    Mistake("--foo", 2, "no such option: --foo; see neural-trader --help"),
    Mistake("backtest --fe 1", 2, "did you mean: --end, --fee, --set"),
    Mistake("backtest extra", 2, "unexpected extra argument(s) (extra); see neural-trader backtest --help"),
    Mistake("backtest --cash", 2, "option '--cash' requires an argument; see neural-trader backtest --help"),
    Mistake("backtest --set fast", 2, "write NAME=VALUE, such as fast=5"),
    Mistake("backtest --timerange 2024", 2, "write 20240101-20240630"),
    Mistake("backtest --timerange 20240101- --start 2024-01-01", 2, "leave out --start and --end"),
    Mistake("backtest --html no/such/page.html", 2, "there is no folder 'no/such'"),
    Mistake("backtest --html .", 2, "is a folder; name a file in it"),
    Mistake("backtest --html foreign.html", 2, "is no report of neural-trader"),
    Mistake("backtest -o foreign.json", 2, "is no report of neural-trader"),
    Mistake("backtest --html x.html --no-html", 2, "contradicts"),
    Mistake("verify", 2, "missing argument"),
    Mistake("data nope", 2, "no such command 'nope'; see neural-trader data --help"),
    Mistake("data synth good.csv", 2, "exists; choose another name, or write over it with --force"),
    Mistake("data synth new.csv --bars many", 2, "invalid value for '--bars'"),
    Mistake("strategies --source", 2, "name it"),
    Mistake("bench --bars 3", 2, "take at least 200"),
    Mistake("init good.csv", 2, "is a file"),
    # Bad data ends with 3.
    Mistake("backtest -d empty.csv", 3, "empty.csv: the file is empty"),
    Mistake("backtest -d header.csv", 3, "header.csv: no bars in the file"),
    Mistake("backtest -d columns.csv", 3, "begin the file with time,open,high,low,close,volume"),
    Mistake("backtest -d unsorted.csv", 3, "unsorted.csv, line 3, column 'time': '2024-01-01' is earlier"),
    Mistake("backtest -d twice.csv", 3, "twice.csv, line 3, column 'time'"),
    Mistake("backtest -d nan.csv", 3, "nan.csv, line 3, column 'open': 'NaN' is not a finite number"),
    Mistake("backtest -d hole.csv", 3, "hole.csv, line 3, column 'open': the value is missing"),
    Mistake("backtest -d low.csv", 3, "low.csv, line 3"),
    Mistake("backtest -d goood.csv", 3, "no such file or folder; did you mean good.csv"),
    Mistake("backtest -d good.csv -p NOPE", 3, "no symbol 'NOPE' here (found: good)"),
    Mistake("backtest -d good.csv --start 2030-01-01", 3, "no bars from 2030-01-01; the data runs from 2024-01-01"),
    Mistake("backtest -d good.csv --start 2024-01-09 --end 2024-01-02", 3, "is not before end"),
    Mistake("backtest -d good.csv --start soon", 3, "start 'soon' is not a time"),
    Mistake("data info nope.csv", 3, "nope.csv: no such file or folder"),
    Mistake("data synth new.xyz", 3, "bars are written as .csv"),
    Mistake("data synth new.csv --bars 0", 3, "0 bars cannot be made"),
    Mistake("data synth new.csv --interval soon", 3, "soon"),
    # A strategy that cannot be loaded ends with 3, one that fails with 1.
    Mistake("backtest -s sma_crss", 3, "no strategy 'sma_crss'; did you mean 'sma_cross'?"),
    Mistake("strategies sma_crss", 3, "did you mean 'sma_cross'?"),
    Mistake("backtest -s nofile.py", 3, "no strategy file 'nofile.py'"),
    Mistake("backtest -s syntax.py", 3, "syntax.py, line 1: invalid syntax"),
    Mistake("backtest -s noclass.py", 3, "write a class that derives from neural_trader.Strategy"),
    Mistake("backtest -s raises.py:Other", 3, "no strategy class 'Other'; it has Raises"),
    Mistake("backtest -s import.py", 3, "import.py, line 1: ModuleNotFoundError"),
    Mistake("backtest -s two.py", 3, "several strategies (A, B); name one"),
    Mistake("backtest -s raises.py", 1, "line 5: ValueError: two lines"),
    Mistake("backtest --set fst=5", 3, "no parameter 'fst'; did you mean 'fast'?"),
    Mistake("backtest --set fast=soon", 3, "SmaCross.fast: 'soon' is no int"),
    Mistake("backtest --set fast=999", 1, "must be at least 1 and below slow"),
    Mistake("backtest --overlay nope", 3, "no overlay 'nope' (there are: volatility_target"),
    Mistake("backtest --overlay volatility_target:anual=1", 3, "did you mean 'annual'?"),
    Mistake("backtest --overlay volatility_target:annual=x", 3, "annual = 'x' is no number"),
    Mistake("backtest --overlay stop_loss:percent=0", 3, "percent (0.0) must be between 0 and 100"),
    Mistake("backtest --data bars.csv --seed 3", 2, "--seed draws synthetic markets and would not change the data"),
    # Bad settings and configuration end with 3.
    Mistake("backtest --cash 0", 3, "cash 0: a run needs a positive amount"),
    Mistake("backtest --cash lots", 3, "cash 'lots' is not a number"),
    Mistake("backtest --fee 2", 3, "fee '2': a rate is below 1"),
    Mistake("backtest --slippage 2bananas", 3, "slippage '2bananas' is not a number"),
    Mistake("backtest --fill never", 3, "fill 'never'"),
    Mistake("backtest --limit maybe", 3, "limit 'maybe'"),
    Mistake("backtest --leverage 0", 3, "leverage 0"),
    Mistake("backtest --volume-cap 2", 3, "volume_cap 2"),
    Mistake("backtest --seed x", 3, "--seed: seed = 'x' is no whole number"),
    Mistake("backtest --seed -1", 3, "seed -1 is not between 0 and"),
    Mistake("backtest --like zipline", 3, "known: backtesting.py, vectorbt"),
    Mistake("backtest --config no.toml", 3, "no.toml: no such file"),
    Mistake("backtest --config typo.toml", 3, "typo.toml: unknown key 'cahs'; did you mean 'cash'?"),
    Mistake("backtest --config kind.toml", 3, "kind.toml: cash = True is no number"),
    Mistake("backtest --config broken.toml", 3, "broken.toml: not valid TOML"),
    Mistake("backtest --config zero.toml", 3, "zero.toml: cash 0: a run needs a positive amount"),
    Mistake("backtest --config table.toml", 3, "write [parameters]"),
    # A report that cannot be read ends with 3.
    Mistake("verify nope.json", 3, "no such file; give a report"),
    Mistake("verify foreign.html", 3, "neither a JSON document nor a report"),
    Mistake("verify foreign.json", 3, "its schema is None"),
    Mistake("verify broken.json", 3, "the JSON document is damaged"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All the files that the mistakes are made with."""
    made = tmp_path_factory.mktemp("mistakes")
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.line)
def test_mistake_is_one_line_with_its_code_and_leaves_nothing(mistake: Mistake, folder: Path, command: Command) -> None:
    ended = command(*mistake.line.split(), folder=folder)
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1, ended.err
    assert mistake.says in ended.err
    assert ended.code == mistake.code
    assert contents(folder) == FILES


def test_unknown_variable_of_the_environment_is_refused(command: Command) -> None:
    ended = command("backtest", env={"NT__CSH": "5"})
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == "error: NT__CSH: unknown key 'csh'; did you mean 'cash'?\n"


def test_debug_shows_the_traceback_above_the_line(folder: Path, command: Command) -> None:
    ended = command("backtest", "-s", "raises.py", "--debug", folder=folder)
    assert ended.code == 1
    assert ended.err.startswith("Traceback") and 'ValueError("two\\nlines")' in ended.err
    assert ended.err.splitlines()[-1].startswith("error: Raises.on_bar")


@pytest.mark.parametrize("base", ["Exception", "BaseException"])
def test_unexpected_error_is_one_line_that_points_to_debug(base: str, command: Command, tmp_path: Path) -> None:
    # A panic of a Rust library arrives as a BaseException.
    (tmp_path / "sitecustomize.py").write_text(
        f"import neural_trader._native as native\n"
        f"class Panic({base}): pass\n"
        f"def broken(): raise Panic('of our making')\n"
        f"native.feature_table = broken\n",
        encoding="utf-8",
    )
    ended = command("features", env={"PYTHONPATH": str(tmp_path)})
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "error: unexpected Panic: of our making; run with --debug to see where, and please report it\n"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_may_not_be_written_is_refused_before_the_run(command: Command, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    ended = command("backtest", "--html", "page.html")
    assert ended.code == 2
    assert "page.html: may not be written; choose another place" in ended.err
