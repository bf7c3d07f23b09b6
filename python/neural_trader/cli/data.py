"""``neural-trader data``: the catalog, files of market data, and synthetic data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neural_trader.cli import (
    data_bars,
    data_book,
    data_check,
    data_export,
    data_get,
    data_import,
    data_list,
    data_synth,
    options,
)
from neural_trader.cli.catalogs import Place, described
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb
from neural_trader.cli.output import print_json
from neural_trader.cli.table import console, print_table

EXAMPLES = """\
neural-trader data synth bars.parquet
neural-trader data info bars.parquet
neural-trader data import prices.parquet --venue demo
"""

INFO_EXAMPLES = """\
neural-trader data info prices.parquet
neural-trader data info prices.parquet --json
"""


class Verbs(Group):
    """The verbs of data, in the order in which one meets them."""

    order = ("synth", "info", "import", "get", "list", "check", "book", "bars", "export")


data = typer.Typer(
    cls=Verbs,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    callback=without_verb,
    invoke_without_command=True,
    help="Keep, inspect and make market data.",
)


@data.command(cls=Command, context_settings=SETTINGS, epilog=INFO_EXAMPLES)
def info(
    path: Annotated[str, typer.Argument(help="File of bars or orders, folder, or catalog:VENUE/INSTRUMENT.")],
    symbols: Annotated[str | None, typer.Option("--symbols", "-p", metavar="A,B", help="Only these.")] = None,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Say what a file, folder or dataset holds, and how it was read."""
    from neural_trader.market import describe
    from neural_trader.market.catalog.references import is_reference
    from neural_trader.market.catalog.row_files import kind_in

    if is_reference(path):
        _show_datasets(path, catalog, json)
        return
    if kind_in(Path(path)) not in (None, "bars"):
        _show_rows(Path(path), json)
        return
    described = describe(path, symbols.split(",") if symbols else None)
    if json:
        print_json(described)
    else:
        _print(described)


for _name, _verb, _examples in (
    ("synth", data_synth.synth, data_synth.EXAMPLES),
    ("import", data_import.import_, data_import.EXAMPLES),
    ("get", data_get.get, data_get.EXAMPLES),
    ("list", data_list.list_, data_list.EXAMPLES),
    ("check", data_check.check, data_check.EXAMPLES),
    ("book", data_book.book, data_book.EXAMPLES),
    ("bars", data_bars.bars, data_bars.EXAMPLES),
    ("export", data_export.export, data_export.EXAMPLES),
):
    data.command(_name, cls=Command, context_settings=SETTINGS, epilog=_examples)(_verb)


def _show_datasets(reference: str, catalog: Path | None, json: bool) -> None:
    """What the manifests say: the grid, the files and where the rows came from."""
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.references import datasets_of

    found = datasets_of(reference, catalog=Catalog(catalog))
    shown = []
    for dataset in found:
        manifest = dataset.manifest()
        origins = [{"name": each.name, "sha256": each.sha256} for each in manifest.origins.values()]
        shown.append(described(dataset) | {"columns": list(manifest.columns), "origins": origins})
    if json:
        print_json({"catalog": str(found[0].catalog.root), "datasets": shown})
        return
    for each in shown:
        console().print(f"{each['venue']}/{each['symbol']}/{each['kind']}", style="bold", soft_wrap=True)
        print(f"  {each['rows']:,} rows in {each['files']} files, {each['first']} to {each['last']}")
        print(f"  tick {each['tick']}, lot {each['lot']}{', ' + each['made'] if each['made'] else ''}")
        for origin in each["origins"]:
            print(f"  from {origin['name']}, SHA-256 {origin['sha256'][:16]}")


def _show_rows(path: Path, json: bool) -> None:
    """Orders, levels or trades in a file of the catalog's columns."""
    from neural_trader.market.catalog.row_files import describe_rows

    described = describe_rows(path)
    if json:
        print_json(described)
        return
    console().print(f"{path}", style="bold", soft_wrap=True)
    print(f"  {described['rows']:,} rows of {described['kind']} of {described['symbol']}")
    if described["rows"]:
        print(f"  {described['start']} to {described['end']}")
    print(f"  tick {described['tick']}, lot {described['lot']}{', ' + described['made'] if described['made'] else ''}")
    for action, count in described.get("actions", {}).items():
        print(f"  {count:>12,} {action}")


def _print(described: dict[str, Any]) -> None:
    from rich.text import Text

    out = console()
    instruments = described["instruments"]
    plural = "" if len(instruments) == 1 else "s"
    out.print(
        Text.assemble(
            (described["path"], "bold"), f"  {described['bars']:,} bars of {len(instruments)} instrument{plural}"
        )
    )
    rows = [
        (
            each["symbol"],
            f"{each['bars']:,}",
            each["interval"],
            each["start"],
            each["end"],
            f"{each['gaps']} (≤ {each['widest_gap']})" if each["gaps"] else "0",
            each["tick"],
            each["lot"],
        )
        for each in instruments
    ]
    headings = ("symbol", "bars", "every", "first opens", "last closes", "gaps", "tick", "lot")
    print_table(rows, headings, styles=("cyan",), right=(1, 6, 7))
    for text, symbols in _notes(instruments).items():
        shared = "" if len(symbols) == len(instruments) else f"{', '.join(symbols)}: "
        out.print(Text.assemble(("note  ", "dim"), shared + text), width=min(80, out.width))


def _notes(instruments: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Each note once, with the instruments that it was made about."""
    shared: dict[str, list[str]] = {}
    for each in instruments:
        columns = ", ".join(f"{role} = {column}" for role, column in each["columns"].items() if role != column)
        for text in ([f"columns read as {columns}"] if columns else []) + each["notes"]:
            shared.setdefault(text, []).append(each["symbol"])
    return shared
