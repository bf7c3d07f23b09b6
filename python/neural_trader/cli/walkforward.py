"""``neural-trader walkforward``: parameters chosen on the past, tested on what came after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from neural_trader.cli.options import OUTPUT, option, takes_run
from neural_trader.cli.output import print_json
from neural_trader.cli.progress import progress_bar
from neural_trader.cli.sweep import POINTS, Items, axes_of, sweep_arguments
from neural_trader.config import Layer
from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeping.walkforward import WalkForward

EXAMPLES = """\
neural-trader walkforward fast=5,10 slow=20,50 --folds 3 -p BTC
neural-trader walkforward fast=5,10 slow=50 -p BTC --cpcv 4:2 --json
"""

CUTS = "How data are cut"


@takes_run
def walkforward(
    layer: Layer,
    items: Items = None,
    grid: Annotated[
        list[str] | None,
        option(
            POINTS, "--grid", "-g", metavar="NAME=VALUES", text="fast=5:50:5 (both ends), or fast=5,10. Repeatable."
        ),
    ] = None,
    random: Annotated[int | None, option(POINTS, "--random", metavar="N", text="N points drawn by chance.")] = None,
    where: Annotated[str | None, option(POINTS, "--where", metavar="CONDITION", text='Such as "fast < slow".')] = None,
    metric: Annotated[
        str, option(POINTS, "--metric", "-m", metavar="NAME", text="What best means: sharpe, return, ... [return]")
    ] = "return",
    threads: Annotated[int, option(POINTS, "--threads", metavar="N", text="Threads, or processes. [all]")] = 0,
    executor: Annotated[
        str | None, option(POINTS, "--executor", metavar="URL", text="Workers of a cluster: dask://HOST:PORT.")
    ] = None,
    yes: Annotated[bool, option(POINTS, "--yes", "-y", text="Play however many there are.")] = False,
    folds: Annotated[int, option(CUTS, "--folds", metavar="N", text="Tests, one after the other. [5]")] = 5,
    train: Annotated[
        float, option(CUTS, "--train", metavar="TIMES", text="Training as a multiple of a test. [3]")
    ] = 3.0,
    anchored: Annotated[bool, option(CUTS, "--anchored", text="Every training begins with the first bar.")] = False,
    purge: Annotated[int, option(CUTS, "--purge", metavar="BARS", text="Left out of training before a test. [0]")] = 0,
    embargo: Annotated[int, option(CUTS, "--embargo", metavar="BARS", text="Left out after one, with --cpcv. [0]")] = 0,
    cpcv: Annotated[
        str | None, option(CUTS, "--cpcv", metavar="N:K", text="Test every choice of K of N groups instead.")
    ] = None,
    warmup: Annotated[
        int | None, option(CUTS, "--warmup", metavar="BARS", text="Seen before a test. [the largest window]")
    ] = None,
    json: Annotated[bool, option(OUTPUT, "--json", text="Print one JSON document and nothing else.")] = False,
    quiet: Annotated[bool, option(OUTPUT, "--quiet", "-q", text="Print nothing.")] = False,
) -> None:
    """Choose parameters on the past, and test them on what follows."""
    from neural_trader.backtesting.sweeping.walkforward import walkforward as run

    axes = axes_of(layer, items, grid)
    with progress_bar("walking forward", quiet=quiet or json) as progress:
        found = run(
            **sweep_arguments(layer),
            grid=axes,
            folds=folds,
            train=train,
            anchored=anchored,
            purge=purge,
            embargo=embargo,
            cpcv=_groups(cpcv),
            warmup=warmup,
            metric=metric,
            where=where,
            random=random,
            threads=threads,
            executor=executor,
            yes=yes,
            progress=progress,
        )
    if json:
        print_json(found.to_dict())
    elif not quiet:
        print_tests(found)


def _groups(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    count, _, tested = text.partition(":")
    if not (count.isdecimal() and tested.isdecimal()):
        raise UsageError(f"--cpcv {text!r}: write the number of groups and how many are tested, such as 6:2")
    return int(count), int(tested)


def print_tests(found: WalkForward) -> None:
    """The tests as a table, and what came of all of them together."""
    from rich.text import Text

    from neural_trader.backtesting.sweeping.measures import MEASURES
    from neural_trader.cli.table import console, print_table
    from neural_trader.report.worth_section import probability

    names = list(found.tests[0].parameters)
    rows = [
        (
            row["begin"].date().isoformat(),
            row["end"].date().isoformat(),
            *(f"{row[name]:g}" for name in names),
            _shown(row["in_sample"]),
            _shown(row["out_of_sample"]),
        )
        for row in found.frame.to_dicts()
    ]
    head = ("from", "to", *names, "in sample", "out of sample")
    print_table(rows, head, right=tuple(range(2, len(head))))
    screen = console()
    screen.print()
    worth = found.worth
    screen.print(Text(f"Out of sample: {worth.sentence}", "bold"), soft_wrap=True)
    if worth.probabilistic is not None:
        screen.print(Text(f"chance of a Sharpe above 0 if nothing else was tried: {probability(worth.probabilistic)}"))
    each = [found.statistics(path) for path in range(len(found.paths))]
    several = f"{len(each)} paths, the middle of them: " if len(each) > 1 else "all tests together: "
    words = ", ".join(f"{name} {_shown(_middle([one[name] for one in each]))}" for name in each[0])
    screen.print(Text(f"{MEASURES[found.metric].title}; {several}{words}", "dim"), soft_wrap=True)


def _middle(values: list[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:,.2f}"
