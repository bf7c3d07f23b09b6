"""Options that several verbs take, each defined once, and the layer of configuration that they make."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from neural_trader import config
from neural_trader.config import Layer, Value
from neural_trader.errors import UsageError

WHAT = "What to run"
COSTS = "Money and costs"
RULES = "Fill rules"
HONESTY = "Honesty"
OUTPUT = "Output"


def option(panel: str, *names: str, metavar: str | None = None, text: str) -> Any:
    """An option whose default stands in its text, because ``None`` means that it was not given."""
    return typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar, show_default=False)


def _text(panel: str, *names: str, metavar: str, text: str) -> Any:
    return Annotated[str | None, option(panel, *names, metavar=metavar, text=text)]


def _repeatable(panel: str, *names: str, metavar: str, text: str) -> Any:
    return Annotated[list[str] | None, option(panel, *names, metavar=metavar, text=text)]


Config = Annotated[
    Path | None, option(WHAT, "--config", "-c", metavar="FILE", text="TOML file with any of these; flags win over it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]

Snapshot = Annotated[
    Path | None,
    option(OUTPUT, "--snapshot", metavar="FILE", text="Save the run there, --every so long or where it stops."),
]
StopAt = Annotated[
    str | None, option(OUTPUT, "--stop-at", metavar="TIME", text='Stop there and save: a time, or "500 turns".')
]
Every = Annotated[str | None, option(OUTPUT, "--every", metavar="TIME", text="Of the data, between snapshots: 10m.")]
Resume = Annotated[Path | None, option(WHAT, "--resume", metavar="FILE", text="Go on from a snapshot of the same run.")]

RUN: dict[str, Any] = {
    "strategy": _text(
        WHAT, "--strategy", "-s", metavar="NAME|FILE", text="Library strategy, or your file.py[:Class]. [sma_cross]"
    ),
    "data": _text(WHAT, "--data", "-d", metavar="PATH", text="File or folder of bars, or catalog:NAME. [synthetic]"),
    "kind": _text(WHAT, "--kind", metavar="KIND", text="What of a catalog: bars, or bars-1h among several. [bars]"),
    "symbols": _text(WHAT, "--symbols", "--pairs", "-p", metavar="A,B", text="Instruments to trade. [all]"),
    "start": _text(WHAT, "--start", metavar="TIME", text="First bar opens at or after this, UTC."),
    "end": _text(WHAT, "--end", metavar="TIME", text="Last bar opens before this, UTC."),
    "timerange": _text(WHAT, "--timerange", metavar="FROM-TO", text="Both in one, such as 20240101-20240630."),
    "parameters": _repeatable(
        WHAT, "--set", metavar="NAME=VALUE", text="Parameter of the strategy: --set fast=5. Repeatable."
    ),
    "overlays": _repeatable(
        WHAT, "--overlay", metavar="NAME:K=V", text="Risk rule on top: volatility_target:annual=0.2. Repeatable."
    ),
    "memory": _text(
        WHAT,
        "--memory",
        metavar="FILE",
        text="Write decisions down here (a file, or postgresql://...), and recall like ones.",
    ),
    "seed": _text(WHAT, "--seed", metavar="N", text="Seed of the synthetic markets. [7]"),
    "config": Config,
    "cash": _text(COSTS, "--cash", metavar="AMOUNT", text="Deposit. [10000]"),
    "currency": _text(COSTS, "--currency", metavar="CODE", text="Account currency. [USD]"),
    "fee": _text(COSTS, "--fee", metavar="RATE", text="0.001, 0.1%, 10bps, or MAKER/TAKER[/FIXED]. [0.1%]"),
    "slippage": _text(COSTS, "--slippage", metavar="SIZE", text='2bps, "1 tick", "0.5 spread", or joined by +. [2bps]'),
    "leverage": _text(COSTS, "--leverage", metavar="TIMES", text="Largest exposure over equity. [1]"),
    "account": _text(COSTS, "--account", metavar="FILE", text="TOML: contracts, currencies, fee tiers, margin."),
    "funding": _text(COSTS, "--funding", metavar="FILE", text="Funding rates of contracts, CSV or Parquet."),
    "fill": _text(RULES, "--fill", metavar="open|close", text="Orders fill at the next open, or at this close. [open]"),
    "limit": _text(RULES, "--limit", metavar="touch|through", text="What must happen for a limit to fill. [touch]"),
    "volume_cap": _text(RULES, "--volume-cap", metavar="SHARE", text="Largest share of a bar's volume to take."),
    "close_at_end": Annotated[
        bool | None, option(RULES, "--close-at-end/--leave-open", text="Close what is open after the last bar?")
    ],
    "like": _text(RULES, "--like", metavar="ENGINE", text="Conventions of backtesting.py or vectorbt; flags win."),
    "look_ahead": Annotated[
        bool | None,
        option(HONESTY, "--look-ahead-check/--no-look-ahead-check", text="Run again with other futures? [yes]"),
    ],
    "warm_up": _text(HONESTY, "--warm-up", metavar="BARS", text="Bars that must be enough to decide on."),
    "trials": _text(
        HONESTY, "--trials", metavar="FILE|off", text="Ledger that counts this run. [the project's, or the user's]"
    ),
}
"""The options that say what to run and how, by parameter name."""


def takes_run(verb: Callable[..., None]) -> Callable[..., None]:
    """Gives a verb all options of :data:`RUN`; it gets the layers of configuration that they make, merged."""

    def command(**given: Any) -> None:
        run = {name: given.pop(name) for name in RUN}
        verb(config.layers(run.pop("config"), os.environ, flags(**run)), **given)

    own = list(inspect.signature(verb, eval_str=True).parameters.values())[1:]
    of_run = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in RUN.items()
    ]
    parameters = [*of_run, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own)]
    command.__name__, command.__doc__ = verb.__name__, verb.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def flags(
    *,
    timerange: str | None,
    parameters: list[str] | None,
    overlays: list[str] | None,
    start: str | None,
    end: str | None,
    account: str | None,
    **plain: Any,
) -> Layer:
    """What was said on the command line, as a layer."""
    if timerange is not None:
        if start is not None or end is not None:
            raise UsageError("--timerange says both ends; leave out --start and --end")
        start, end = _ends(timerange)
    plain |= {"start": start, "end": end}
    layer = {
        name: config.accepted(name, value, f"--{name.replace('_', '-')}")
        for name, value in plain.items()
        if value is not None
    }
    if account is not None:
        from neural_trader.backtesting.account_settings import account_in

        layer["account"] = Value(account_in(Path(account)), account)
    for item in parameters or []:
        name, value = pair(item, "--set")
        layer[f"parameters.{name}"] = Value(value, "--set")
    for item in overlays or []:
        layer |= _overlay(item)
    return layer


def pair(item: str, flag: str, example: str = "fast=5") -> tuple[str, str]:
    """The name and the value of an item of a repeatable option."""
    name, equals, value = item.partition("=")
    if not (name.strip() and equals):
        raise UsageError(f"{flag} {item!r}: write NAME=VALUE, such as {example}")
    return name.strip(), value.strip()


def _overlay(item: str) -> Layer:
    name, colon, terms = item.partition(":")
    name = name.strip()
    layer = {f"overlays.{name}": Value({}, "--overlay")}
    for term in terms.split(",") if colon else []:
        key, value = pair(term, "--overlay")
        layer[f"overlays.{name}.{key}"] = Value(value, "--overlay")
    return layer


def _ends(timerange: str) -> tuple[str | None, str | None]:
    """Both ends of FROM-TO, either of which may be left out; a day is written without dashes."""
    start, dash, end = timerange.partition("-")
    days = [day for day in (start, end) if day]
    if not dash or not days or not all(day.isdecimal() and len(day) == 8 for day in days):
        raise UsageError(f"--timerange {timerange!r}: write 20240101-20240630, or 20240101- or -20240630 for one end")

    def day(text: str) -> str | None:
        return f"{text[:4]}-{text[4:6]}-{text[6:]}" if text else None

    return day(start), day(end)
