"""``neural-trader data list``: what the catalog holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import Place, described, referenced, size_text
from neural_trader.cli.output import print_json
from neural_trader.cli.table import print_table

EXAMPLES = """\
neural-trader data list
neural-trader data list --json
"""


def list_(
    reference: Annotated[
        str | None, typer.Argument(metavar="[VENUE/INSTRUMENT]", help="Only these; * stands for any.")
    ] = None,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Show what the catalog holds."""
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.references import datasets_of

    kept = Catalog(catalog)
    datasets = kept.datasets() if reference is None else datasets_of(referenced(reference), catalog=kept)
    found = [described(dataset) for dataset in datasets]
    if json:
        print_json({"catalog": str(kept.root), "datasets": found})
        return
    if not found:
        print(f"The catalog {kept.root} is empty; `neural-trader data import FILE --venue NAME` fills it.")
        return
    rows = [_row(each) for each in found]
    print_table(rows, ("dataset", "rows", "size", "first", "last"), styles=("cyan",), right=(1, 2))
    print(f"{len(found)} dataset{'' if len(found) == 1 else 's'} in {kept.root}")


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    name = f"{each['venue']}/{each['symbol']}/{each['kind']}"
    return name, f"{each['rows']:,}", size_text(each["bytes"]), each["first"][:10], each["last"][:10]
