"""``neural-trader data get``: bars or trades of a venue, through ccxt, into the catalog."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import Place
from neural_trader.cli.output import note, print_json
from neural_trader.cli.progress import progress_bar
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.download import Download

EXAMPLES = """\
neural-trader data get binance BTCUSDT --since 2024-01-01 --interval 1m
neural-trader data get binance BTC/USDT --since 2024-01-01 --kind trades
"""


def get(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="A venue that ccxt knows, such as binance.")],
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL", help="Instruments: BTCUSDT or BTC/USDT.")],
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="What begins at or after this, UTC.")],
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="And before this. [now]")] = None,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="bars or trades.")] = "bars",
    interval: Annotated[
        str | None, typer.Option("--interval", "-i", metavar="1h", help="Length of a bar. [1h]")
    ] = None,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Download bars or trades of a venue into the catalog.

    Run it again to go on after an interruption, or to add what is new.
    """
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.loading import window_of
    from neural_trader.market.venue_history import History, opened

    if kind not in ("bars", "trades"):
        raise UsageError(f"--kind {kind}: venues serve bars or trades of the past; choose one")
    if kind == "trades" and interval is not None:
        raise UsageError("--interval is for bars; leave it out for trades")
    since_ns, until_ns = window_of(since, until)
    assert since_ns is not None
    history = History(opened(venue), say=note)
    every = (interval or "1h") if kind == "bars" else None
    history.check(kind, every or "")
    store = Catalog(catalog)
    # All names are looked up first: a slip in the last one must not show after hours.
    markets = [history.market(symbol) for symbol in dict.fromkeys(symbols)]
    done = [_one(history, market, store, since_ns, until_ns, every, json) for market in markets]
    if json:
        document = {"venue": history.name, "kind": kind, "catalog": str(store.root), "retries": history.retries}
        print_json({**document, "instruments": done})


def _one(
    history: Any, market: Any, catalog: Catalog, since_ns: int, until_ns: int | None, every: str | None, quiet: bool
) -> dict[str, Any]:
    from neural_trader.market.download import download

    with progress_bar(market.name, quiet=quiet) as progress:
        try:
            made = download(history, market, catalog, since_ns, until_ns, every, progress)
        except KeyboardInterrupt:
            note(f"{market.name}: what has arrived is stored; the same command goes on where this one ended")
            raise
    described = _described(made, catalog, since_ns, until_ns)
    if not quiet:
        _print(described)
    return described


def _described(made: Download, catalog: Catalog, since_ns: int, until_ns: int | None) -> dict[str, Any]:
    from neural_trader.errors import DataError
    from neural_trader.market.download import MS_NS, missing
    from neural_trader.market.times import time_text

    described: dict[str, Any] = {
        "dataset": str(made.key), "symbol": made.key.symbol, "pages": made.pages, "rows": made.rows, "new": made.new,
        "tick": str(made.tick), "lot": str(made.lot), "notes": made.notes,
        "resumed": None if made.resumed_ms is None else time_text(made.resumed_ms * MS_NS),
    }  # fmt: skip
    try:
        manifest = catalog.dataset(made.key).manifest()
    except DataError:
        # The venue had nothing for this window, and nothing had been there.
        return {**described, "stored": 0, "missing": None}
    found = missing(catalog, made.key, since_ns, until_ns if until_ns is not None else manifest.last_ns + 1)
    return {**described, "stored": manifest.rows, "missing": asdict(found)}


def _print(described: dict[str, Any]) -> None:
    kind = "trades" if described["dataset"].endswith("/trades") else "bars"
    new = f"{described['new']:,} new {kind} of {described['rows']:,} in {described['pages']:,} pages"
    print(f"{described['dataset']}  {new}, {described['stored']:,} in the catalog")
    if described["resumed"]:
        print(f"  went on at {described['resumed']}; what is before was there")
    if described["missing"] and (count := described["missing"]["items"]):
        what = "bars were not served" if kind == "bars" else "numbers of trades were passed over"
        stretches, widest = described["missing"]["stretches"], described["missing"]["widest"]
        print(f"  {count:,} {what}, in {stretches:,} stretches, the widest {widest}; nothing fills them")
    for each in described["notes"]:
        print(f"  note  {each}")
