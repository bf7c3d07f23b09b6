"""Features: what can be measured on series of prices, volumes, quotes and trades.

Each is a function of columns and parameters, on numpy arrays, polars series and expressions, or a frame that has its
inputs by name. ``FeatureSet`` computes many at once, or one event at a time.

>>> import neural_trader as nt
>>> nt.features.sma([1.0, 2.0, 3.0, 5.0], 2).tolist()
[nan, 1.5, 2.5, 4.0]
>>> import polars as pl
>>> pl.DataFrame({"close": [1.0, 2.0, 3.0, 5.0]}).select(pl.col("close").nt.sma(2))["close"].to_list()
[None, 1.5, 2.5, 4.0]
"""

from __future__ import annotations

from typing import Any

from neural_trader.features import namespace as _namespace
from neural_trader.features.across import (
    bottom_across,
    count_across,
    demean_across,
    mean_across,
    neutralise_across,
    rank_across,
    scale_across,
    top_across,
    winsorise_across,
    zscore_across,
)
from neural_trader.features.calls import function_of
from neural_trader.features.chaos import LyapunovTest, lyapunov, lyapunov_test
from neural_trader.features.profile import MatrixProfile, matrix_profile
from neural_trader.features.sets import FeatureSet
from neural_trader.features.table import Kind, Parameter, table

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
del _namespace


def __getattr__(name: str) -> Any:
    try:
        return function_of(name)
    except KeyError:
        raise AttributeError(f"no feature is called {name!r}; `neural-trader features` lists all") from None


def __dir__() -> list[str]:
    return [*__all__, *table()]
