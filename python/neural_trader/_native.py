"""The one door to the Rust extension; everything else imports from here, so that a missing build says what to do."""

from __future__ import annotations

try:
    from neural_trader._core import Bar, Engine, Indicator, __version__, feature_column, feature_names
except ImportError as error:  # pragma: no cover - only in a tree that was never built
    raise ImportError(
        f"the Rust extension of neural-trader is not usable ({error}); install it with `pip install neural-trader`, "
        "or in a checkout with `pip install .`"
    ) from error

__all__ = ["Bar", "Engine", "Indicator", "__version__", "feature_column", "feature_names"]
