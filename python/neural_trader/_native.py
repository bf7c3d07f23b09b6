"""The one door to the Rust extension; everything else imports from here, so that a missing build says what to do."""

from __future__ import annotations

try:
    from neural_trader._core import (
        EVENT_FLAGS,
        EVENT_KINDS,
        SYNTHETIC_TICK_DECIMALS,
        SYNTHETIC_VERSION,
        VENUES,
        Bar,
        Engine,
        Indicator,
        Ladder,
        OrderBook,
        VenueFeed,
        __version__,
        check_not_negative,
        check_prices,
        closes,
        decimals_from_text,
        decimals_on_step,
        feature_column,
        feature_names,
        floats_from_text,
        floats_on_step,
        imbalance_bars,
        in_nanoseconds,
        instants_from_text,
        instruments_of,
        prices_on_grid,
        resampled_bars,
        spacing,
        sum_bars,
        synthetic_market,
        time_bars,
        volume_on_grid,
    )
except ImportError as error:  # pragma: no cover - only in a tree that was never built
    raise ImportError(
        f"the Rust extension of neural-trader is not usable ({error}); install it with `pip install neural-trader`, "
        "or in a checkout with `pip install .`"
    ) from error

__all__ = [
    "EVENT_FLAGS",
    "EVENT_KINDS",
    "SYNTHETIC_TICK_DECIMALS",
    "SYNTHETIC_VERSION",
    "VENUES",
    "Bar",
    "Engine",
    "Indicator",
    "Ladder",
    "OrderBook",
    "VenueFeed",
    "__version__",
    "check_not_negative",
    "check_prices",
    "closes",
    "decimals_from_text",
    "decimals_on_step",
    "feature_column",
    "feature_names",
    "floats_from_text",
    "floats_on_step",
    "imbalance_bars",
    "in_nanoseconds",
    "instants_from_text",
    "instruments_of",
    "prices_on_grid",
    "resampled_bars",
    "spacing",
    "sum_bars",
    "synthetic_market",
    "time_bars",
    "volume_on_grid",
]
