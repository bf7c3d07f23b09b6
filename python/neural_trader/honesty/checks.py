"""What was found out about a run beside its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neural_trader.honesty.trials import Search


@dataclass(frozen=True)
class Counted:
    """A run as one of the trials of its ledger."""

    ledger: str
    """Path of the file."""
    search: Search
    """How much had been tried when this run was counted, itself included."""
    is_new: bool
    """Whether the ledger did not have it yet."""
    of_project: bool
    """Whether all trials of the ledger count; else those on the same data."""

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "count": self.search.trials,
            "sharpe_variance": self.search.variance,
            "over": "project" if self.of_project else "data",
            "ledger": self.ledger,
            "new": self.is_new,
        }
