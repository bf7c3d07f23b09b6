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

if TYPE_CHECKING:
    from neural_trader.report.outcome import Floats, Times

BLOCK = 16_384
"""Samples per block: four buffers of this length fit into a second-level cache of half a MiB."""

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


def measure(initial: float, start_ns: int, time_ns: Times, equity: Floats) -> CurveFacts:
    """Measure the curve that starts with ``initial`` at ``start_ns`` and goes on with ``equity`` at ``time_ns``."""
    samples = len(equity)
    moments = _Moments()
    water = _Water(initial, start_ns)
    total = 0.0
    ruin_ns: int | None = None
    previous = initial
    size = min(BLOCK, samples)
    returns, scratch = np.empty(size), np.empty(size)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for begin in range(0, samples, BLOCK):
            block = equity[begin : begin + BLOCK]
            times = time_ns[begin : begin + BLOCK]
            subtotal = float(block.sum())
            if not np.isfinite(subtotal):
                raise EngineError(f"equity is not a finite number at or after {times[0]} ns: it cannot be measured")
            total += subtotal
            if ruin_ns is None and not float(block.min()) > 0.0:
                first = int(np.argmin(block > 0.0))
                ruin_ns = int(times[first])
            if ruin_ns is None:
                moments.add(previous, block, returns, scratch)
            water.add(block, times, scratch)
            previous = float(block[-1])
    end_ns = int(time_ns[-1]) if samples else start_ns
    return CurveFacts(
        samples=samples,
        initial=initial,
        final=previous,
        peak=water.level,
        mean_equity=total / samples if samples else initial,
        years=(end_ns - start_ns) / NANOSECONDS_PER_YEAR,
        return_mean=moments.mean,
        return_deviation=float(np.sqrt(moments.squares / (samples - 1))) if samples > 1 else float("nan"),
        downside_deviation=float(np.sqrt(moments.downside / samples)) if samples else float("nan"),
        drawdown=water.deepest,
        underwater_ns=water.close(end_ns),
        ruin_ns=ruin_ns,
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
