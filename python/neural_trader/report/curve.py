"""One pass over an equity curve: everything that the curve statistics need, from any number of samples.

The pass works in blocks that stay in the processor's cache, so a million samples cost a few milliseconds and no
array of the length of the curve is made. Sums are merged block by block with the parallel update of Chan, Golub and
LeVeque (1979), which keeps the variance accurate when the mean is large beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neural_trader.errors import EngineError
from neural_trader.report.outcome import BLOCK

if TYPE_CHECKING:
    from neural_trader.report.outcome import Floats, Times

NANOSECONDS_PER_YEAR = 365.25 * 86_400 * 1e9
"""A Julian year, the mean length of a calendar year with its leap days."""


@dataclass(frozen=True)
class CurveFacts:
    """What one pass over a curve finds. The curve begins with the deposit, so returns and peaks count from there."""

    samples: int
    initial: float
    final: float
    peak: float
    mean_equity: float
    end_ns: int
    """Time of the last sample."""
    years: float
    """From the deposit to the last sample, in years of 365.25 days."""
    return_mean: float
    return_deviation: float
    """Sample standard deviation (ddof = 1) of the returns from sample to sample; NaN below two returns."""
    downside_deviation: float
    """Root of the mean of min(return, 0) squared."""
    drawdown: float
    """The deepest fall below the running peak as a fraction, <= 0."""
    underwater_ns: int
    """The longest time from a peak to the return to its level, or to the end of the curve if it never came back."""
    ruin_ns: int | None
    """Time of the first sample that is not positive. Returns after it have no meaning."""


class Measure:
    """Measures a curve that starts with ``initial`` at ``start_ns`` and goes on with blocks that are added in order."""

    def __init__(self, initial: float, start_ns: int) -> None:
        self._initial, self._start_ns = initial, start_ns
        self._samples = 0
        self._total = 0.0
        self._previous = initial
        self._end_ns = start_ns
        self._ruin_ns: int | None = None
        self._moments = _Moments()
        self._water = _Water(initial, start_ns)
        self._buffers = np.empty(BLOCK), np.empty(BLOCK)

    def add(self, times: Times, block: Floats) -> None:
        """Take in the next samples, at most ``BLOCK``."""
        returns, scratch = self._buffers
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            subtotal = float(block.sum())
            if not np.isfinite(subtotal):
                raise EngineError(f"equity is not a finite number at or after {times[0]} ns: it cannot be measured")
            self._total += subtotal
            if self._ruin_ns is None and not float(block.min()) > 0.0:
                self._ruin_ns = int(times[int(np.argmin(block > 0.0))])
            if self._ruin_ns is None:
                self._moments.add(self._previous, block, returns, scratch)
            self._water.add(block, times, scratch)
        self._samples += len(block)
        self._previous, self._end_ns = float(block[-1]), int(times[-1])

    def facts(self) -> CurveFacts:
        """What has been found."""
        samples, moments, water = self._samples, self._moments, self._water
        return CurveFacts(
            samples=samples,
            initial=self._initial,
            final=self._previous,
            peak=water.level,
            mean_equity=self._total / samples if samples else self._initial,
            end_ns=self._end_ns,
            years=(self._end_ns - self._start_ns) / NANOSECONDS_PER_YEAR,
            return_mean=moments.mean,
            return_deviation=float(np.sqrt(moments.squares / (samples - 1))) if samples > 1 else float("nan"),
            downside_deviation=float(np.sqrt(moments.downside / samples)) if samples else float("nan"),
            drawdown=water.deepest,
            underwater_ns=water.close(self._end_ns),
            ruin_ns=self._ruin_ns,
        )


class _Moments:
    """Mean, sum of squared deviations and sum of squared losses of the returns, updated block by block."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0
        self.downside = 0.0

    def add(self, previous: float, block: Floats, returns: Floats, scratch: Floats) -> None:
        """Add the returns of a block; ``previous`` is the sample before it, the buffers are at least as long as it."""
        count = len(block)
        returns, scratch = returns[:count], scratch[:count]
        returns[0] = block[0] / previous
        np.divide(block[1:], block[:-1], out=returns[1:])
        returns -= 1.0
        mean = float(returns.sum()) / count
        np.subtract(returns, mean, out=scratch)
        squares = float(np.square(scratch, out=scratch).sum())
        difference, merged = mean - self.mean, self.count + count
        self.squares += squares + difference * difference * self.count * count / merged
        self.mean += difference * count / merged
        self.count = merged
        np.minimum(returns, 0.0, out=scratch)
        self.downside += float(np.square(scratch, out=scratch).sum())


class _Water:
    """The running peak (the water level), the deepest fall below it and the longest stay below it."""

    def __init__(self, initial: float, start_ns: int) -> None:
        self.level = initial
        self.deepest = 0.0
        self._peak_ns = start_ns
        self._longest_ns = 0
        self._below = False

    def add(self, block: Floats, times: Times, scratch: Floats) -> None:
        if float(block.max()) < self.level:
            # The usual block of a long run lies wholly under water; only its lowest point can matter.
            self.deepest = min(self.deepest, float(block.min()) / self.level - 1.0)
            self._below = True
            return
        peaks = scratch[: len(block)]
        np.maximum.accumulate(block, out=peaks)
        np.maximum(peaks, self.level, out=peaks)
        at_peak = np.flatnonzero(block == peaks)
        self.level = float(peaks[-1])
        np.divide(block, peaks, out=peaks)
        self.deepest = min(self.deepest, float(peaks.min()) - 1.0)
        if at_peak[0] > 0 or self._below:
            self._longest_ns = max(self._longest_ns, int(times[at_peak[0]]) - self._peak_ns)
        if len(at_peak) < len(block):
            # Neighbouring samples at the peak have nothing under water between them.
            dives = np.flatnonzero(np.diff(at_peak) > 1)
            if len(dives):
                spans = times[at_peak[dives + 1]] - times[at_peak[dives]]
                self._longest_ns = max(self._longest_ns, int(spans.max()))
        self._peak_ns = int(times[at_peak[-1]])
        self._below = bool(at_peak[-1] < len(block) - 1)

    def close(self, end_ns: int) -> int:
        """The longest time under water when the curve ends here."""
        return max(self._longest_ns, end_ns - self._peak_ns) if self._below else self._longest_ns
