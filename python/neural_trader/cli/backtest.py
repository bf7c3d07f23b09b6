"""``neural-trader backtest``: run a strategy over bars, and say what came of it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader import config
from neural_trader.cli import options
from neural_trader.cli.output import check_target, is_own, note, print_json, write
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.backtesting.result import Result

PAGE = Path("neural-trader-report.html")
"""The page of a run for which no other place was named."""

EXAMPLES = """\
neural-trader backtest
neural-trader backtest -s donchian_turtle --set entry=30 --fee 0.05%
neural-trader backtest -s my_strategy.py -d prices.parquet --cash 50000
neural-trader backtest --json > result.json
"""


def backtest(
    strategy: options.Strategy = None,
    data: options.Data = None,
    symbols: options.Symbols = None,
    start: options.Start = None,
    end: options.End = None,
    timerange: options.Timerange = None,
    set_: options.Set = None,
    overlay: options.Overlay = None,
    seed: options.Seed = None,
    config_: options.Config = None,
    cash: options.Cash = None,
    currency: options.Currency = None,
    fee: options.Fee = None,
    slippage: options.Slippage = None,
    leverage: options.Leverage = None,
    fill: options.Fill = None,
    limit: options.Limit = None,
    volume_cap: options.VolumeCap = None,
    close_at_end: options.CloseAtEnd = None,
    like: options.Like = None,
    html: Annotated[
        Path | None,
        typer.Option(help=f"Where to write the page. [default: {PAGE}]", metavar="FILE", rich_help_panel=options.OUTPUT),
    ] = None,
    no_html: Annotated[bool, typer.Option("--no-html", help="Write no page.", rich_help_panel=options.OUTPUT)] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the JSON document to a file.", metavar="FILE", rich_help_panel=options.OUTPUT
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the JSON document and nothing else.", rich_help_panel=options.OUTPUT)
    ] = False,
    open_: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.", rich_help_panel=options.OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing, write what is asked for.", rich_help_panel=options.OUTPUT)
    ] = False,
) -> None:
    """Run a strategy over bars and report what came of it."""
    if no_html and (html is not None or open_):
        raise UsageError("--no-html contradicts --html and --open; leave one of them out")
    given = options.flags(
        timerange=timerange, parameters=set_, overlays=overlay, start=start, end=end,
        strategy=strategy, data=data, symbols=symbols, seed=seed, cash=cash, currency=currency, fee=fee,
        slippage=slippage, leverage=leverage, fill=fill, limit=limit, volume_cap=volume_cap,
        close_at_end=close_at_end, like=like,
    )  # fmt: skip
    layer = config.layers(config_, os.environ, given)
    if output is not None:
        check_target(output, "--output")
    if html is not None:
        check_target(html, "--html")
    result = _run(layer, json=json, quiet=quiet)
    if output is not None:
        from neural_trader.report.document import encode

        write(output, encode(result.to_dict()) + "\n")
    wants_page = html is not None or open_ or not (json or quiet or no_html)
    page = _write_page(result, html) if wants_page else None
    if json:
        print_json(result.to_dict())
    elif not quiet:
        _print(result, output, page)
    if open_ and page is not None:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def _run(layer: config.Layer, *, json: bool, quiet: bool) -> Result:
    from neural_trader.backtesting.run import backtest as run
    from neural_trader.cli.progress import progress_bar
    from neural_trader.cli.requested import arguments_of

    arguments = arguments_of(layer)
    # What a strategy prints must not end up in the middle of a JSON document.
    aside = contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext()
    with progress_bar("playing bars", quiet=quiet) as progress, aside:
        return run(**arguments, progress=progress)


def _write_page(result: Result, path: Path | None) -> Path | None:
    """Write the page; without a path of the user's own, whatever stands in the way is a remark and no failure."""
    from neural_trader.report.html import render

    if path is not None:
        write(path, render(result))
        return path
    if not is_own(PAGE):
        note(f"no page written: {PAGE} exists, and is no report of neural-trader; choose another name with --html")
        return None
    try:
        write(PAGE, render(result))
    except OSError as error:
        note(f"no page written: {PAGE} {error.strerror}; choose another place with --html, or --no-html")
        return None
    return PAGE


def _print(result: Result, output: Path | None, page: Path | None) -> None:
    from rich.console import Console
    from rich.text import Text

    from neural_trader.report.terminal import print_result

    console = Console()
    print_result(result, console)
    for label, path in (("document", output), ("page", page)):
        if path is not None:
            line: Any = Text.assemble((f"{label:<9}", "dim"), str(path))
            console.print(line, highlight=False, soft_wrap=True)
