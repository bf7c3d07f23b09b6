"""``neural-trader data import``: files into the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import Place, checked_kind
from neural_trader.cli.output import note, print_json
from neural_trader.cli.progress import progress_bar
from neural_trader.cli.table import print_table
from neural_trader.errors import DataError, UsageError

if TYPE_CHECKING:
    from neural_trader.market.catalog.importing import Imported

EXAMPLES = """\
neural-trader data import bars.parquet --venue demo
neural-trader data import bars.parquet --venue demo --catalog here
neural-trader data import session.txt --venue binance --kind capture
"""


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files (CSV, Parquet, Feather), or folders of them.")],
    venue: Annotated[str, typer.Option("--venue", metavar="NAME", help="Where it was traded.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="bars, trades, quotes, depth, orders or capture.")
    ] = "bars",
    symbol: Annotated[str | None, typer.Option("--symbol", metavar="NAME", help="[the file's name or column]")] = None,
    tick: Annotated[str | None, typer.Option("--tick", metavar="STEP", help="Of prices. [from the data]")] = None,
    lot: Annotated[str | None, typer.Option("--lot", metavar="STEP", help="Of quantities. [from the data]")] = None,
    instruments: Annotated[
        Path | None,
        typer.Option("--instruments", metavar="FILE", help="The venue's list of them, for a capture. [from the data]"),
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Sort trades and quotes by time.")] = False,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Put files of market data into the catalog; what is there already changes nothing."""
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.capturing import import_capture
    from neural_trader.market.catalog.importing import Imported, files_below, import_files
    from neural_trader.market.venue_instruments import instruments_in

    if sort and kind not in ("trades", "quotes"):
        raise UsageError(f"--sort: only trades and quotes are sorted, not {kind}; correct the file")
    if kind == "capture":
        _refuse_with_capture(symbol=symbol, tick=tick, lot=lot)
    elif instruments is not None:
        raise UsageError(f"--instruments: is for --kind capture; {kind} take --tick and --lot")
    shown = kind if kind in ("depth", "orders", "capture") else checked_kind(kind)
    kept, files = Catalog(catalog), files_below(paths, kind)
    done: list[Imported] = []
    if kind == "capture":
        described = None if instruments is None else instruments_in(instruments, venue)
        appended, notes = import_capture(kept, files, venue, described)
        done.append(Imported(files[0], tuple(appended), tuple(notes)))
        files = []
    with progress_bar("importing", quiet=json) as show:
        importing = import_files(kept, files, venue, shown, symbol=symbol, tick=tick, lot=lot, sort=sort)
        for imported in importing:
            done.append(imported)
            if show is not None:
                show(len(done) / len(files))
    if json:
        print_json({"catalog": str(kept.root), "files": [_document(each) for each in done]})
    else:
        _print(done)
    refused = [each.error for each in done if each.error is not None]
    if refused:
        if len(files) == 1:
            raise refused[0]
        for error in refused:
            note(f"refused: {error}")
        raise DataError(f"{len(refused)} of {len(files)} files were refused; the others are in the catalog")


def _refuse_with_capture(**given: str | None) -> None:
    """Options that say what a capture says itself."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"--{name}: a capture names its instruments; --instruments FILE gives their steps")


def _document(imported: Imported) -> dict[str, Any]:
    appended = [
        {"dataset": str(each.key), "rows": each.rows, "new": each.new, "files": each.files}
        for each in imported.appended
    ]
    error = None if imported.error is None else str(imported.error)
    return {"path": str(imported.path), "datasets": appended, "notes": list(imported.notes), "error": error}


def _print(done: list[Imported]) -> None:
    rows = [
        (
            str(each.key),
            f"{each.rows:,}",
            f"{each.new:,}",
            "" if each.new else "all of it was there",
            *([imported.path.name] if len(done) > 1 else []),
        )
        for imported in done
        for each in imported.appended
    ]
    if rows:
        headings = ("dataset", "rows", "new", "", *(["from"] if len(done) > 1 else []))
        print_table(rows, headings, styles=("cyan",), right=(1, 2))
    for text in dict.fromkeys(text for imported in done for text in imported.notes):
        print(f"note  {text}")
