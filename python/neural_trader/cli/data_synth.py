"""``neural-trader data synth``: bars and order flow that no market ever traded, into files."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.cli.progress import progress_bar
from neural_trader.cli.table import console
from neural_trader.errors import DataError, UsageError

if TYPE_CHECKING:
    from neural_trader.market import Bars
    from neural_trader.market.order_flow import Records

EXAMPLES = """\
neural-trader data synth bars.csv --symbols ALPHA,BRAVO --bars 1000
neural-trader data synth folder --interval 1d --start 2015-01-01 --seed 11
neural-trader data synth calm.parquet --model regime --set stress_days=1
neural-trader data synth flow.parquet --model order-flow --duration 10m
"""

MODELS = ("bars", "gbm", "merton", "heston", "ou", "regime", "order-flow")
ROWS_MAX = 50_000_000
"""Rows that a file is made of at once; longer streams are taken block by block in Python."""


def synth(
    path: Annotated[Path, typer.Argument(help="A file (.parquet .csv .csv.gz .feather), or a folder.")],
    model: Annotated[str, typer.Option("--model", "-m", metavar="NAME", help=f"{', '.join(MODELS)}.")] = "bars",
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Parameter of the model: --set drift=0. Repeatable."),
    ] = None,
    symbols: Annotated[
        str | None, typer.Option("--symbols", "-p", metavar="A,B", help="Instruments. [ALPHA,BRAVO,CHARLIE, or ALPHA]")
    ] = None,
    bars: Annotated[int | None, typer.Option(metavar="N", help="Bars of each instrument. [26280]")] = None,
    interval: Annotated[
        str | None, typer.Option("--interval", "-i", metavar="1h", help="Length of a bar. [1h]")
    ] = None,
    duration: Annotated[str | None, typer.Option(metavar="1h", help="Length of an order flow. [1h]")] = None,
    collapse: Annotated[bool, typer.Option("--collapse", help="Levels and trades of an order flow too.")] = False,
    start: Annotated[str, typer.Option(metavar="TIME", help="Beginning, UTC.")] = "2022-01-01",
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same data.")] = 7,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    json: options.Json = False,
) -> None:
    """Write synthetic bars, or orders that come by chance, to a file."""
    _refuse_strange(model, bars=bars, interval=interval, duration=duration, collapse=collapse or None)
    names = None if symbols is None else [name.strip() for name in symbols.split(",")]
    filled = None if model == "bars" else _filled(model, parameters)
    shape: dict[str, Any] = {"seed": seed, "start": start}
    if model == "order-flow":
        places = _places(path, collapse, force)
        shape |= {"model": filled, "symbol": _lone(names), "duration": duration or "1h"}
        _write_orders(places, shape, json)
        return
    if model == "bars" and parameters:
        raise UsageError(f"--set {parameters[0]}: --model bars has no parameters; choose another model")
    _refuse_existing(path, force)
    shape |= {"bars": 26_280 if bars is None else bars, "interval": interval or "1h"}
    _write_bars(*_bars(filled, names, shape), path, shape, json)


def _refuse_strange(model: str, **given: Any) -> None:
    """Options that the model does not have."""
    from neural_trader.market.sources import suggestion

    if model not in MODELS:
        raise UsageError(f"--model {model}: there are {', '.join(MODELS)}{suggestion(model, list(MODELS))}")
    for name in ("bars", "interval") if model == "order-flow" else ("duration", "collapse"):
        if given[name] is not None:
            what = "bars" if name in ("bars", "interval") else "--model order-flow"
            raise UsageError(f"--{name}: is for {what}, not for --model {model}; leave it out")


def _refuse_existing(path: Path, force: bool) -> None:
    if path.exists() and not force and not (path.is_dir() and not any(path.iterdir())):
        raise UsageError(f"{path}: exists; choose another name, or write over it with --force")


def _filled(model: str, given: list[str] | None) -> Any:
    """A model with the parameters that were given; the others are as the model has them."""
    from neural_trader.market import models, order_flow
    from neural_trader.market.sources import suggestion

    kinds: dict[str, type[Any]] = {
        "gbm": models.GeometricBrownianMotion, "merton": models.JumpDiffusion, "heston": models.Heston,
        "ou": models.Pair, "regime": models.RegimeSwitching, "order-flow": order_flow.OrderFlow,
    }  # fmt: skip
    types = typing.get_type_hints(kinds[model])
    values = {}
    for item in given or []:
        name, value = options.pair(item, "--set", "drift=0")
        if name not in types:
            near = suggestion(name, list(types))
            raise UsageError(f"--set {item}: {model} has no such parameter (it has: {', '.join(types)}){near}")
        try:
            values[name] = types[name](value)
        except ValueError:
            raise UsageError(f"--set {item}: {value!r} is no {'whole ' * (types[name] is int)}number") from None
    return kinds[model](**values)


def _lone(names: list[str] | None) -> str:
    if names is not None and len(names) != 1:
        raise UsageError(f"--symbols {','.join(names)}: this model has one instrument; make a file for each")
    return "ALPHA" if names is None else names[0]


def _bars(
    model: Any, names: list[str] | None, shape: dict[str, Any]
) -> tuple[tuple[Bars, ...], dict[str, list[str]] | None]:
    """The bars of a model, and what is written beside them."""
    from neural_trader.market import synthetic_bars
    from neural_trader.market.models import REGIMES, RegimeSwitching, model_bars, regime_bars
    from neural_trader.market.synthetic import SYMBOLS

    if model is None:
        return synthetic_bars(symbols=names or SYMBOLS, **shape), None
    if not isinstance(model, RegimeSwitching):
        return model_bars(model, symbols=None if names is None else tuple(names), **shape), None
    bars, regimes = regime_bars(model, symbol=_lone(names), **shape)
    return (bars,), {"regime": [REGIMES[regime] for regime in regimes]}


def _write_bars(
    made: tuple[Bars, ...], beside: dict[str, list[str]] | None, path: Path, shape: dict[str, Any], json: bool
) -> None:
    from neural_trader.market import write_bars

    written = write_bars(made, path, beside)
    names, count = sorted(each.symbol for each in made), sum(map(len, made))
    if json:
        print_json({"paths": [str(each) for each in written], "symbols": names, "bars": count})
        return
    for each in written:
        console().print(f"{each}", soft_wrap=True, style="bold")
    print(f"{count:,} synthetic bars of {', '.join(names)}, {shape['interval']} each, seed {shape['seed']}")


def _places(path: Path, collapse: bool, force: bool) -> dict[str, Path]:
    """Where the rows of each kind go."""
    if path.suffix.lower() != ".parquet":
        raise UsageError(f"{path}: an order flow is written as Parquet; name a file that ends with .parquet")
    places = {"orders": path}
    if collapse:
        places |= {kind: path.with_stem(f"{path.stem}-{kind}") for kind in ("depth", "trades")}
    for place in places.values():
        _refuse_existing(place, force)
    return places


def _write_orders(places: dict[str, Path], shape: dict[str, Any], json: bool) -> None:
    from neural_trader.market.catalog.record_rows import flow_rows
    from neural_trader.market.catalog.row_files import write_rows
    from neural_trader.market.order_flow import LOT, TICK, made_by

    with progress_bar("making orders", quiet=json) as show:
        blocks = _blocks(shape, show)
        made = flow_rows(blocks, shape["symbol"], (TICK, LOT), made_by(shape["seed"]), collapse=len(places) > 1)
    for kind, place in places.items():
        write_rows(made[kind], place)
    if json:
        files = [{"path": str(place), "kind": kind, "rows": len(made[kind].frame)} for kind, place in places.items()]
        print_json({"symbol": shape["symbol"], "files": files})
        return
    for kind, place in places.items():
        console().print(f"{place}", soft_wrap=True, style="bold")
        print(f"  {len(made[kind].frame):,} synthetic rows of {kind}")
    print(f"{shape['duration']} of {shape['symbol']}, seed {shape['seed']}")


def _blocks(shape: dict[str, Any], show: Callable[[float], None] | None) -> Iterator[Records]:
    """The blocks of an order flow, while they fit into a file."""
    from neural_trader.market.order_flow import order_flow
    from neural_trader.market.times import instant_ns_of, interval_ns_of

    start_ns, duration_ns = instant_ns_of(shape["start"], "start"), interval_ns_of(shape["duration"])
    rows = 0
    for block in order_flow(**shape):
        rows += len(block)
        if rows > ROWS_MAX:
            raise DataError(f"{shape['duration']} of orders are more than {ROWS_MAX:,} rows; ask for less")
        if show is not None:
            show((int(block["ts_event_ns"][-1]) - start_ns) / duration_ns)
        yield block
