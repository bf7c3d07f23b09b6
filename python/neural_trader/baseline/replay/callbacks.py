"""The calls by which a replay tells a strategy what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from neural_trader.baseline.replay.replay import Replay


class ReplayStrategy(Protocol):
    """Each of these calls may send commands and set timers."""

    def on_record(self, replay: Replay, source: int, index: int) -> None:
        """A record of a kind that was asked for has arrived."""

    def on_answer(self, replay: Replay, kind: str, number: int) -> None:
        """An answer has arrived: of an order by its id, or a fill by its index."""

    def on_timer(self, replay: Replay, time_ns: int) -> None:
        """It is the time that a timer was set to."""

    def on_bar(self, replay: Replay, instrument: int, bar_index: int) -> None:
        """The close of a bar has arrived."""

    def on_moment(self, replay: Replay, time_ns: int) -> None:
        """All closes of this time have arrived."""
