"""``neural-trader backtest``: run a strategy over bars, and say what came of it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from neural_trader.cli import options
from neural_trader.cli.options import OUTPUT, option, takes_run
from neural_trader.cli.output import check_target, is_own, note, print_json, print_stop, write
from neural_trader.config import Layer
from neural_trader.errors import ConfigError, RunStopped, UsageError, VerificationError

if TYPE_CHECKING:
    from neural_trader.backtesting.result import Result

PAGE = Path("neural-trader-report.html")
"""The page of a run for which no other place was named."""

EXAMPLES = """\
neural-trader backtest
neural-trader backtest -s donchian_turtle --set entry=30 --fee 0.05%
neural-trader backtest -s my_strategy.py -d prices.parquet --cash 50000
neural-trader backtest --json > result.json
neural-trader backtest --snapshot run.snapshot --stop-at 2023-06-30
neural-trader backtest --resume run.snapshot
"""


@takes_run
def backtest(
    layer: Layer,
    html: Annotated[Path | None, option(OUTPUT, metavar="FILE", text=f"Where the page goes. [{PAGE}]")] = None,
    no_html: Annotated[bool, option(OUTPUT, "--no-html", text="Write no page.")] = False,
    output: Annotated[
        Path | None, option(OUTPUT, "--output", "-o", metavar="FILE", text="Write the JSON document to a file.")
    ] = None,
    json: Annotated[bool, option(OUTPUT, "--json", text="Print the JSON document and nothing else.")] = False,
    snapshot: options.Snapshot = None,
    stop_at: options.StopAt = None,
    every: options.Every = None,
    resume: options.Resume = None,
    open_: Annotated[bool, option(OUTPUT, "--open", text="Open the page in the browser.")] = False,
    quiet: Annotated[bool, option(OUTPUT, "--quiet", "-q", text="Print nothing, and write no page unasked.")] = False,
) -> None:
    """Run a strategy over bars and report what came of it."""
    if no_html and (html is not None or open_):
        raise UsageError("--no-html contradicts --html and --open; leave one of them out")
    for flag, path in (("--output", output), ("--html", html)):
        if path is not None:
            check_target(path, flag)
    try:
        result = _run(layer, json=json, quiet=quiet, snapshot=snapshot, stop_at=stop_at, every=every, resume=resume)
    except RunStopped as stop:
        print_stop(stop, json=json, quiet=quiet)
        return
    if output is not None:
        from neural_trader.report.document import encode

        write(output, encode(result.to_dict()) + "\n")
    wants_page = html is not None or open_ or not (json or quiet or no_html)
    page = write_page(result, html) if wants_page else None
    if json:
        print_json(result.to_dict())
    elif not quiet:
        print_outcome(result, output, page)
    if open_ and page is not None:
        import webbrowser

        if not webbrowser.open(page.resolve().as_uri()):
            note(f"no browser found here; open {page.resolve()} yourself")
    for check in (result.look_ahead, result.warm_up):
        if check is not None and not check.passed:
            raise VerificationError(check.sentence)


def _run(layer: Layer, *, json: bool, quiet: bool, **saving: Any) -> Result:
    from neural_trader.backtesting.run import backtest as run
    from neural_trader.cli.progress import progress_bar
    from neural_trader.cli.requested import arguments_of

    if "seed" in layer and layer["seed"].origin == "--seed" and "data" in layer and layer["data"].value is not None:
        raise UsageError("--seed draws synthetic markets and would not change the data; leave one of the two out")
    arguments = arguments_of(layer)
    # What a strategy prints must not end up in the middle of a JSON document.
    aside = contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext()
    with progress_bar("playing bars", quiet=quiet) as progress, aside:
        try:
            return run(**arguments, **saving, progress=progress)
        except ConfigError as error:
            raise _located(error, layer) from error


def _located(error: ConfigError, layer: Layer) -> ConfigError:
    """The same error with the file or variable that the value stands in; what was typed just now needs no place."""
    value = layer.get(str(error).partition(" ")[0])
    if value is None or value.origin.startswith(("--", "default")):
        return error
    return ConfigError(f"{value.origin}: {error}")


def write_page(result: Result, path: Path | None) -> Path | None:
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


def print_outcome(result: Result, output: Path | None, page: Path | None) -> None:
    """Print a result, and where its document and its page are."""
    from rich.text import Text

    from neural_trader.cli.table import console
    from neural_trader.report.terminal import print_result

    out = console()
    print_result(result, out)
    for label, path in (("document", output), ("page", page)):
        if path is not None:
            line = Text.assemble((f"{label:<9}", "dim"), str(path))
            out.print(line, soft_wrap=True)
