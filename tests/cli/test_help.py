"""Help pages: the same as ever unless changed on purpose, narrow, and with examples that work."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capture_lines import session
from commands import ENVIRONMENT, MAKER, SYSTEM, Command
from neural_trader.cli import (
    anchors,
    application,
    config,
    data,
    data_bars,
    data_book,
    data_check,
    data_export,
    data_get,
    data_import,
    data_list,
    data_record,
    data_records,
    data_synth,
    memory,
    solve,
    trials,
)

DATA_VERBS = {
    "synth": data_synth.EXAMPLES,
    "info": data.INFO_EXAMPLES,
    "import": data_import.EXAMPLES,
    "get": data_get.EXAMPLES,
    "record": data_record.EXAMPLES,
    "list": data_list.EXAMPLES,
    "check": data_check.EXAMPLES,
    "book": data_book.EXAMPLES,
    "bars": data_bars.EXAMPLES,
    "records": data_records.EXAMPLES,
    "export": data_export.EXAMPLES,
}
SOLVE_VERBS = {
    "system": solve.SYSTEM_EXAMPLES,
    "analyze": solve.ANALYZE_EXAMPLES,
    "pagerank": solve.PAGERANK_EXAMPLES,
}
TRIALS_VERBS = {
    "list": trials.LIST_EXAMPLES,
    "show": trials.SHOW_EXAMPLES,
    "export": trials.EXPORT_EXAMPLES,
    "reset": trials.RESET_EXAMPLES,
}
ANCHORS_VERBS = {"add": anchors.ADD_EXAMPLES, "verify": anchors.VERIFY_EXAMPLES, "list": anchors.LIST_EXAMPLES}
COUNTING = ENVIRONMENT | {"NT_TRIALS": "trials.sqlite"}
GOLDEN = Path(__file__).parent / "help.txt"
PAGES = [
    "",
    *application.VERBS,
    *(f"data {name}" for name in DATA_VERBS),
    *(f"memory {name}" for name in memory.VERBS),
    *(f"solve {name}" for name in SOLVE_VERBS),
    *(f"trials {name}" for name in TRIALS_VERBS),
    *(f"anchors {name}" for name in ANCHORS_VERBS),
    "config show",
]


def test_help_pages_are_the_golden_ones(command: Command) -> None:
    pages = [command(*page.split(), "--help").passed().out for page in PAGES]
    text = "".join(f"$ neural-trader {page} --help\n{out}\n" for page, out in zip(PAGES, pages, strict=True))
    if os.environ.get("NT_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8"), "if this is meant: NT_UPDATE_GOLDEN=1 pytest tests/cli"
    assert max(map(len, text.splitlines())) <= 80


def test_bare_command_prints_help(command: Command) -> None:
    assert command().passed().out == command("-h").passed().out


def examples() -> list[str]:
    # Those of `data get` and `data record` ask a venue; tests/download and tests/record run them, against one here.
    texts = [
        application.EXAMPLES,
        *(text for text in DATA_VERBS.values() if text not in (data_get.EXAMPLES, data_record.EXAMPLES)),
        *memory.VERBS.values(),
        *SOLVE_VERBS.values(),
        config.SHOW_EXAMPLES,
        *TRIALS_VERBS.values(),
        *ANCHORS_VERBS.values(),
    ]
    texts += [text for _, text in application.VERBS.values()]
    return list(dict.fromkeys(line for text in texts for line in text.strip().splitlines()))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder with the files that examples speak of."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copy(samples / "mine.py", folder / "my_strategy.py")
    (folder / "session.txt").write_bytes(session(150))
    (folder / "session.ws.gz").write_bytes(gzip.compress(session(150)))
    (folder / "system.mtx").write_text(SYSTEM, encoding="utf-8")
    (folder / "b.txt").write_text("3 3 1 2\n", encoding="utf-8")
    (folder / "links.csv").write_text("row,col,value\n0,1,1\n1,2,1\n2,0,1\n", encoding="utf-8")
    (folder / "maker.py").write_text(MAKER, encoding="utf-8")
    made = (
        "data synth prices.parquet --bars 300",
        "data synth bars.parquet --bars 300",
        "data import prices.parquet --venue demo",
        "data import session.txt --venue binance --kind capture",
        "data records session.ws.gz --venue binance -o session.npy",
        "data records session.ws.gz --venue binance -o futures.npy",
        "replay -q --journal run.journal",
        "replay -q --snapshot run.snapshot --every 1m",
        "backtest -q -s rsi_reversion --memory memory.sqlite",
        "memory export memory.sqlite cards.jsonl",
        "backtest -q -o result.json --html neural-trader-report.html --end 2022-03-01",
        "anchors add result.json",
    )
    for line in made:
        command = [sys.executable, "-m", "neural_trader", *line.split()]
        subprocess.run(command, cwd=folder, env=COUNTING, stdout=subprocess.DEVNULL, check=True)
    (folder / "run.toml").write_text("cash = 500\n", encoding="utf-8")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="examples are lines of a Unix shell")
@pytest.mark.parametrize("example", examples())
def test_example_works(example: str, workshop: Path, tmp_path: Path) -> None:
    shutil.copytree(workshop, tmp_path / "here")
    # Three examples make the files that the next ones look at.
    of_next = {"data synth bars": "bars.parquet", "data records": "session.npy", "replay --journal": "run.journal"}
    for begin, made in of_next.items():
        if example.startswith(f"neural-trader {begin}"):
            (tmp_path / "here" / made).unlink()
    if example == "neural-trader backtest --resume run.snapshot":
        stop = ["-m", "neural_trader", "backtest", "--snapshot", "run.snapshot", "--stop-at", "2023-06-30"]
        here = tmp_path / "here"
        subprocess.run([sys.executable, *stop], cwd=here, env=ENVIRONMENT, capture_output=True, check=True)
    line = re.sub(r"^neural-trader", f"{shlex.quote(sys.executable)} -m neural_trader", example)
    ended = subprocess.run(
        line, shell=True, cwd=tmp_path / "here", env=COUNTING, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed(shell: str, command: Command) -> None:
    environment = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "_NEURAL_TRADER_COMPLETE=" in command("--show-completion", shell, env=environment).passed().out


def test_completion_knows_verbs_and_options(command: Command) -> None:
    def completed(line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_NEURAL_TRADER_COMPLETE": "complete_bash"}
        return command(env=words).passed().out.split()

    assert completed("neural-trader ba") == ["backtest"]
    assert completed("neural-trader backtest --lev") == ["--leverage"]
    assert completed("neural-trader data ") == list(DATA_VERBS)
