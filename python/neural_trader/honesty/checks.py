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
        """What a report says of it: neither a path of this machine, nor whether it was the first time."""
        return {
            "count": self.search.trials,
            "sharpe_variance": self.search.variance,
            "over": "project" if self.of_project else "data",
        }


@dataclass(frozen=True)
class LookAhead:
    """Whether decisions stay the same when what comes after them is made into something else."""

    times_ns: tuple[int, ...]
    """After which times the future was replaced."""
    changed: str | None = None
    """The first decision that changed, in words; None if none did."""
    skipped: str | None = None
    """Why nothing was checked."""

    @property
    def passed(self) -> bool:
        """Whether no decision changed."""
        return self.changed is None

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.skipped is not None:
            return f"look-ahead: not checked, {self.skipped}"
        if self.changed is not None:
            return f"look-ahead: {self.changed}"
        count = len(self.times_ns)
        return f"look-ahead: checked at {count} time{'' if count == 1 else 's'}, none"

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "passed": None if self.skipped is not None else self.passed,
            "checked": len(self.times_ns),
            "times_ns": list(self.times_ns),
            "changed": self.changed,
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class WarmUp:
    """How long a run that begins later takes to decide as the whole run does."""

    bars: int | None
    """Bars until decisions are equal; None if they were not within the bars that were tried."""
    tried: int
    compared: int
    """Decisions of either run among those bars."""
    stated: int | None = None
    """Bars that were said to be enough."""

    @property
    def passed(self) -> bool:
        """Whether it is no longer than what was stated."""
        return self.stated is None or (self.bars is not None and self.bars <= self.stated)

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if not self.compared:
            return f"warm-up: no decisions within {self.tried:,} bars to compare"
        found = (
            f"warm-up: decisions differ for more than {self.tried:,} bars"
            if self.bars is None
            else f"warm-up: decisions are equal after {self.bars:,} bars"
        )
        return found if self.stated is None else f"{found}; {self.stated:,} were said to be enough"

    def document(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "passed": self.passed,
            "bars": self.bars,
            "tried": self.tried,
            "compared": self.compared,
            "stated": self.stated,
        }
