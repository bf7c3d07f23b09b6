"""``neural-trader data book``: the order book of a moment, as text."""

from __future__ import annotations

from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.catalogs import Place
from neural_trader.cli.output import print_json
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.market.book_at import BookAt

EXAMPLES = """\
neural-trader data book session.txt --venue binance --at 2023-11-14T22:13:30
neural-trader data book "catalog:binance/*" --at 2023-11-14T22:13:30.5Z -n 20
"""


def book(
    sources: Annotated[list[str], typer.Argument(help="Files of a recorded session, or catalog:VENUE/INSTRUMENT.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The moment by the venue's clock, UTC.")],
    levels: Annotated[int, typer.Option("--levels", "-n", metavar="N", min=1, help="Levels of each side.")] = 10,
    venue: Annotated[str | None, typer.Option("--venue", metavar="NAME", help="Of a recorded session.")] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", metavar="NAME", help="Of several in a session.")] = None,
    instruments: Annotated[
        Path | None,
        typer.Option("--instruments", metavar="FILE", help="The venue's list of them. [from the session]"),
    ] = None,
    catalog: Place = None,
    json: options.Json = False,
) -> None:
    """Draw the order book of a moment, if it can be trusted."""
    found = _found(sources, at, venue, symbol, instruments, catalog)
    shown = _document(sources, found, levels)
    if json:
        print_json(shown)
    else:
        _print(found, shown, levels)


def _found(
    sources: list[str], at: str, venue: str | None, symbol: str | None, instruments: Path | None, catalog: Path | None
) -> BookAt:
    from neural_trader.market.book_at import book_in_capture, book_in_dataset
    from neural_trader.market.catalog import Catalog
    from neural_trader.market.catalog.references import datasets_of, is_reference
    from neural_trader.market.times import SMALLEST_EPOCH, instant_ns_of
    from neural_trader.market.venue_instruments import instruments_in

    at_ns = int(at) if at.isdecimal() and int(at) > SMALLEST_EPOCH * 10**9 else instant_ns_of(at, "--at")
    if any(map(is_reference, sources)):
        if len(sources) > 1 or venue is not None or instruments is not None:
            raise UsageError(f"{sources[0]}: names all there is to name; leave out --venue, --instruments and files")
        datasets = datasets_of(sources[0], "depth", Catalog(catalog))
        chosen = [each for each in datasets if symbol in (None, each.key.symbol)]
        if len(chosen) != 1:
            names = ", ".join(str(each.key) for each in datasets[:4])
            raise UsageError(f"{sources[0]}: names {names}{', ...' if len(datasets) > 4 else ''}; name one of them")
        return book_in_dataset(chosen[0], at_ns)
    if venue is None:
        raise UsageError(f"{sources[0]}: say whose messages these are with --venue NAME")
    described = None if instruments is None else instruments_in(instruments, venue)
    return book_in_capture([Path(each) for each in sources], venue, at_ns, symbol, described)


def _document(sources: list[str], found: BookAt, levels: int) -> dict[str, Any]:
    from neural_trader.market.times import time_text

    tick, lot = (Decimal(step.mantissa).scaleb(-step.decimals) for step in (found.tick, found.lot))

    def side(which: int) -> list[dict[str, float]]:
        rows = found.ladder.levels(which, levels)
        return [{"price": float(price * tick), "quantity": float(quantity * lot)} for price, quantity in rows]

    def measured(name: str, *parameters: float) -> float | None:
        value = found.ladder.measure(name, *parameters)
        return None if isnan(value) else value

    def priced(name: str) -> float | None:
        ticks = measured(name)
        return None if ticks is None else float(Decimal(repr(ticks)) * tick)

    return {
        "source": sources,
        "symbol": found.symbol,
        "at": time_text(found.at_ns),
        "update": {"id": found.update_id or None, "time": time_text(found.update_ns), "ts_event_ns": found.update_ns},
        "age_ns": found.at_ns - found.update_ns,
        "snapshot_time": time_text(found.snapshot_ns),
        "tick": str(found.tick),
        "lot": str(found.lot),
        "mid": priced("mid"),
        "spread": priced("spread"),
        "imbalance": measured("imbalance", 1),
        "microprice": priced("weighted_mid"),
        "bids": side(1),
        "asks": side(-1),
    }


def _print(found: BookAt, shown: dict[str, Any], levels: int) -> None:
    print(f"{found.symbol} at {shown['at']}")
    print(found.ladder.draw(levels, _steps(found)).rstrip("\n"))
    words = [f"{name} {_number(shown[name])}" for name in ("mid", "spread", "imbalance", "microprice")]
    print("  ".join(words))
    numbered = f"update {shown['update']['id']}" if shown["update"]["id"] else "the update"
    print(
        f"{numbered} of {shown['update']['time']}, {_age(shown['age_ns'])} before; snapshot of {shown['snapshot_time']}"
    )


def _steps(found: BookAt) -> list[tuple[int, int]]:
    return [(step.mantissa, step.decimals) for step in (found.tick, found.lot)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.9g}"


def _age(age_ns: int) -> str:
    if age_ns < 1_000_000_000:
        return f"{age_ns / 1e6:.3g} ms"
    return f"{age_ns / 1e9:.3f} s" if age_ns < 120 * 10**9 else f"{age_ns / 60e9:.1f} min"
