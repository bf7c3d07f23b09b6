"""``neural-trader data record``: live streams of a venue into raw files and the catalog."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import Place
from neural_trader.cli.output import note, print_json
from neural_trader.errors import NeuralTraderError, UsageError

if TYPE_CHECKING:
    from neural_trader.market.recording.recorder import Recorder
    from neural_trader.market.recording.session import Recording

EXAMPLES = """\
neural-trader data record binance BTCUSDT ETHUSDT --for 10m
neural-trader data record kraken BTC/USD --channels depth,trades --depth 10
"""
SHOW_EVERY_S = 1.0
LOG_EVERY_S = 60.0
"""Where nobody watches a line that changes, one is added now and then."""


def record(
    venue: Annotated[
        str, typer.Argument(metavar="VENUE", help="binance, binance_us, binance_usdm, kraken or coinbase.")
    ],
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL", help="Instruments: BTCUSDT, BTC/USD, BTC-USD.")],
    channels: Annotated[
        str, typer.Option("--channels", metavar="A,B", help="Of depth, trades and quotes.")
    ] = "depth,trades,quotes",
    length: Annotated[str | None, typer.Option("--for", metavar="10m", help="How long. [until Ctrl-C]")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="When to end, UTC.")] = None,
    depth: Annotated[
        int | None, typer.Option("--depth", metavar="N", help="Levels of a whole book. [1000; Kraken 100]")
    ] = None,
    raw: Annotated[
        Path | None, typer.Option("--raw", metavar="DIR", help="For raw files. [captures, in the catalog]")
    ] = None,
    raw_only: Annotated[bool, typer.Option("--raw-only", help="Leave the catalog alone; import later.")] = False,
    url_ws: Annotated[
        str | None, typer.Option("--url-ws", metavar="URL", help="Another address of the streams, paths kept.")
    ] = None,
    url_rest: Annotated[
        str | None, typer.Option("--url-rest", metavar="URL", help="Another address for requests, paths kept.")
    ] = None,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Record live streams of a venue to raw files and to the catalog.

    Lost connections are made again, and books that missed something are joined anew. Ctrl-C ends it with all stored.
    """
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.recording.session import Recording
    from neural_trader.market.recording.streams import checked_channels, streams_of

    store, progress = Catalog(catalog), _Progress()
    recording = Recording(
        streams_of(venue), list(dict.fromkeys(symbols)), raw or store.root / "captures",
        catalog=None if raw_only else store, channels=checked_channels(channels), depth=depth, url_ws=url_ws,
        url_rest=url_rest, say=progress.say,
    )  # fmt: skip
    ended = _run(recording, _seconds(length, until), None if json else progress)
    if recording.recorder is not None:
        document = _described(recording, ended)
        if json:
            print_json(document)
        else:
            _print(document)
    if isinstance(ended, asyncio.CancelledError):
        # Ends as every command does that is told to.
        signal.raise_signal(signal.SIGTERM)
    elif ended is not None:
        raise ended
    if recording.storing is not None and recording.storing.failed:
        _, said = next(iter(recording.storing.failed.items()))
        folder = recording.files.folder if recording.files else ""
        raise NeuralTraderError(f"not all is in the catalog, but all in {folder}: {said}")


def _seconds(length: str | None, until: str | None) -> float | None:
    """How long to record; None without an end."""
    from neural_trader.market.times import SECOND_NS, instant_ns_of, interval_ns_of, time_text

    given = []
    if length is not None:
        given.append(interval_ns_of(length) / SECOND_NS)
    if until is not None:
        given.append((instant_ns_of(until, "until") - time.time_ns()) / SECOND_NS)
        if given[-1] <= 0:
            raise UsageError(f"--until {until}: is past; it is {time_text(time.time_ns() // SECOND_NS * SECOND_NS)}")
    return min(given) if given else None


def _run(recording: Recording, for_s: float | None, progress: _Progress | None) -> BaseException | None:
    """Runs it; what ended it before its time, if anything did."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(_until_terminated(recording.run(for_s, progress)))
    except (KeyboardInterrupt, asyncio.CancelledError, NeuralTraderError, OSError) as error:
        return error
    finally:
        signal.signal(signal.SIGTERM, before)
        if progress is not None:
            progress.close()
    return None


async def _until_terminated(recording: Coroutine[Any, Any, None]) -> None:
    """Ends it in order when the process is told to end: an exception out of nowhere would be lost in the event loop."""
    task = asyncio.current_task()
    assert task is not None
    # Windows has no such signals.
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await recording


class _Progress:
    """What a recording is doing: a line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()
        self._begun_s = self._shown_s = time.monotonic()
        self._messages = 0
        self._drawn = False

    def __call__(self, recorder: Recorder) -> None:
        now_s = time.monotonic()
        waited_s = now_s - self._shown_s
        if waited_s < (SHOW_EVERY_S if self._is_watched else LOG_EVERY_S):
            return
        counts = recorder.counts
        rate = (counts.messages - self._messages) / waited_s
        books = f"books {recorder.books.joined}/{recorder.books.count}, " if recorder.books.count else ""
        text = (
            f"{now_s - self._begun_s:,.0f} s  {rate:,.0f} messages/s, {counts.messages:,} messages,"
            f" {counts.records:,} records, {books}{counts.reconnects} reconnects"
        )
        self._shown_s, self._messages = now_s, counts.messages
        if self._is_watched:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._drawn = True
        else:
            note(text)

    def say(self, text: str) -> None:
        """A line above the one that changes."""
        self.close()
        note(text)

    def close(self) -> None:
        """Takes the line away."""
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._drawn = False


def _described(recording: Recording, ended: BaseException | None) -> dict[str, Any]:
    recorder, files, storing = recording.recorder, recording.files, recording.storing
    assert recorder is not None and files is not None
    counts = recorder.counts
    return {
        "venue": recording.rules.venue,
        "channels": list(recording.channels),
        "catalog": None if recording.catalog is None else str(recording.catalog.root),
        "raw": [str(path) for path in files.paths],
        "ended": "in time" if ended is None else "interrupted" if not isinstance(ended, Exception) else str(ended),
        "messages": counts.messages,
        "bytes": counts.bytes,
        "records": counts.records,
        "reconnects": counts.reconnects,
        "snapshots_asked_for": counts.snapshots,
        "repairs": dict(recorder.books.repairs),
        "books": {"joined": recorder.books.joined, "of": recorder.books.count},
        "trades_missed": counts.trades_missed,
        "malformed": counts.malformed,
        "datasets": [] if storing is None else [{"dataset": key, "new": new} for key, new in storing.rows.items()],
        "failed": {} if storing is None else storing.failed,
        "notes": [] if storing is None else storing.notes,
    }


def _print(described: dict[str, Any]) -> None:
    from neural_trader.cli.table import print_table

    if described["datasets"]:
        rows = [(each["dataset"], f"{each['new']:,}") for each in described["datasets"]]
        print_table(rows, ("dataset", "new"), styles=("cyan",), right=(1,))
    for path in described["raw"]:
        print(f"raw  {path}")
    repairs = ", ".join(f"{count} after {cause}" for cause, count in described["repairs"].items()) or "none"
    print(
        f"{described['messages']:,} messages, {described['records']:,} records, {described['reconnects']} reconnects,"
        f" books joined again: {repairs}"
    )
    if described["trades_missed"]:
        print(f"  {described['trades_missed']:,} trades were missed; nothing fills them")
    for text in described["notes"]:
        print(f"note  {text}")
