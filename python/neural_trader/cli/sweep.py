"""``neural-trader sweep``: a strategy with many sets of parameters, and which of them are best."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli.options import HONESTY, OUTPUT, option, pair, takes_run
from neural_trader.cli.output import check_target, print_json
from neural_trader.cli.progress import progress_bar
from neural_trader.config import Layer, Value
from neural_trader.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeping.outcome import SweepResult

EXAMPLES = """\
neural-trader sweep fast=5:25:5 slow=20:100:20 --where "fast < slow"
neural-trader sweep -s macd_momentum fast=6,12 --random 2 --threads 1
neural-trader sweep fast=5:15:5 slow=50 --metric sharpe --json
"""

POINTS = "Which points"

Items = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DATA] NAME=VALUES...", help="Bars, and what each parameter goes through.", show_default=False
    ),
]


@takes_run
def sweep(
    layer: Layer,
    items: Items = None,
    grid: Annotated[
        list[str] | None,
        option(
            POINTS, "--grid", "-g", metavar="NAME=VALUES", text="fast=5:50:5 (both ends), or fast=5,10. Repeatable."
        ),
    ] = None,
    random: Annotated[int | None, option(POINTS, "--random", metavar="N", text="N points drawn by chance.")] = None,
    optuna: Annotated[int | None, option(POINTS, "--optuna", metavar="N", text="N points that Optuna chooses.")] = None,
    sampler: Annotated[
        str, option(POINTS, "--sampler", metavar="NAME", text="Of Optuna: tpe, cmaes or nsga2. [tpe]")
    ] = "tpe",
    where: Annotated[str | None, option(POINTS, "--where", metavar="CONDITION", text='Such as "fast < slow".')] = None,
    metric: Annotated[
        str, option(POINTS, "--metric", "-m", metavar="NAME", text="What best means: sharpe, return, ... [return]")
    ] = "return",
    threads: Annotated[int, option(POINTS, "--threads", metavar="N", text="Threads, or processes. [all]")] = 0,
    executor: Annotated[
        str | None, option(POINTS, "--executor", metavar="URL", text="Workers of a cluster: dask://HOST:PORT.")
    ] = None,
    yes: Annotated[bool, option(POINTS, "--yes", "-y", text="Play however many there are.")] = False,
    worth: Annotated[
        bool, option(HONESTY, "--worth/--no-worth", text="Test how likely the best is luck? [yes]")
    ] = True,
    out: Annotated[
        Path | None,
        option(OUTPUT, "--out", metavar="FILE", text="Keep points in a .sqlite or .parquet, and go on there."),
    ] = None,
    html: Annotated[Path | None, option(OUTPUT, "--html", metavar="FILE", text="Write a page of the points.")] = None,
    top: Annotated[int, option(OUTPUT, "--top", metavar="K", text="How many of the best to show. [10]")] = 10,
    json: Annotated[bool, option(OUTPUT, "--json", text="Print one JSON document and nothing else.")] = False,
    quiet: Annotated[bool, option(OUTPUT, "--quiet", "-q", text="Print nothing.")] = False,
) -> None:
    """Play many sets of parameters of a strategy, and rank them."""
    from neural_trader.backtesting.sweeping.sweep import sweep as run

    if html is not None:
        check_target(html, "--html")
    axes = axes_of(layer, items, grid)
    with _counter(quiet=quiet or json) as progress:
        found = run(
            **sweep_arguments(layer),
            grid=axes,
            random=random,
            optuna=optuna,
            sampler=sampler,
            where=where,
            metric=metric,
            out=out,
            threads=threads,
            executor=executor,
            yes=yes,
            worth=worth,
            progress=progress,
        )
    if json:
        print_json(found.to_dict(top))
    elif not quiet:
        # Before the page: one that cannot be written takes no points with it.
        print_points(found, top, html, out)
    if html is not None:
        found.to_html(html)


def axes_of(layer: Layer, items: list[str] | None, grid: list[str] | None) -> dict[str, str]:
    """What each parameter goes through; a first word without an equals sign names the data, and goes into the layer."""
    words = list(items or ())
    if words and "=" not in words[0]:
        layer["data"] = Value(words.pop(0), "DATA")
    axes: dict[str, str] = {}
    for word in (*words, *(grid or ())):
        name, values = pair(word, "--grid", "fast=5:50:5")
        if name in axes:
            raise UsageError(f"{name} is given twice; write {name}=5,10,20 for several values")
        axes[name] = values
    return axes


def sweep_arguments(layer: Layer) -> dict[str, Any]:
    """The keyword arguments of ``neural_trader.sweep`` that a configuration asks for."""
    from neural_trader.cli.requested import arguments_of

    arguments = arguments_of(layer)
    for name in ("overlays", "memory", "warm_up"):
        if arguments.pop(name):
            raise ConfigError(f"a sweep has no {name}; leave out --{name.removesuffix('s').replace('_', '-')}")
    # Decisions are held against other futures in single runs; here it would double the work.
    arguments.pop("look_ahead")
    return arguments


@contextmanager
def _counter(*, quiet: bool) -> Iterator[Any]:
    """A progress bar that is told how many points were done since the last time."""
    with progress_bar("playing points", quiet=quiet) as show:
        if show is None:
            yield None
            return
        done = 0

        def count(more: int, total: int) -> None:
            nonlocal done
            done += more
            show(min(1.0, done / total))

        yield count


def print_points(found: SweepResult, top: int, html: Path | None, out: Path | None) -> None:
    """The best points as a table, and where the rest is."""
    from rich.text import Text

    from neural_trader.backtesting.sweeping.measures import MEASURES
    from neural_trader.cli.table import console, print_table

    screen = console()
    usual: tuple[str, ...] = ("return", "cagr", "sharpe", "drawdown", "trades", "win_rate")
    shown = [found.metric, *(name for name in usual if name in found.frame.columns and name != found.metric)]
    rows = [
        (*(f"{row[name]:.12g}" for name in found.names), *(_shown(row[name]) for name in shown))
        for row in found.best(top).to_dicts()
    ]
    head = (*found.names, *(name.replace("_", " ") for name in shown))
    print_table(rows, head, styles=("cyan",) * len(found.names), right=tuple(range(len(head))))
    rate = found.played / found.seconds if found.seconds > 0 else 0.0
    line = f"{found.frame.height:,} points, the best by {MEASURES[found.metric].title}"
    line += f"; {found.played:,} played in {found.seconds:.1f} s ({rate:,.0f} a second)"
    if found.failed:
        line += f"; {found.failed:,} failed, such as: {found.frame['error'].drop_nulls()[0]}"
    screen.print()
    if found.worth is not None:
        from neural_trader.report.selection_section import lines

        verdict, *rest = lines(found.worth)
        screen.print(Text(verdict, "bold"), soft_wrap=True)
        for each in rest:
            screen.print(Text(each), soft_wrap=True)
    screen.print(Text(line, "dim"), soft_wrap=True)
    if found.warning:
        screen.print(Text(found.warning, "yellow"))
    for label, path in (("points", out), ("page", html), ("hash", found.hash)):
        if path is not None:
            screen.print(Text.assemble((f"{label:<9}", "dim"), str(path)), soft_wrap=True)


def _shown(value: float | None) -> str:
    if value is None:
        return "n/a"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.2f}"
