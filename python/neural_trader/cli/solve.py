"""``neural-trader solve``: systems in files, solved with a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_trader.cli import options
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb
from neural_trader.cli.output import print_json
from neural_trader.cli.table import print_table
from neural_trader.errors import DataError, UsageError

if TYPE_CHECKING:
    from neural_trader.solve import Certificate, RightSide, Rows, System

EXAMPLES = """\
neural-trader solve system.mtx
neural-trader solve system.mtx --entry 3 --eps 1e-6
neural-trader solve analyze system.mtx
neural-trader solve pagerank links.csv --seed-node 0
"""

SYSTEM_EXAMPLES = """\
neural-trader solve system.mtx --right-side b.txt --json
neural-trader solve system.mtx --entry 3 --method walks --confidence 0.99
"""

ANALYZE_EXAMPLES = """\
neural-trader solve analyze system.mtx --json
"""

PAGERANK_EXAMPLES = """\
neural-trader solve pagerank links.csv --seed-node 0 --top 5
"""

SHOWN = 10


class Verbs(Group):
    """The verbs of solve; what is no verb is the file of a system."""

    order = ("system", "analyze", "pagerank")

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in {*self.commands, *SETTINGS["help_option_names"]}:
            args = ["system", *args]
        return super().parse_args(ctx, args)


solve = typer.Typer(
    cls=Verbs,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    callback=without_verb,
    invoke_without_command=True,
    help="Solve diagonally dominant systems, wholly or entry by entry.",
)

File = Annotated[Path, typer.Argument(help="Matrix: .mtx, .npz, or .csv of row,col,value.")]


@solve.command(cls=Command, context_settings=SETTINGS, epilog=SYSTEM_EXAMPLES)
def system(
    file: File,
    entry: Annotated[int | None, typer.Option(metavar="I", help="Only this entry, from 0.")] = None,
    right_side: Annotated[
        Path | None, typer.Option("--right-side", "-b", metavar="FILE", help="One number per line, or .npy. [ones]")
    ] = None,
    eps: Annotated[str, typer.Option(metavar="ERROR", help="Largest error of an entry.")] = "1e-6",
    method: Annotated[
        str, typer.Option(metavar="NAME", help="neumann, cg, bicgstab; push, walks, bidirectional for an entry.")
    ] = "auto",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of walks.")] = 0,
    confidence: Annotated[float, typer.Option(metavar="SHARE", help="Of intervals of walks that hold.")] = 0.999,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Keep the whole solution, one number per line."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Solve the system of a file; `solve FILE` is the same."""
    import numpy as np

    from neural_trader.cli.output import write

    accuracy = _eps(eps)
    if output is not None and entry is not None:
        raise UsageError("--output keeps whole solutions; leave out --entry")
    if output is not None and output.exists():
        raise UsageError(f"--output {output}: exists; remove it, or choose another name")
    given, progress = _opened(file, json)
    length = len(given.rows.begins) - 1
    side = given.right_side(np.ones(length)) if right_side is None else _right_side(given, right_side)
    document: dict[str, Any]
    with progress("solving") as report:
        if entry is None:
            answer = given.solve(side, eps=accuracy, method=method, progress=report)
            certificate, document = answer.certificate, {"x": answer.x.tolist()}
        else:
            found = given.entry(
                entry, side, eps=accuracy, method=method, seed=seed, confidence=confidence, progress=report
            )
            certificate, document = found.certificate, {"entry": entry, "value": found.value}
    if output is not None:
        write(output, "".join(f"{value!r}\n" for value in document["x"]))
    if json:
        print_json({"file": str(file), "rows": length, **document, "certificate": certificate.document()})
        return
    values = [(entry, document["value"])] if entry is not None else list(enumerate(document["x"]))
    lines = [(f"x[{at}]", f"{value:.12g}") for at, value in values[:SHOWN]]
    if len(values) > SHOWN:
        lines.append(("", f"... {len(values) - SHOWN} more; --json or --output FILE has all"))
    print_table([*lines, *_certificate(certificate)], ("", ""), styles=("cyan",))


@solve.command(cls=Command, context_settings=SETTINGS, epilog=ANALYZE_EXAMPLES)
def analyze(file: File, json: options.Json = False) -> None:
    """Say whether a matrix dominates, by how much, and what that promises."""
    from dataclasses import asdict

    given, _ = _opened(file, json)
    facts = given.facts
    if json:
        print_json({"file": str(file), **asdict(facts)})
        return
    how = f"{facts.kind}, scaled after {facts.steps} steps" if facts.scaled else f"{facts.kind}, as they are"
    rows = [
        ("rows", f"{facts.rows:,}"),
        ("entries", f"{facts.entries:,}, at most {facts.row_entries_max:,} in a row"),
        ("dominant", how),
        ("slack", f"{facts.slack:.6g} at {facts.kind.removesuffix('s')} {facts.weakest}, the least"),
        ("rate", f"{facts.rate:.6g} of an error is left by a sweep, at most"),
        ("bound", f"error of x <= {facts.scale:.6g} * norm of the residual"),
    ]
    print_table(rows, ("", ""), styles=("cyan",))


@solve.command(cls=Command, context_settings=SETTINGS, epilog=PAGERANK_EXAMPLES)
def pagerank(
    file: File,
    seed_node: Annotated[int, typer.Option("--seed-node", metavar="I", help="Node where walks begin.")],
    damping: Annotated[float, typer.Option(metavar="CHANCE", help="Of following a link.")] = 0.85,
    eps: Annotated[str, typer.Option(metavar="ERROR", help="Largest error of a rank.")] = "1e-6",
    top: Annotated[int, typer.Option(metavar="N", help="Show so many.")] = SHOWN,
    json: options.Json = False,
) -> None:
    """Rank the nodes of a graph of links by their nearness to one of them."""
    from neural_trader.cli.progress import progress_bar
    from neural_trader.solve import Ranking
    from neural_trader.solve.files import read_matrix

    accuracy = _eps(eps)
    if top < 1:
        raise UsageError(f"--top {top}: show at least one")
    with progress_bar("reading", quiet=json) as progress:
        links = read_matrix(file, progress)
    _check_node(seed_node, links)
    answer = Ranking(links, damping=damping).of(seed_node, eps=accuracy)
    order = sorted(range(len(answer.rows)), key=lambda at: (-answer.values[at], at))
    ranks = [(int(answer.rows[at]), float(answer.values[at])) for at in order]
    if json:
        named = [{"node": node, "rank": rank} for node, rank in ranks]
        print_json(
            {"file": str(file), "seed_node": seed_node, "ranks": named, "certificate": answer.certificate.document()}
        )
        return
    lines = [(f"node {node}", f"{rank:.9f}") for node, rank in ranks[:top]]
    print_table([*lines, *_certificate(answer.certificate)], ("", ""), styles=("cyan",))


def _opened(file: Path, quiet: bool) -> tuple[System, Any]:
    """The system of a file, and what shows progress."""
    from functools import partial

    from neural_trader.cli.progress import progress_bar
    from neural_trader.solve import System
    from neural_trader.solve.files import read_matrix

    show = partial(progress_bar, quiet=quiet)
    with show("reading") as progress:
        rows = read_matrix(file, progress)
    try:
        return System(rows), show
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def _right_side(given: System, file: Path) -> RightSide:
    from neural_trader.solve.files import read_vector

    values = read_vector(file)
    try:
        return given.right_side(values)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def _eps(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"--eps {text!r}: write a number above 0, such as 1e-6") from error


def _check_node(node: int, links: Rows) -> None:
    if not 0 <= node < len(links.begins) - 1:
        raise UsageError(f"--seed-node {node}: the graph has nodes 0 to {len(links.begins) - 2}")


def _certificate(known: Certificate) -> list[tuple[str, str]]:
    sure = "certain" if known.confidence == 1 else f"in {known.confidence:.4g} of cases"
    met = "" if known.is_met else f", more than the {known.eps:g} that was asked for"
    return [
        ("error", f"at most {known.bound:.3g}, {sure}{met}"),
        ("residual", f"{known.residual:.3g}, computed anew"),
        ("method", f"{known.method}: {known.reason}" if known.reason != "asked for" else known.method),
        ("touched", f"{known.entries:,} entries in {known.rows:,} rows, {known.iterations:,} iterations"),
    ]
