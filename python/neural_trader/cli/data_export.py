"""``neural-trader data export``: datasets into files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import End, Place, Start, free_target, referenced
from neural_trader.cli.output import print_json
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.market.catalog import Dataset

EXAMPLES = """\
neural-trader data export demo/ALPHA alpha.csv
neural-trader data export demo/ALPHA/bars-1h alpha.parquet --start 2022-01-05
"""


def export(
    reference: Annotated[str, typer.Argument(metavar="VENUE/INSTRUMENT[/KIND]", help="What to write.")],
    path: Annotated[Path, typer.Argument(help="A file: .csv, .csv.gz, .parquet or .feather.")],
    start: Start = None,
    end: End = None,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Write a dataset of the catalog to a file."""
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.references import datasets_of
    from neural_trader.market.loading import window_of

    found = datasets_of(referenced(reference), catalog=Catalog(catalog))
    if len(found) > 1:
        names = ", ".join(str(dataset.key) for dataset in found[:4])
        raise UsageError(
            f"{reference}: names {len(found)} datasets ({names}{', ...' if len(found) > 4 else ''}); name one"
        )
    rows = _written(found[0], free_target(path, force), window_of(start, end))
    if json:
        print_json({"path": str(path), "dataset": str(found[0].key), "rows": rows})
    else:
        print(f"{path}: {rows:,} rows of {found[0].key}")


def _written(dataset: Dataset, path: Path, window: tuple[int | None, int | None]) -> int:
    from neural_trader.market import Bars, write_bars
    from neural_trader.market.writing import replace_whole, write_frame

    if dataset.key.kind == "bars":
        bars = dataset.item(*window)
        assert isinstance(bars, Bars)
        write_bars(bars, path)
        return len(bars)
    frame = dataset.frame(*window)
    replace_whole(path, lambda target: write_frame(frame, target, path))
    return len(frame)
