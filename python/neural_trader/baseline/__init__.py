"""The engine in plain Python: the definition that the Rust engine is held equal to.

Read ``engine`` first; it follows docs/fill-rules.md section by section. Nothing here is fast, everything is exact.
"""

from __future__ import annotations

from neural_trader.baseline.callbacks import Strategy
from neural_trader.baseline.engine import Engine

__all__ = ["Engine", "Strategy"]
