"""``neural-trader replay``: run a strategy over recorded books and trades, tick by tick."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.backtest import PAGE, print_outcome, write_page
from neural_trader.cli.options import COSTS, OUTPUT, RULES, WHAT, option
from neural_trader.cli.output import check_target, print_json, print_stop, write
from neural_trader.errors import RunStopped, UsageError

if TYPE_CHECKING:
    from neural_trader.backtesting.result import Result

EXAMPLES = """\
neural-trader replay
neural-trader replay session.ws.gz --venue binance -s maker.py --latency 5ms
neural-trader replay session.npy --queue power:3 --ladder
neural-trader replay session.ws.gz@binance futures.npy@binance_usdm
neural-trader replay --memory memory.sqlite
neural-trader replay --journal run.journal
neural-trader replay run.journal --verify
neural-trader replay --snapshot run.snapshot --every 1m
neural-trader replay --resume run.snapshot
"""

# Kept apart from the option, so that a seed beside a file is told from no seed.
SEED = 7

Parameters = Annotated[
    list[str] | None,
    option(WHAT, "--set", metavar="NAME=VALUE", text="Parameter of the strategy: --set every_ms=50. Repeatable."),
]


def replay(
    context: typer.Context,
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Captured sessions, FILE or FILE@VENUE, or FILE.npy of records: on one time line. [synthetic]",
            show_default=False,
        ),
    ] = None,
    venue: Annotated[
        str | None, option(WHAT, "--venue", metavar="NAME", text="Of files that do not say: binance, ...")
    ] = None,
    strategy: Annotated[
        str,
        option(
            WHAT,
            "--strategy",
            "-s",
            metavar="NAME|FILE",
            text="Library strategy, or your file.py[:Class]. [avellaneda_stoikov]",
        ),
    ] = "avellaneda_stoikov",
    parameters: Parameters = None,
    symbols: Annotated[str | None, option(WHAT, "--symbols", "-p", metavar="A,B", text="Instruments. [all]")] = None,
    seed: Annotated[int | None, option(WHAT, "--seed", metavar="N", text="Seed of the synthetic market. [7]")] = None,
    memory: Annotated[
        str | None, option(WHAT, "--memory", metavar="FILE", text="Write decisions down here, and recall like ones.")
    ] = None,
    cash: Annotated[str, option(COSTS, "--cash", metavar="AMOUNT", text="Deposit. [100000]")] = "100000",
    currency: Annotated[str, option(COSTS, "--currency", metavar="CODE", text="Account currency. [USD]")] = "USD",
    fee: Annotated[
        str, option(COSTS, "--fee", metavar="RATE", text="0.05%, 5bps, or MAKER/TAKER[/FIXED]. [0.02%/0.05%]")
    ] = "0.02%/0.05%",
    leverage: Annotated[
        str, option(COSTS, "--leverage", metavar="TIMES", text="Largest exposure over equity. [1]")
    ] = "1",
    account: Annotated[
        Path | None, option(COSTS, "--account", metavar="FILE", text="TOML: contracts, currencies, fee tiers, margin.")
    ] = None,
    funding: Annotated[
        Path | None, option(COSTS, "--funding", metavar="FILE", text="Funding rates of contracts, CSV or Parquet.")
    ] = None,
    latency: Annotated[
        str, option(RULES, "--latency", metavar="TIME", text="To the venue and back: 10ms, or 10ms/5ms. [10ms]")
    ] = "10ms",
    feed: Annotated[str | None, option(RULES, "--feed", metavar="TIME", text="Of records. [as recorded]")] = None,
    queue: Annotated[
        str,
        option(
            RULES,
            "--queue",
            metavar="MODEL",
            text="risk_averse, power:2, power_2, power_3, log, log_2 or front. [risk_averse]",
        ),
    ] = "risk_averse",
    whole: Annotated[bool, option(RULES, "--whole", text="Orders at rest fill wholly or not at all.")] = False,
    self_trade: Annotated[
        str,
        option(RULES, "--self-trade", metavar="RULE", text="cancel_newest, cancel_oldest, cancel_both or off."),
    ] = "cancel_newest",
    sample: Annotated[str, option(RULES, "--sample", metavar="TIME", text="Between samples of equity. [1s]")] = "1s",
    impact: Annotated[
        str | None, option(RULES, "--impact", metavar="RATE/TIME", text="Of our takes, halved in: 2bps/500ms. [none]")
    ] = None,
    ladder: Annotated[
        bool, option(OUTPUT, "--ladder", text="Run it under kinder and stricter fill assumptions, too.")
    ] = False,
    ladder_bar: Annotated[
        str | None, option(OUTPUT, "--ladder-bar", metavar="TIME", text="Bars of its first rungs. [1m, 10s or 1s]")
    ] = None,
    journal: Annotated[
        Path | None,
        option(OUTPUT, "--journal", metavar="FILE", text="Write down what is decided and answered, in a new file."),
    ] = None,
    snapshot: options.Snapshot = None,
    stop_at: options.StopAt = None,
    every: options.Every = None,
    resume: options.Resume = None,
    verify: Annotated[
        bool, option(WHAT, "--verify", text="Play a journal again: FILE.journal [DATA --venue NAME].")
    ] = False,
    html: Annotated[Path | None, option(OUTPUT, metavar="FILE", text=f"Where the page goes. [{PAGE}]")] = None,
    no_html: Annotated[bool, option(OUTPUT, "--no-html", text="Write no page.")] = False,
    output: Annotated[
        Path | None, option(OUTPUT, "--output", "-o", metavar="FILE", text="Write the JSON document to a file.")
    ] = None,
    json: options.Json = False,
    quiet: Annotated[bool, option(OUTPUT, "--quiet", "-q", text="Print nothing, and write no page unasked.")] = False,
) -> None:
    """Run a strategy over recorded books and trades."""
    if verify:
        from neural_trader.cli.replay_verify import verify_journal

        verify_journal(context, data or [], venue, json=json, quiet=quiet)
        return
    if no_html and html is not None:
        raise UsageError("--no-html contradicts --html; leave one of them out")
    for flag, path in (("--output", output), ("--html", html)):
        if path is not None:
            check_target(path, flag)
    if ladder_bar is not None and not ladder:
        raise UsageError("--ladder-bar is the interval of the bars of a ladder; add --ladder")
    if journal is not None:
        from neural_trader.backtesting.journal import check_free

        check_free(journal)
    try:
        result = _run(
            data=data,
            venue=venue,
            seed=seed,
            json=json,
            quiet=quiet,
            strategy=strategy,
            parameters=dict(options.pair(item, "--set") for item in parameters or []),
            symbols=symbols.split(",") if symbols else None,
            cash=cash,
            currency=currency,
            fee=fee,
            leverage=leverage,
            latency=latency,
            feed=feed,
            queue=queue,
            whole=whole,
            self_trade=self_trade,
            sample=sample,
            impact=impact,
            account=account,
            funding=funding,
            ladder=ladder,
            ladder_bar=ladder_bar,
            journal=journal,
            memory=memory,
            snapshot=snapshot,
            stop_at=stop_at,
            every=every,
            resume=resume,
        )
    except RunStopped as stop:
        print_stop(stop, json=json, quiet=quiet)
        return
    if output is not None:
        from neural_trader.report.document import encode

        write(output, encode(result.to_dict()) + "\n")
    page = write_page(result, html) if html is not None or not (json or quiet or no_html) else None
    if json:
        print_json(result.to_dict())
    elif not quiet:
        print_outcome(result, output, page)


def _run(*, data: Any, venue: str | None, seed: int | None, json: bool, quiet: bool, **arguments: Any) -> Result:
    from neural_trader.backtesting.replay import replay as run
    from neural_trader.cli.progress import progress_bar
    from neural_trader.market.recordings import synthetic_recording

    if venue is not None and not data:
        raise UsageError("--venue says whose session a file is; name the file, too")
    if seed is not None and data:
        raise UsageError("--seed draws a synthetic market and would not change a recording; leave one of the two out")
    # What a strategy prints must not end up in the middle of a JSON document.
    aside = contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext()
    recording = data or synthetic_recording(SEED if seed is None else seed)
    with progress_bar("playing records", quiet=quiet) as progress, aside:
        return run(arguments.pop("strategy"), recording, venue=venue, progress=progress, **arguments)
