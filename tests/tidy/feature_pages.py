"""What is written from the table of features: docs/features.md below its introduction, and the stub of the functions.

Both are held true by test_features.py.
"""

from __future__ import annotations

from itertools import groupby

from neural_trader.features.table import Kind, Parameter, table
from tidy.tree import ROOT

PAGE = ROOT / "docs" / "features.md"
STUB = ROOT / "python" / "neural_trader" / "features" / "__init__.pyi"
BORDER = "<!-- From here on written from the table: NT_WRITE_FEATURES=1 pytest tests/tidy/test_features.py -->\n"

WINDOW_MAX = 1_000_000

STUB_HEAD = '''\
"""Features: what can be measured on series of prices, volumes, quotes and trades."""

from typing import Any

from neural_trader.features.across import bottom_across as bottom_across
from neural_trader.features.across import count_across as count_across
from neural_trader.features.across import demean_across as demean_across
from neural_trader.features.across import mean_across as mean_across
from neural_trader.features.across import neutralise_across as neutralise_across
from neural_trader.features.across import rank_across as rank_across
from neural_trader.features.across import scale_across as scale_across
from neural_trader.features.across import top_across as top_across
from neural_trader.features.across import winsorise_across as winsorise_across
from neural_trader.features.across import zscore_across as zscore_across
from neural_trader.features.chaos import LyapunovTest as LyapunovTest
from neural_trader.features.chaos import lyapunov as lyapunov
from neural_trader.features.chaos import lyapunov_test as lyapunov_test
from neural_trader.features.profile import MatrixProfile as MatrixProfile
from neural_trader.features.profile import matrix_profile as matrix_profile
from neural_trader.features.sets import FeatureSet as FeatureSet
from neural_trader.features.table import Kind as Kind
from neural_trader.features.table import Parameter as Parameter
from neural_trader.features.table import table as table

__all__ = [
    "FeatureSet",
    "Kind",
    "LyapunovTest",
    "MatrixProfile",
    "Parameter",
    "bottom_across",
    "count_across",
    "demean_across",
    "lyapunov",
    "lyapunov_test",
    "matrix_profile",
    "mean_across",
    "neutralise_across",
    "rank_across",
    "scale_across",
    "table",
    "top_across",
    "winsorise_across",
    "zscore_across",
]
'''


def page() -> str:
    """The tables of the document, one for each family."""
    parts = []
    for family, kinds in groupby(table().values(), key=lambda kind: kind.family):
        rows = ["| feature | makes | what it is | source |", "|---|---|---|---|", *map(_row, kinds)]
        parts.append(f"## {family[0].upper()}{family[1:]}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(kind: Kind) -> str:
    ranges = ", ".join(_range(each) for each in kind.parameters)
    makes = ", ".join(name if unit is None else f"{name} [{unit}]" for name, unit in kind.outputs)
    what = kind.line + (f" {ranges[0].upper()}{ranges[1:]}." if ranges else "")
    return f"| `{kind.call}` | {makes} | {what} | {kind.source} |"


def _range(each: Parameter) -> str:
    # The longest window is a rule for all of them.
    to = "" if each.whole and each.most == WINDOW_MAX else f" to {each.most:g}"
    return f"`{each.name}` from {each.least:g}{to}"


def stub() -> str:
    """Types of the functions, which are made from the table when they are used."""
    functions = []
    for kind in table().values():
        places = [f"{name}: Any" + (" = ..." if at else "") for at, (name, _) in enumerate(kind.inputs)]
        places += [
            f"{each.name}: {'int' if each.whole else 'float'} = {each.shown_default}" for each in kind.parameters
        ]
        functions.append(f'def {kind.name}({", ".join(places)}) -> Any:\n    """{kind.line}"""\n')
    return STUB_HEAD + "\n" + "\n".join(functions)
