"""``pl.col("close").nt.rsi(14)``: features where users of polars look for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from neural_trader.features.across import ACROSS
from neural_trader.features.calls import function_of
from neural_trader.features.table import table


class _Namespace:
    """Features of the expression or series that it is called on; of a struct, those that read several columns."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in ACROSS:
            across, values = ACROSS[name], self._column
            return lambda *given, **named: across(values, *given, **named)
        if name not in table():
            raise AttributeError(f"no feature is called {name!r}; `neural-trader features` lists all")
        feature, column = function_of(name), self._column
        return lambda *given, **named: feature(column, *given, **named)

    def __dir__(self) -> list[str]:
        return [*table(), *ACROSS]


@pl.api.register_expr_namespace("nt")
class ExpressionFeatures(_Namespace):
    """Features of an expression."""


@pl.api.register_series_namespace("nt")
class SeriesFeatures(_Namespace):
    """Features of a series."""
