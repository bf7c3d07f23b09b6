"""``neural-trader features``: what a strategy can measure."""

from __future__ import annotations

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.cli.table import print_table

EXAMPLES = """\
neural-trader features
neural-trader features --json
"""


def features(json: options.Json = False) -> None:
    """List the features that strategies can use."""
    from neural_trader._native import feature_names

    table = feature_names()
    if json:
        print_json(
            [
                {"name": name, "parameters": list(parameters), "dimension": dimension, "text": text}
                for name, (parameters, dimension, text) in table.items()
            ]
        )
        return
    rows = [(f"{name}({', '.join(given)})", dimension, text) for name, (given, dimension, text) in table.items()]
    print_table(rows, ("feature", "in", ""), styles=("cyan", "dim"))
