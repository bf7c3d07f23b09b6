"""The command: how it is used, how it ends, and what is left when it is killed."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from neural_trader.cli.data_record import EXAMPLES
from neural_trader.market.catalog import Catalog
from sessions import EXCHANGE, PAIRS, made_binance, made_kraken
from stream_server import Binance, Kraken, Server, serving

LONG = 20_000


def environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONUTF8": "1", "NO_PROXY": "127.0.0.1"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", *arguments], cwd=folder, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def addresses(server: Server) -> tuple[str, ...]:
    return ("--url-ws", server.url_ws, "--url-rest", server.url_rest, "--catalog", "catalog")


@contextmanager
def recording(folder: Path, server: Server, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it records."""
    command = [sys.executable, "-m", "neural_trader", "data", "record", "binance", "ABUSD", *addresses(server)]
    process = subprocess.Popen(
        [*command, *arguments], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(what: Any) -> None:
    deadline_s = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def stored(folder: Path) -> dict[str, Any]:
    return {dataset.key.kind: dataset.frame() for dataset in Catalog(folder / "catalog").datasets()}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("binanse", "BTCUSDT"), 2, "no streams of 'binanse' are known; did you mean binance"),
        (("binance", "BTCUSDT", "--channels", "bars"), 2, "--channels bars: choose from depth, trades, quotes"),
        (("kraken", "BTC/USD", "--depth", "11"), 2, "--depth 11: kraken has 10, 25, 100, 500, 1000"),
        (("coinbase", "BTC-USD", "--depth", "10"), 2, "coinbase has the whole book only"),
        (("binance", "BTCUSDT", "--for", "soon"), 3, "interval 'soon' is not a length of time"),
        (("binance", "BTCUSDT", "--until", "2020-01-01"), 2, "--until 2020-01-01: is past"),
        (("binance", "BTCUSDT", "--url-rest", "http://[x"), 2, "--url-rest http://[x"),
    ],
)
def test_wrong_use_is_one_line(tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended = run(tmp_path, "data", "record", *arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.count("\n") == 1 and words in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_venue_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{held.getsockname()[1]}"
        ended = run(tmp_path, "data", "record", "binance", "ABUSD", "--url-rest", f"http://{nobody}")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("error: binance, its instruments: no answer (")
    # The streams alone may be out of reach, too.
    with serving(Server(Binance(made_binance(30), EXCHANGE))) as server:
        arguments = [*addresses(server), "--url-ws", f"ws://{nobody}"]
        ended = run(tmp_path, "data", "record", "binance", "ABUSD", *arguments)
    assert ended.returncode == 1
    assert f"error: ws://{nobody}/stream cannot be reached: " in ended.stderr.splitlines()[-1]


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['websockets'] = None\n"
        "from neural_trader.cli import main\n"
        "sys.argv = ['neural-trader', 'data', 'record', 'binance', 'BTCUSDT']; sys.exit(main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: recording needs websockets, which is not installed; pip install 'neural-trader[venues]'\n"
    )


def test_ctrl_c_ends_it_with_everything_stored(tmp_path: Path) -> None:
    session = made_binance(3000)
    with serving(Server(Binance(session, EXCHANGE))) as server, recording(tmp_path, server, "--json") as process:
        assert server.done.wait(60)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == "error: interrupted\n"
    document = json.loads(out)
    assert document["ended"] == "interrupted" and document["messages"] == len(session)
    assert len(stored(tmp_path)["trades"]) == sum(b"@trade" in message[:40] for message in session)
    assert {each["dataset"] for each in document["datasets"]} == {
        "binance/ABUSD/trades", "binance/ABUSD/quotes", "binance/ABUSD/depth",
    }  # fmt: skip


def test_being_told_to_end_stores_everything_too(tmp_path: Path) -> None:
    session = made_binance(300)
    with serving(Server(Binance(session, EXCHANGE))) as server, recording(tmp_path, server) as process:
        assert server.done.wait(60)
        time.sleep(0.5)
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143 and err == "error: terminated\n"
    assert "binance/ABUSD/depth" in out
    assert len(stored(tmp_path)["trades"]) == sum(b"@trade" in message[:40] for message in session)


def test_it_ends_in_time_and_says_what_it_has(tmp_path: Path) -> None:
    with serving(Server(Binance(made_binance(300), EXCHANGE))) as server:
        ended = run(tmp_path, "data", "record", "binance", "AB/USD", *addresses(server), "--for", "3s", "--raw", "here")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "books joined again: none" in ended.stdout
    (raw,) = (tmp_path / "here" / "binance").glob("*/*.ws.gz")
    described = raw.with_name("instruments.json")
    # The words of the documentation: the session is imported with its own description.
    again = run(
        tmp_path, "data", "import", str(raw.parent), "--kind", "capture", "--venue", "binance", "--instruments",
        str(described), "--catalog", "catalog", "--json",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    (imported,) = json.loads(again.stdout)["files"]
    assert [each["new"] for each in imported["datasets"]] == [0, 0, 0]


def test_the_examples_of_the_help_record(tmp_path: Path) -> None:
    spot = [message.replace(b"abusd", b"btcusdt").replace(b"ABUSD", b"BTCUSDT") for message in made_binance(50)]
    pairs = [message.replace(b"AB/USD", b"BTC/USD") for message in made_kraken(50)]
    venues = (Binance(spot, EXCHANGE), Kraken(pairs, PAIRS))
    for line, venue in zip(EXAMPLES.strip().splitlines(), venues, strict=True):
        with serving(Server(venue, waits=False)) as server:
            ended = run(tmp_path, *shlex.split(line)[1:], *addresses(server), "--for", "2s")
        assert (ended.returncode, ended.stderr) == (0, "")


def test_what_was_killed_reads_up_to_there_and_goes_on(tmp_path: Path) -> None:
    session = made_binance(LONG)
    times_s = [at / 4000 for at in range(len(session))]
    server = Server(Binance(session, EXCHANGE), times_s=times_s)
    with serving(server), recording(tmp_path, server) as process:
        wait_for(lambda: list(tmp_path.glob("catalog/manifests/*/*/trades/manifest.json")))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not server.done.is_set(), "it was in the middle"
        before = stored(tmp_path)
        (raw,) = (tmp_path / "catalog" / "captures" / "binance").glob("*/*.ws.gz")
        killed = raw.read_bytes()
        assert gzip.decompress(killed).endswith(b"}\n"), "whole members, whole lines"
        with recording(tmp_path, server) as second:
            assert server.done.wait(60)
            time.sleep(0.5)
            second.send_signal(signal.SIGINT)
            _, err = second.communicate(timeout=60)
            assert second.returncode == 130, err
    after = stored(tmp_path)
    for kind in before:
        assert after[kind].head(len(before[kind])).equals(before[kind]), kind
    # The raw file has what the catalog missed. A torn one, as after a power cut, has it up to the tear.
    raw.write_bytes(killed[:-3])
    arguments = ["--kind", "capture", "--venue", "binance", "--instruments", str(raw.with_name("instruments.json"))]
    added = run(tmp_path, "data", "import", str(raw), *arguments, "--catalog", "catalog", "--json")
    assert added.returncode == 0, added.stderr
    (imported,) = json.loads(added.stdout)["files"]
    assert any("cut off, as by a crash" in text for text in imported["notes"])
    ids = stored(tmp_path)["trades"]["trade_id"].to_list()
    assert len(ids) >= len(after["trades"]) and ids == sorted(set(ids))
    checked = run(tmp_path, "data", "check", "catalog:binance/*", "--catalog", "catalog")
    assert checked.returncode == 0, checked.stdout + checked.stderr
