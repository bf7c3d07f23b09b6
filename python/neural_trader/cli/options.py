"""Options that several verbs take, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neural_trader import config
from neural_trader.config import Layer, Value
from neural_trader.errors import UsageError

WHAT = "What to run"
COSTS = "Money and costs"
RULES = "Fill rules"
OUTPUT = "Output"


def _option(*names: str, help: str, panel: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, metavar=metavar, show_default=False)


Strategy = Annotated[
    str | None,
    _option(
        "--strategy", "-s", metavar="NAME|FILE[:CLASS]", panel=WHAT,
        help="Library strategy, or a class in a file of yours. [default: sma_cross]",
    ),
]  # fmt: skip
Data = Annotated[
    str | None,
    _option("--data", "-d", metavar="PATH", panel=WHAT, help="File or folder of bars. [default: synthetic markets]"),
]
Symbols = Annotated[
    str | None,
    _option("--symbols", "-p", "--pairs", metavar="A,B", panel=WHAT, help="Instruments to trade. [default: all]"),
]
Start = Annotated[str | None, _option("--start", metavar="TIME", panel=WHAT, help="First bar opens here or later, UTC.")]
End = Annotated[str | None, _option("--end", metavar="TIME", panel=WHAT, help="Last bar opens before this, UTC.")]
Timerange = Annotated[
    str | None,
    _option("--timerange", metavar="FROM-TO", panel=WHAT, help="The same in one, such as 20240101-20240630."),
]
Set = Annotated[
    list[str] | None,
    _option("--set", metavar="NAME=VALUE", panel=WHAT, help="A parameter of the strategy, such as fast=5. Repeatable."),
]
Overlay = Annotated[
    list[str] | None,
    _option(
        "--overlay", metavar="NAME[:K=V,...]", panel=WHAT,
        help="A risk rule on top, such as volatility_target:annual=0.2. Repeatable.",
    ),
]  # fmt: skip
Seed = Annotated[str | None, _option("--seed", metavar="N", panel=WHAT, help="Seed of the synthetic markets. [default: 7]")]
Config = Annotated[
    Path | None,
    _option("--config", "-c", metavar="FILE", panel=WHAT, help="TOML file with any of these; flags win over it."),
]
Cash = Annotated[str | None, _option("--cash", metavar="AMOUNT", panel=COSTS, help="Deposit. [default: 10000]")]
Currency = Annotated[str | None, _option("--currency", metavar="CODE", panel=COSTS, help="Account currency. [default: USD]")]
Fee = Annotated[
    str | None,
    _option("--fee", metavar="RATE", panel=COSTS, help="0.001, 0.1%, 10bps, or MAKER/TAKER[/FIXED]. [default: 0.1%]"),
]
Slippage = Annotated[
    str | None,
    _option("--slippage", metavar="SIZE", panel=COSTS, help='2bps, "1 tick", "0.5 spread", joined by +. [default: 2bps]'),
]
Leverage = Annotated[
    str | None, _option("--leverage", metavar="TIMES", panel=COSTS, help="Largest exposure over equity. [default: 1]")
]
Fill = Annotated[
    str | None,
    _option("--fill", metavar="open|close", panel=RULES, help="Market orders fill at the next open, or at this close."),
]
Limit = Annotated[
    str | None,
    _option("--limit", metavar="touch|through", panel=RULES, help="What a price must do for a limit order to fill."),
]
VolumeCap = Annotated[
    str | None, _option("--volume-cap", metavar="SHARE", panel=RULES, help="Largest share of a bar's volume to take.")
]
CloseAtEnd = Annotated[
    bool | None,
    _option("--close-at-end/--leave-open", panel=RULES, help="Whether positions are closed after the last bar."),
]
Like = Annotated[
    str | None,
    _option("--like", metavar="ENGINE", panel=RULES, help="Conventions of backtesting.py or vectorbt; flags win."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]


def flags(
    *,
    timerange: str | None,
    parameters: list[str] | None,
    overlays: list[str] | None,
    start: str | None,
    end: str | None,
    **plain: Any,
) -> Layer:
    """What was said on the command line, as the last layer of the configuration."""
    if timerange is not None:
        if start is not None or end is not None:
            raise UsageError("--timerange says both ends; leave out --start and --end")
        start, end = _ends(timerange)
    plain |= {"start": start, "end": end}
    layer = {
        name: config.accepted(name, value, f"--{name.replace('_', '-')}") for name, value in plain.items() if value is not None
    }
    for item in parameters or []:
        name, value = _pair(item, "--set")
        layer[f"parameters.{name}"] = Value(value, "--set")
    for item in overlays or []:
        layer |= _overlay(item)
    return layer


def _pair(item: str, flag: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not (name.strip() and equals):
        raise UsageError(f"{flag} {item!r}: write NAME=VALUE, such as fast=5")
    return name.strip(), value.strip()


def _overlay(item: str) -> Layer:
    name, colon, terms = item.partition(":")
    name = name.strip()
    layer = {f"overlays.{name}": Value({}, "--overlay")}
    for term in terms.split(",") if colon else []:
        key, value = _pair(term, "--overlay")
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
