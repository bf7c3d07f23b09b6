"""The replay of recorded books and trades in plain Python: the definition that the Rust engine is held equal to.

Read ``replay`` first; the modules beside it follow docs/book-rules.md section by section.
"""

from __future__ import annotations

from neural_trader.baseline.replay.callbacks import ReplayStrategy
from neural_trader.baseline.replay.events import Event, EventKind, events_of
from neural_trader.baseline.replay.replay import Replay

__all__ = ["Event", "EventKind", "Replay", "ReplayStrategy", "events_of"]
