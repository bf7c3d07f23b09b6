"""``neural-trader data check``: what is odd about files or datasets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import Place, checked_kind
from neural_trader.cli.output import print_json
from neural_trader.cli.table import print_table
from neural_trader.errors import DataError

if TYPE_CHECKING:
    from neural_trader.market.catalog import Dataset
    from neural_trader.market.quality import Finding

EXAMPLES = """\
neural-trader data check prices.parquet
neural-trader data check "catalog:demo/*" --json
"""


def check(
    data: Annotated[str, typer.Argument(help="File, folder, or catalog:VENUE/INSTRUMENT[/KIND].")],
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="bars, trades or quotes.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Gaps, outliers and idle rows are problems too.")] = False,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Report gaps, duplicates, disorder, outliers, idle bars and crossed quotes; repair nothing."""
    from neural_trader.market.catalog.references import is_reference
    from neural_trader.market.quality import findings, series_of_files

    if is_reference(data):
        found = list(_of_datasets(data, kind, catalog))
    else:
        shown = checked_kind(kind or "bars")
        found = [(each.name, len(each.columns["time"]), findings(each)) for each in series_of_files(data, shown)]
    problems = sum(finding.problem or strict for _, _, each in found for finding in each)
    if json:
        print_json({
            "checked": data,
            "problems": problems,
            "series": [
                {"name": name, "rows": rows, "findings": [finding.document() for finding in each]}
                for name, rows, each in found
            ],
        })  # fmt: skip
    else:
        _print(found)
    if problems:
        raise DataError(f"{data}: {problems} problem{'' if problems == 1 else 's'} found; nothing was changed")


def _of_datasets(reference: str, kind: str | None, catalog: Any) -> Iterator[tuple[str, int, list[Finding]]]:
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.references import datasets_of
    from neural_trader.market.quality import findings, series_of_item

    for dataset in datasets_of(reference, kind, Catalog(catalog)):
        damaged = list(_damaged(dataset))
        rows = dataset.manifest().rows
        if damaged or dataset.key.kind in ("depth", "orders"):
            yield str(dataset.key), rows, damaged
        else:
            yield str(dataset.key), rows, findings(series_of_item(str(dataset.key), dataset.item()))


def _damaged(dataset: Dataset) -> Iterator[Finding]:
    """Files that are not the ones that were written."""
    from neural_trader.market.quality import Finding

    parts = dataset.manifest().parts
    for path, date in zip(dataset.paths(), sorted(parts), strict=True):
        try:
            with path.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == parts[date].sha256
        except OSError:
            whole = False
        if not whole:
            treatment = "not used: remove the dataset and import it again"
            yield Finding("damaged file", True, parts[date].rows, str(path), treatment)


def _print(found: list[tuple[str, int, list[Finding]]]) -> None:
    rows = [
        (name, finding.check, f"{finding.rows:,}", f"{finding.first} - {finding.treatment}")
        for name, _, each in found
        for finding in each
    ]
    if rows:
        print_table(
            rows, ("series", "finding", "rows", "first, and what becomes of them"), styles=("cyan",), right=(2,)
        )
    for name, count, each in found:
        if not each:
            print(f"{name}: {count:,} rows, nothing odd")
