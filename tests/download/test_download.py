"""Downloads hold exactly what the venue served, whatever went wrong on the way."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from neural_trader.cli import data_get
from neural_trader.errors import DataError, NeuralTraderError, UsageError
from neural_trader.market.catalog import Catalog, Key
from neural_trader.market.download import MS_NS, download, missing
from neural_trader.market.venue_history import History, Patience, opened
from venue_server import (
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    Bars,
    Prints,
    Venue,
    binance,
    bursts,
    kraken,
    minute_bars,
    pointed_at,
    serving,
)

MINUTES = 2500
HOLES = {*range(600, 607), *range(1300, 2310)}
"""Seven minutes, and more than a page."""
NOW_MS = START_MS + (MINUTES - 1) * MINUTE_MS + 5
"""While the last bar is being made."""
SINCE_NS = START_MS * MS_NS
QUICK = Patience(first_s=0.001)


@pytest.fixture(scope="module")
def bars() -> Bars:
    return minute_bars(5, MINUTES, HOLES)


@pytest.fixture(scope="module")
def trades() -> Prints:
    return bursts(6, 3500, quiet_after=1700)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "catalog")


def history_of(
    venue: Venue, lines: list[str] | None = None, patience: Patience = QUICK, name: str = "binance"
) -> History:
    return History(pointed_at(opened(name), venue.url), patience, (lines if lines is not None else []).append)


def decimals(column: Any) -> list[Decimal]:
    return [Decimal(repr(value)) for value in column]


def assert_bars(catalog: Catalog, served: Bars, name: str = "binance") -> None:
    """The rows are the finished bars that were served, digit for digit."""
    frame = catalog.dataset(Key(name, "BTCUSDT", "bars", "1m")).frame()
    assert frame["open_time"].dt.epoch("ms").to_list() == [row[0] for row in served]
    assert frame["close_time"].dt.epoch("ms").to_list() == [row[0] + MINUTE_MS for row in served]
    for place, column in enumerate(("open", "high", "low", "close", "volume"), 1):
        assert decimals(frame[column]) == [Decimal(row[place]) for row in served], column


def assert_trades(catalog: Catalog, served: Prints) -> None:
    frame = catalog.dataset(Key("binance", "BTCUSDT", "trades")).frame()
    assert frame["trade_id"].to_list() == [row["a"] for row in served]
    assert frame["ts_event"].dt.epoch("ms").to_list() == [row["T"] for row in served]
    assert decimals(frame["price"]) == [Decimal(row["p"]) for row in served]
    assert decimals(frame["quantity"]) == [Decimal(row["q"]) for row in served]
    # Whose offer rested is what Binance says; the other one took.
    assert frame["side"].to_list() == [-1 if row["m"] else 1 for row in served]


FAULTS = {1: "429", 2: "503", 4: "cut", 6: "html"}


def test_bars_are_those_served_through_429_5xx_cut_and_foreign_answers(
    catalog: Catalog, bars: Bars, trades: Prints
) -> None:
    lines: list[str] = []
    # Pages begin with bars of the page before, one of them twice, and the wide hole makes a page with nothing new.
    with serving(binance(bars, trades, now_ms=NOW_MS, windowed=True, early=3)) as venue:
        venue.faults = dict(FAULTS)
        history = history_of(venue, lines)
        made = download(history, history.market("BTC/USDT"), catalog, SINCE_NS, None, "1m")
    assert_bars(catalog, bars[:-1])
    assert (made.rows, made.new, made.notes) == (len(bars) - 1, len(bars) - 1, [])
    assert (str(made.tick), str(made.lot)) == ("0.01", "0.00001")
    assert len(venue.asked) == made.pages + len(FAULTS)
    said = [line.partition("BTCUSDT: ")[2] for line in lines]
    assert [text.split(" (")[0].split(";")[0] for text in said] == [
        "too many requests", "not available", "connection lost", "an answer that is no JSON",
    ]  # fmt: skip
    end_ns = NOW_MS * MS_NS
    gaps = missing(catalog, made.key, SINCE_NS, end_ns)
    assert (gaps.stretches, gaps.items) == (2, len(HOLES))
    assert gaps.widest == "2024-01-01 21:40 to 2024-01-02 14:30"


def test_a_page_without_rows_is_passed_over(catalog: Catalog, bars: Bars, trades: Prints) -> None:
    with serving(binance(bars, trades, now_ms=NOW_MS, windowed=True)) as venue:
        history = history_of(venue)
        download(history, history.market("BTCUSDT"), catalog, SINCE_NS + 1300 * MINUTE_MS * MS_NS, None, "1m")
    assert_bars(catalog, [row for row in bars[:-1] if row[0] >= START_MS + 1300 * MINUTE_MS])
    assert int(venue.asked[1]["startTime"]) - int(venue.asked[0]["startTime"]) == 1000 * MINUTE_MS


def test_trades_are_those_served_though_milliseconds_and_quiet_hours_lie_on_page_boundaries(
    catalog: Catalog, bars: Bars, trades: Prints
) -> None:
    now_ms = trades[-1]["T"] + HOUR_MS
    with serving(binance(bars, trades, now_ms=now_ms)) as venue:
        venue.faults = dict(FAULTS)
        history = history_of(venue)
        made = download(history, history.market("BTCUSDT"), catalog, SINCE_NS)
    assert_trades(catalog, trades)
    assert (made.rows, made.new, history.retries) == (len(trades), len(trades), len(FAULTS))
    assert missing(catalog, made.key, SINCE_NS, now_ms * MS_NS).items == 0


def test_numbers_of_trades_that_were_passed_over_are_reported(catalog: Catalog, bars: Bars, trades: Prints) -> None:
    kept = [*trades[:100], *trades[104:]]
    with serving(binance(bars, kept, now_ms=trades[-1]["T"] + 1)) as venue:
        history = history_of(venue)
        made = download(history, history.market("BTCUSDT"), catalog, SINCE_NS)
    gaps = missing(catalog, made.key, SINCE_NS, 2 * SINCE_NS)
    assert (gaps.stretches, gaps.items, gaps.widest) == (1, 4, "900100 to 900103")


def test_more_trades_in_a_millisecond_than_fit_a_page_are_refused(catalog: Catalog, bars: Bars, trades: Prints) -> None:
    burst = [{**trades[0], "a": number, "T": START_MS + 9} for number in range(1200)]
    with serving(binance(bars, burst, now_ms=NOW_MS)) as venue:
        history = history_of(venue)
        with pytest.raises(DataError, match=r"trades of 2024-01-01 00:00:00\.009 do not fit a page of 1000"):
            download(history, history.market("BTCUSDT"), catalog, SINCE_NS)
    assert catalog.datasets() == []


def test_a_venue_that_stays_down_is_given_up_and_what_came_is_kept(
    catalog: Catalog, bars: Bars, trades: Prints
) -> None:
    lines: list[str] = []
    with serving(binance(bars, trades, now_ms=NOW_MS)) as venue:
        venue.faults = dict.fromkeys(range(2, 99), "503")
        history = history_of(venue, lines, Patience(tries=3, first_s=0.001))
        with pytest.raises(NeuralTraderError, match=r"not available .*, 3 times; run this again to go on"):
            download(history, history.market("BTCUSDT"), catalog, SINCE_NS, None, "1m")
        assert_bars(catalog, bars[:1000])
        assert len(lines) == 2 and "try 3 of 3" in lines[-1]

        venue.faults = {}
        made = download(history, history.market("BTCUSDT"), catalog, SINCE_NS, None, "1m")
        assert made.resumed_ms == bars[999][0] + MINUTE_MS
        assert_bars(catalog, bars[:-1])

        asked = len(venue.asked)
        again = download(history, history.market("BTCUSDT"), catalog, SINCE_NS, None, "1m")
        assert (again.pages, again.new, len(venue.asked)) == (0, 0, asked)


def test_a_venue_that_wants_an_hour_of_silence_is_left_alone(catalog: Catalog, bars: Bars, trades: Prints) -> None:
    with serving(binance(bars, trades, now_ms=NOW_MS)) as venue:
        venue.faults = {2: "429 for an hour"}
        history = history_of(venue)
        with pytest.raises(NeuralTraderError, match="binance wants 3600 s of silence before bars of BTCUSDT"):
            download(history, history.market("BTCUSDT"), catalog, SINCE_NS, None, "1m")
    assert len(venue.asked) == 2
    assert_bars(catalog, bars[:1000])


def test_trades_without_numbers_are_kept_each_though_many_look_the_same(
    catalog: Catalog, bars: Bars, trades: Prints
) -> None:
    same = [{**row, "a": f"t{row['a']}", "p": "42000.01", "q": "0.00001", "m": True} for row in trades]
    with serving(binance(bars, same, now_ms=trades[-1]["T"] + 1)) as venue:
        history = history_of(venue)
        market = history.market("BTCUSDT")
        later_ns = trades[1200]["T"] * MS_NS
        made = download(history, market, catalog, later_ns)
        download(history, market, catalog, SINCE_NS)
    frame = catalog.dataset(made.key).frame()
    assert frame["ts_event"].dt.epoch("ms").to_list() == [row["T"] for row in same]
    assert frame["trade_id"].null_count() == len(same)


def test_an_earlier_beginning_fetches_what_is_before_and_nothing_else(
    catalog: Catalog, bars: Bars, trades: Prints
) -> None:
    with serving(binance(bars, trades, now_ms=NOW_MS)) as venue:
        history = history_of(venue)
        market = history.market("BTCUSDT")
        download(history, market, catalog, SINCE_NS + 200 * MINUTE_MS * MS_NS, None, "1m")
        asked = len(venue.asked)
        download(history, market, catalog, SINCE_NS, None, "1m")
    assert_bars(catalog, bars[:-1])
    assert len(venue.asked) == asked + 1


def test_values_between_the_steps_of_today_make_the_grid_finer(catalog: Catalog, bars: Bars, trades: Prints) -> None:
    old = [dict(row) for row in trades[:50]]
    old[7]["p"] = "42000.12345678"
    with serving(binance(bars, old, now_ms=NOW_MS)) as venue:
        history = history_of(venue)
        made = download(history, history.market("BTCUSDT"), catalog, SINCE_NS)
    assert_trades(catalog, old)
    assert made.notes == ["tick 0.00000001 instead of 0.01, because values lie between its steps"]


def test_a_bar_that_no_market_makes_is_refused(catalog: Catalog, bars: Bars, trades: Prints) -> None:
    wrong = [list(row) for row in bars[:20]]
    wrong[3][2] = "1.00000000"
    with serving(binance(wrong, trades, now_ms=NOW_MS)) as venue:
        history = history_of(venue)
        with pytest.raises(DataError, match=r"no market makes the bar .* of 2024-01-01 00:03"):
            download(history, history.market("BTCUSDT"), catalog, SINCE_NS, None, "1m")


def test_unknown_names_are_refused_with_those_that_are_near(bars: Bars, trades: Prints) -> None:
    with pytest.raises(UsageError, match=r"no venue 'binanse' in ccxt.*binance"):
        opened("binanse")
    with serving(binance(bars, trades, now_ms=NOW_MS)) as venue:
        history = history_of(venue)
        with pytest.raises(UsageError, match=r"binance has no instrument 'BTC/USDX'.*BTC/USDT"):
            history.market("BTC/USDX")
        with pytest.raises(UsageError, match="binance has no bars of 7m; it has 1s, 1m"):
            history.check("bars", "7m")


# ---- Recorded -------------------------------------------------------------------------------------------------------


def recorded(folder: Path, name: str) -> Any:
    text = gzip.decompress((folder / "wire" / name).read_bytes()).decode()
    return json.loads(text.partition(" -> ")[2].partition(": ")[2] if name.endswith(".txt.gz") else text)


def test_recorded_answers_of_kraken_come_into_the_catalog_as_they_are(shared_data: Path, catalog: Catalog) -> None:
    ohlc, trades = (recorded(shared_data, f"kraken_rest_{kind}_response.json.gz") for kind in ("ohlc", "trades"))
    pairs = recorded(shared_data, "kraken_rest_assetpairs_2021-04-17.txt.gz")
    rows, prints = ohlc["result"]["XBTUSDT"], trades["result"]["XBTUSDT"]
    with serving(kraken(pairs, ohlc, trades, now_s=rows[-1][0] + 30, page=170)) as venue:
        venue.faults = {2: "429", 3: "cut", 5: "503"}
        history = history_of(venue, name="kraken")
        market = history.market("BTC/USDT")
        got_bars = download(history, market, catalog, rows[0][0] * 10**9, None, "1m")
        got_trades = download(history, market, catalog, int(prints[0][2]) * 10**9)
    assert history.retries == 3

    frame = catalog.dataset(got_bars.key).frame()
    assert got_bars.key == Key("kraken", "BTC/USDT", "bars", "1m")
    assert frame["open_time"].dt.epoch("s").to_list() == [row[0] for row in rows[:-1]]
    for place, column in ((1, "open"), (2, "high"), (3, "low"), (4, "close"), (6, "volume")):
        assert decimals(frame[column]) == [Decimal(row[place]) for row in rows[:-1]], column

    frame = catalog.dataset(got_trades.key).frame().sort("trade_id")
    assert frame["trade_id"].to_list() == [row[6] for row in prints]
    assert frame["ts_event"].dt.epoch("ms").to_list() == [int(Decimal(repr(row[2])) * 1000) for row in prints]
    assert decimals(frame["price"]) == [Decimal(row[0]) for row in prints]
    assert decimals(frame["quantity"]) == [Decimal(row[1]) for row in prints]
    assert frame["side"].to_list() == [1 if row[3] == "b" else -1 for row in prints]


# ---- The command ----------------------------------------------------------------------------------------------------


def command(venue: Venue, folder: Path, *arguments: str, symbol: str = "BTCUSDT") -> subprocess.Popen[str]:
    script = Path(__file__).with_name("on_loopback.py")
    return subprocess.Popen(
        [sys.executable, script, venue.url, "data", "get", "binance", symbol, "--catalog", folder, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip


def kept(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.name[-4:] != "lock"
            and path.is_file()}  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("kind", ["bars", "trades"])
def test_an_interrupted_command_keeps_what_came_and_goes_on_to_the_same_catalog(
    tmp_path: Path, bars: Bars, trades: Prints, kind: str
) -> None:
    wanted = ("--since", "2024-01-01", "--json", "--kind", kind, *(("--interval", "1m") if kind == "bars" else ()))
    with serving(binance(bars, trades, now_ms=trades[-1]["T"] + 1 if kind == "trades" else NOW_MS)) as venue:
        whole = command(venue, tmp_path / "whole", *wanted)
        document = json.loads(whole.communicate(timeout=60)[0])
        assert whole.returncode == 0

        venue.asked.clear()
        venue.delay_s = 0.3
        cut = command(venue, tmp_path / "cut", *wanted)
        deadline = time.monotonic() + 60
        while len(venue.asked) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        cut.send_signal(signal.SIGINT)
        out, said = cut.communicate(timeout=60)
        assert (cut.returncode, out) == (130, ""), said
        assert "the same command goes on where this one ended" in said and said.endswith("interrupted\n")
        (dataset,) = Catalog(tmp_path / "cut").datasets()
        assert 0 < dataset.manifest().rows < document["instruments"][0]["rows"]

        venue.asked.clear()
        venue.delay_s = 0.0
        rest = command(venue, tmp_path / "cut", *wanted)
        resumed = json.loads(rest.communicate(timeout=60)[0])["instruments"][0]
        assert rest.returncode == 0
    assert int(venue.asked[0]["startTime"]) > START_MS and resumed["resumed"] is not None
    assert resumed["stored"] == document["instruments"][0]["rows"] > resumed["new"] > 0
    assert resumed["missing"] == document["instruments"][0]["missing"]
    assert kept(tmp_path / "cut") == kept(tmp_path / "whole")


def test_the_command_says_what_it_stored_and_what_the_venue_lacks(tmp_path: Path, bars: Bars, trades: Prints) -> None:
    with serving(binance(bars, trades, now_ms=NOW_MS)) as venue:
        out, said = command(venue, tmp_path, "--since", "2024-01-01", "--interval", "1m").communicate(timeout=60)
    assert said == ""
    assert out == (
        "binance/BTCUSDT/bars-1m  1,482 new bars of 1,482 in 2 pages, 1,482 in the catalog\n"
        "  1,017 bars were not served, in 2 stretches, the widest 2024-01-01 21:40 to 2024-01-02 14:30;"
        " nothing fills them\n"
    )


def test_the_examples_of_the_help_page_work(tmp_path: Path, bars: Bars, trades: Prints) -> None:
    lines = data_get.EXAMPLES.strip().splitlines()
    with serving(binance(bars, trades, now_ms=trades[-1]["T"] + 1)) as venue:
        for line in lines:
            words = shlex.split(line.removeprefix("neural-trader data get binance "))
            ended = command(venue, tmp_path, *words[1:], symbol=words[0])
            assert ended.communicate(timeout=60)[1] == "" and ended.returncode == 0
    assert len(Catalog(tmp_path).datasets()) == len(lines)
    assert_trades(Catalog(tmp_path), trades)


def test_without_ccxt_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['ccxt'] = None; from neural_trader.cli import main; sys.exit(main())"
    arguments = ["data", "get", "binance", "BTCUSDT", "--since", "2024-01-01"]
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    line = "error: downloading needs ccxt, which is not installed; pip install 'neural-trader[venues]'\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", line)
