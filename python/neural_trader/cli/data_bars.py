"""``neural-trader data bars``: bars from trades and quotes, and longer bars from shorter ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import End, Place, Start, free_target
from neural_trader.cli.output import print_json
from neural_trader.cli.table import print_table
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.market import Bars
    from neural_trader.market.catalog import Dataset
    from neural_trader.market.resampling import Every
    from neural_trader.market.ticks import Quotes, Trades

EXAMPLES = """\
neural-trader data bars prices.parquet --every 1d -o days.parquet
neural-trader data bars catalog:demo/ALPHA --every 4h
"""


def bars(
    data: Annotated[str, typer.Argument(help="File, folder, or catalog:VENUE/INSTRUMENT[/KIND].")],
    every: Annotated[
        str,
        typer.Option(
            "--every", "-e", metavar="SIZE", help="5m, 1000-trades, 50-volume, 1000000-notional, 500-imbalance."
        ),
    ],
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Of a file: bars, trades, quotes.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="File. [the catalog]")] = None,
    start: Start = None,
    end: End = None,
    partial: Annotated[bool, typer.Option("--partial", help="Keep an unfinished last bar.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Make bars of trades or quotes, or longer bars of shorter ones."""
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.references import is_reference
    from neural_trader.market.loading import window_of
    from neural_trader.market.resampling import Every

    size, window = Every.of(every), window_of(start, end)
    if out is None and not is_reference(data):
        raise UsageError(f"{data}: a file is no dataset; say where the bars go with --out FILE")
    target = None if out is None else free_target(out, force)
    kept = Catalog(catalog)
    made: list[tuple[Bars, str]] = []
    if is_reference(data):
        made += [(_made(each.item(*window), size, partial), each.key.venue) for each in _sources(data, kind, kept)]
    else:
        made += [(_made(item, size, partial), "") for item in _in_files(data, kind or "bars", start, end)]
    _keep(made, size, target, kept)
    if json:
        print_json({"every": str(size), "series": [_document(each) for each, _ in made]})
        return
    rows = [(each.symbol, f"{len(each):,}", *_ends(each)) for each, _ in made]
    print_table(rows, ("symbol", "bars", "first opens", "last closes"), styles=("cyan",), right=(1,))
    for text in dict.fromkeys(text for each, _ in made for text in each.notes):
        print(f"note  {text}")


def _sources(reference: str, kind: str | None, kept: Any) -> list[Dataset]:
    from neural_trader.market.catalog.references import datasets_of

    found = datasets_of(reference, kind, kept)
    instruments: dict[tuple[str, str], Dataset] = {}
    for dataset in found:
        other = instruments.setdefault((dataset.key.venue, dataset.key.symbol), dataset)
        if other is not dataset:
            raise UsageError(f"{reference}: names {other.key} and {dataset.key}; say of which with --kind")
    return found


def _in_files(path: str, kind: str, start: Any, end: Any) -> list[Any]:
    from neural_trader.cli.catalogs import checked_kind
    from neural_trader.market import load_bars
    from neural_trader.market.loading_ticks import load_quotes, load_trades

    if checked_kind(kind) == "bars":
        return list(load_bars(path, start=start, end=end))
    if start is not None or end is not None:
        raise UsageError(f"{path}: import trades and quotes to choose a window of time")
    return list(load_trades(path) if kind == "trades" else load_quotes(path))


def _made(item: Bars | Trades | Quotes, every: Every, partial: bool) -> Bars:
    from neural_trader.market import Bars
    from neural_trader.market.resampling import bars_from_quotes, bars_from_trades, resample
    from neural_trader.market.ticks import Trades

    if isinstance(item, Bars):
        return resample(item, every, partial=partial)
    return bars_from_trades(item, every, partial=partial) if isinstance(item, Trades) else bars_from_quotes(item, every)


def _keep(made: list[tuple[Bars, str]], every: Every, target: Path | None, kept: Any) -> None:
    from neural_trader.market import write_bars

    if target is not None:
        write_bars([each for each, _ in made], target)
        return
    for each, venue in made:
        kept.append(each, venue, every=str(every))


def _ends(each: Bars) -> tuple[str, str]:
    from neural_trader.market.times import time_text

    return time_text(each.open_ns[0]), time_text(each.close_ns[-1])


def _document(each: Bars) -> dict[str, Any]:
    first, last = _ends(each)
    return {"symbol": each.symbol, "bars": len(each), "start": first, "end": last, "notes": list(each.notes)}
