"""Plain Python twins of every feature: the definition that ``nt-features`` must match to the last bit.

A twin takes one row of inputs at a time and returns its outputs, ``None`` while it warms up or where its formula has no
value. It never meets what is no number: :func:`columns` keeps that out, and begins anew after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from neural_trader.baseline.features import (
    average,
    calendar,
    channel,
    microstructure,
    momentum,
    oscillator,
    pair,
    profile,
    returns,
    statistics,
    volatility,
    volume,
)

LARGEST = 1e60
"""Numbers beyond this in size are taken for none."""

TWINS: dict[str, Callable[..., Any]] = {
    "accumulation": volume.Accumulation,
    "adx": oscillator.Adx,
    "amihud": microstructure.Amihud,
    "anchored_vwap": volume.AnchoredVwap,
    "aroon": oscillator.Aroon,
    "atr": volatility.Atr,
    "autocorrelation": statistics.Autocorrelation,
    "beta": pair.Beta,
    "bollinger": channel.Bollinger,
    "cci": oscillator.Cci,
    "correlation": pair.Correlation,
    "corwin_schultz": microstructure.CorwinSchultz,
    "covariance": pair.Covariance,
    "dema": average.Dema,
    "deviation": volatility.Deviation,
    "donchian": channel.Donchian,
    "ema": average.Ema,
    "entropy": statistics.Entropy,
    "ewma_volatility": volatility.Ewma,
    "garch": volatility.Garch,
    "garman_klass": volatility.GarmanKlass,
    "highest": channel.Highest,
    "hull": average.Hull,
    "hurst": statistics.Hurst,
    "imbalance": microstructure.Imbalance,
    "kama": average.Kama,
    "keltner": channel.Keltner,
    "kurtosis": statistics.Kurtosis,
    "kyle_lambda": microstructure.KyleLambda,
    "left_profile": profile.LeftProfile,
    "log_return": returns.LogReturn,
    "lowest": channel.Lowest,
    "macd": momentum.Macd,
    "mfi": oscillator.Mfi,
    "microprice": microstructure.Microprice,
    "momentum": momentum.Momentum,
    "obv": volume.Obv,
    "order_flow_imbalance": microstructure.OrderFlowImbalance,
    "parkinson": volatility.Parkinson,
    "quantile": statistics.Quantile,
    "rank": statistics.Rank,
    "realised": volatility.Realised,
    "regression": statistics.Regression,
    "roc": momentum.Roc,
    "rogers_satchell": volatility.RogersSatchell,
    "roll_spread": microstructure.RollSpread,
    "rsi": momentum.Rsi,
    "seasonality": calendar.Seasonality,
    "session": calendar.Session,
    "simple_return": returns.SimpleReturn,
    "skew": statistics.Skew,
    "sma": average.Sma,
    "stochastic": oscillator.Stochastic,
    "tema": average.Tema,
    "trade_imbalance": microstructure.TradeImbalance,
    "true_range": volatility.TrueRange,
    "variance": statistics.Variance,
    "volatility": volatility.Volatility,
    "vpin": microstructure.Vpin,
    "vwap": volume.Vwap,
    "vwma": average.Vwma,
    "wilder": average.wilder,
    "williams_r": oscillator.WilliamsR,
    "wma": average.Wma,
    "yang_zhang": volatility.YangZhang,
    "zscore": statistics.ZScore,
}
"""What each feature is; the parameters are those of its row in the table, in order."""


def columns(name: str, parameters: Sequence[float], *inputs: Sequence[float]) -> list[tuple[float, ...] | None]:
    """Outputs of a feature at every row of the inputs; ``None`` where there is no value."""
    given = [int(value) if value == int(value) else value for value in parameters]
    twin = TWINS[name](*given)
    rows: list[tuple[float, ...] | None] = []
    for row in zip(*inputs, strict=True):
        if all(math.isfinite(number) and abs(number) <= LARGEST for number in row):
            values = twin.update(*row)
            rows.append((values,) if isinstance(values, float) else values)
        else:
            twin = TWINS[name](*given)
            rows.append(None)
    return rows
