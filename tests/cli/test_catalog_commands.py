"""The catalog from the command line."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from commands import Command

TRADES = [
    "time,price,qty,side,trade_id",
    "2024-03-01T10:00:00.1Z,100.5,2,buy,1",
    "2024-03-01T10:00:30.0Z,101.0,1,sell,2",
    "2024-03-01T10:01:10.0Z,99.5,4,buy,3",
    "2024-03-02T09:00:00.0Z,99.0,1,sell,4",
]
QUOTES = ["time,bid,ask", "2024-03-01T10:00:00Z,1.1000,1.1002", "2024-03-01T10:00:01Z,1.1003,1.1002"]


@pytest.fixture
def here(tmp_path: Path, command: Command) -> Path:
    """A folder with files of bars, trades and quotes, some of them faulty."""
    command("data", "synth", "bars.parquet", "--bars", 300).passed()
    (tmp_path / "tape.csv").write_text("\n".join(TRADES) + "\n", encoding="utf-8")
    (tmp_path / "quotes.csv").write_text("\n".join(QUOTES) + "\n", encoding="utf-8")
    return tmp_path


def test_bars_are_imported_once(here: Path, command: Command) -> None:
    first = command("data", "import", "bars.parquet", "--venue", "demo", "--json").passed().document
    assert [each["new"] for each in first["files"][0]["datasets"]] == [300, 300, 300]
    assert Path(first["catalog"]).name == "catalog"
    again = command("data", "import", "bars.parquet", "--venue", "demo").passed().out
    assert again.count("all of it was there") == 3
    listed = command("data", "list", "--json").passed().document["datasets"]
    assert [(each["symbol"], each["kind"], each["rows"]) for each in listed] == [
        (symbol, "bars-1h", 300) for symbol in ("ALPHA", "BRAVO", "CHARLIE")
    ]
    assert "demo/ALPHA/bars-1h" in command("data", "list", "demo/A*").passed().out
    info = command("data", "info", "catalog:demo/BRAVO", "--json").passed().document["datasets"]
    assert info[0]["origins"][0]["name"] == "bars.parquet"
    assert "from bars.parquet" in command("data", "info", "catalog:demo/BRAVO").passed().out


def test_a_tree_is_imported_file_by_file_and_what_is_refused_is_told(here: Path, command: Command) -> None:
    tree = here / "tree" / "deep"
    tree.mkdir(parents=True)
    (tree / "ONE.csv").write_text("\n".join(TRADES) + "\n", encoding="utf-8")
    (tree.parent / "TWO.csv.gz").write_bytes(gzip.compress("\n".join(TRADES[:2]).encode()))
    broken = [*TRADES[:2], "2024-03-01T09:00:00.0Z,1,1,buy,9"]
    (tree / "BAD.csv").write_text("\n".join(broken) + "\n", encoding="utf-8")
    ended = command("data", "import", "tree", "--venue", "lab", "--kind", "trades")
    assert ended.code == 3
    refused, error = ended.err.splitlines()
    assert refused.startswith("refused: BAD.csv, line 3, column 'time': '2024-03-01T09:00:00.0Z' is earlier")
    assert error == "error: 1 of 3 files were refused; the others are in the catalog"
    listed = command("data", "list", "--json").passed().document["datasets"]
    assert {each["symbol"]: each["rows"] for each in listed} == {"ONE": 4, "TWO": 1}
    command("data", "import", tree / "BAD.csv", "--venue", "lab", "--kind", "trades", "--sort").passed()


def test_a_contradiction_names_the_row(here: Path, command: Command) -> None:
    arguments = ("data", "import", "tape.csv", "--venue", "lab", "--kind", "trades", "--symbol", "X/Y")
    command(*arguments).passed()
    path = here / "tape.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("99.5,4", "99.5,5"), encoding="utf-8")
    ended = command(*arguments)
    assert ended.code == 3
    assert ended.err == (
        "error: tape.csv: lab/X/Y/trades: the trade 3 of 2024-03-01 10:01:10 has quantity 5.0, but 4.0 is stored;"
        " remove the wrong one\n"
    )


def test_trades_become_bars_in_the_catalog_and_a_backtest_plays_them(here: Path, command: Command) -> None:
    command("data", "import", "tape.csv", "--venue", "lab", "--kind", "trades", "--symbol", "X/Y").passed()
    made = command("data", "bars", "catalog:lab/X-Y", "--every", "1m", "--json").passed().document
    assert made["every"] == "1m"
    assert made["series"][0]["bars"] == 3
    command("data", "bars", "catalog:lab/X/Y/trades", "--every", "2-trades").passed()
    kinds = [each["kind"] for each in command("data", "list", "--json").passed().document["datasets"]]
    assert kinds == ["bars-1m", "bars-2-trades", "trades"]
    command("data", "export", "lab/X-Y/bars-1m", "minutes.csv").passed()
    rows = pl.read_csv(here / "minutes.csv")
    assert rows["open"].to_list() == [100.5, 99.5, 99.0]
    assert rows["volume"].to_list() == [3, 4, 1]
    run = ("backtest", "-s", "buy_and_hold", "--data", "catalog:lab/X-Y", "-q")
    ended = command(*run, "--kind", "bars")
    assert ended.code == 3
    assert "names lab/X/Y/bars-1m and lab/X/Y/bars-2-trades; say which" in ended.err
    command(*run, "--kind", "bars-1m").passed()
    assert "a backtest plays bars" in command(*run, "--kind", "trades").err


def test_a_run_from_the_catalog_has_the_hash_of_the_run_from_the_file(here: Path, command: Command) -> None:
    command("data", "import", "bars.parquet", "--venue", "demo").passed()
    runs = [
        command("backtest", "--set", "fast=5", "--set", "slow=20", "--json", *data).passed().document
        for data in (("--data", "bars.parquet"), ("--data", "catalog:demo/*", "--kind", "bars"))
    ]
    assert runs[0]["hash"] == runs[1]["hash"]
    assert all(each["origin"] == "synthetic" for each in runs[1]["data"])
    (here / "run.json").write_text(command("backtest", "--data", "catalog:demo/*", "--json").out, encoding="utf-8")
    assert command("verify", "run.json").passed().out.splitlines()[-1].startswith("PASS")


def test_a_window_of_the_catalog_is_played(here: Path, command: Command) -> None:
    command("data", "import", "bars.parquet", "--venue", "demo").passed()
    data = ("backtest", "--data", "catalog:demo/ALPHA", "--start", "2022-01-03", "--end", "2022-01-05", "--json")
    assert command(*data).passed().document["data"][0]["rows"] == 48


def test_exports_hold_what_is_kept(here: Path, command: Command) -> None:
    command("data", "import", "tape.csv", "--venue", "lab", "--kind", "trades").passed()
    for name, read in (("t.csv", pl.read_csv), ("t.parquet", pl.read_parquet), ("t.feather", pl.read_ipc)):
        command("data", "export", "lab/tape", name).passed()
        frame = read(here / name)
        assert frame["price"].to_list() == [100.5, 101.0, 99.5, 99.0]
        assert frame["side"].to_list() == [1, -1, 1, -1]
    assert command("data", "export", "lab/tape", "t.csv").code == 2
    written = command("data", "export", "lab/tape", "t.csv", "--force", "--start", "2024-03-02", "--json").passed()
    assert written.document["rows"] == 1
    assert "names 1" not in command("data", "export", "lab/none", "t2.csv").err
    # What was exported can be imported again: the same rows.
    again = ("data", "import", "t.parquet", "--venue", "lab", "--kind", "trades", "--symbol", "tape", "--json")
    assert command(*again).passed().document["files"][0]["datasets"][0]["new"] == 0


def test_check_finds_problems_and_repairs_nothing(here: Path, command: Command) -> None:
    assert "nothing odd" in command("data", "check", "bars.parquet").passed().out
    before = (here / "quotes.csv").read_bytes()
    ended = command("data", "check", "quotes.csv", "--kind", "quotes", "--json")
    assert (ended.code, ended.document["problems"]) == (3, 1)
    finding = ended.document["series"][0]["findings"][0]
    assert (finding["check"], finding["rows"], finding["first"]) == ("crossed quotes", 1, "quotes.csv, line 3")
    assert (here / "quotes.csv").read_bytes() == before
    lines = ["time,open,high,low,close,volume"]
    lines += [f"2024-01-{day:02},10,11,9,10,{0 if day == 5 else 1}" for day in (1, 2, 3, 5, 4, 4)]
    lines[2] = "2024-01-02,10,8,9,10,1"
    (here / "odd.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ended = command("data", "check", "odd.csv", "--json")
    found = {each["check"]: (each["rows"], each["problem"]) for each in ended.document["series"][0]["findings"]}
    assert found == {
        "out of order": (1, True),
        "duplicates": (1, True),
        "gaps": (1, False),
        "prices that contradict": (1, True),
        "zero volume": (1, False),
    }
    assert ended.code == 3


def test_gaps_alone_are_a_problem_only_if_asked(here: Path, command: Command) -> None:
    lines = ["time,open,high,low,close", *(f"2024-01-{day:02},10,11,9,10" for day in (1, 2, 3, 6, 7))]
    (here / "gap.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command("data", "import", "gap.csv", "--venue", "lab").passed()
    ended = command("data", "check", "catalog:lab/gap", "--json").passed()
    (finding,) = ended.document["series"][0]["findings"]
    assert finding["check"] == "gaps"
    assert "2 bars missing, widest 3d" in finding["first"]
    assert command("data", "check", "catalog:lab/gap", "--strict").code == 3


def test_a_damaged_file_is_found(here: Path, command: Command) -> None:
    command("data", "import", "tape.csv", "--venue", "lab", "--kind", "trades").passed()
    path = next((here / "catalog" / "data").rglob("*.parquet"))
    pl.read_parquet(path).with_columns(pl.col("price") + 1).write_parquet(path)
    ended = command("data", "check", "catalog:lab/tape", "--json")
    assert ended.code == 3
    assert ended.document["series"][0]["findings"][0]["check"] == "damaged file"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import", "none.csv", "--venue", "x"), 3, "no such file or folder"),
        (("import", "tape.csv", "--venue", "x", "--kind", "tape"), 2, "bars, trades or quotes"),
        (("import", "tape.csv", "--venue", "x"), 3, "no column for open"),
        (("import", "bars.parquet", "--venue", "x", "--symbol", "ONE"), 3, "holds several instruments"),
        (("import", "bars.parquet", "--venue", "x", "--sort"), 2, "only trades and quotes are sorted, not bars"),
        (("import", "tape.csv", "--venue", "", "--kind", "trades"), 2, "cannot be kept"),
        (("list", "nowhere/x"), 3, "nothing in the catalog"),
        (("bars", "tape.csv", "--kind", "trades", "--every", "1m"), 2, "say where the bars go"),
        (("bars", "tape.csv", "--kind", "trades", "--every", "3 apples", "-o", "x.csv"), 2, "is no size of a bar"),
        (("bars", "tape.csv", "--kind", "trades", "--every", "9-trades", "-o", "x.csv"), 3, "do not make one bar"),
        (("export", "lab/x", "."), 3, "nothing in the catalog"),
    ],
)
def test_mistakes_end_in_one_line(
    arguments: tuple[str, ...], code: int, words: str, here: Path, command: Command
) -> None:
    ended = command("data", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert ended.err.startswith("error: ") and ended.err.count("\n") == 1
