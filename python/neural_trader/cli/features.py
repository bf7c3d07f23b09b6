"""``neural-trader features``: what a strategy can measure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.cli.table import print_table

if TYPE_CHECKING:
    from neural_trader.features.table import Kind

EXAMPLES = """\
neural-trader features
neural-trader features --json
"""


def features(json: options.Json = False) -> None:
    """List the features that can be computed, and that strategies can use."""
    from neural_trader.features.table import table

    if json:
        print_json([_document(kind) for kind in table().values()])
        return
    for family, kinds in groupby(table().values(), key=lambda kind: kind.family):
        rows = [(f"{kind.name}({_given(kind)})", _inputs(kind), kind.line) for kind in kinds]
        print_table(rows, (family, "of", ""), styles=("cyan", "dim"))
        print()


def _given(kind: Kind) -> str:
    return ", ".join(kind.given)


def _inputs(kind: Kind) -> str:
    return ", ".join(field or name for name, field in kind.inputs)


def _document(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "family": kind.family,
        "inputs": [{"name": name, "field": field} for name, field in kind.inputs],
        "parameters": [each._asdict() for each in kind.parameters],
        "list": kind.list and kind.list._asdict(),
        "outputs": [{"name": name, "unit": unit} for name, unit in kind.outputs],
        "text": kind.line,
        "source": kind.source,
    }
