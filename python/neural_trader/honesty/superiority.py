"""Whether the best of many strategies beats a benchmark, once it is known how many there were.

- White (2000), "A reality check for data snooping", Econometrica 68.
- Hansen (2005), "A test for superior predictive ability", Journal of Business and Economic Statistics 23.
- Romano and Wolf (2005), "Stepwise multiple testing as formalized data snooping", Econometrica 73.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neural_trader.honesty.bootstrap import block_length, resamples
from neural_trader.honesty.gauss import Floats

_CELLS = 1 << 18
"""Means that are worked out together."""
_ASKED = 64
"""Columns whose block lengths are looked at."""


class Superiority(NamedTuple):
    """The three p-values of Hansen's test, and the strategy that did best."""

    lower: float
    consistent: float
    """The one to read: poor strategies among many do not blunt it."""
    upper: float
    best: int


def reality_check(
    excess: Floats, *, block: float | None = None, resamples_count: int = 1000, seed: int = 0
) -> tuple[float, int]:
    """White's p-value that the best column of ``excess`` has no positive mean, and that column.

    ``excess`` has a row for each period and a column for each strategy: its return less that of the benchmark.
    """
    means, resampled = _means(excess, block, resamples_count, seed)
    root = math.sqrt(len(excess))
    observed = root * float(means.max())
    found = root * (resampled - means).max(axis=1)
    return float((found >= observed).mean()), int(means.argmax())


def superior_ability(
    excess: Floats, *, block: float | None = None, resamples_count: int = 1000, seed: int = 0
) -> Superiority:
    """Hansen's p-values that no column of ``excess``, laid out as for :func:`reality_check`, has a positive mean."""
    count = len(excess)
    block = typical_block(excess) if block is None else block
    means, resampled = _means(excess, block, resamples_count, seed)
    deviations = np.sqrt(_long_run_variance(excess, block))
    # A column that never differs from the benchmark proves nothing, whatever rounding makes of it.
    varies = deviations > 1e-12 * max(1e-300, float(np.abs(excess).max(initial=0.0)))
    if not varies.any():
        return Superiority(1.0, 1.0, 1.0, int(means.argmax()))
    means, resampled, deviations = means[varies], resampled[:, varies], deviations[varies]
    root = math.sqrt(count)
    scaled = root * means / deviations
    observed = max(0.0, float(scaled.max()))
    threshold = -math.sqrt(2.0 * math.log(max(math.log(count), 1.0 + 1e-9)))
    centres = (np.maximum(means, 0.0), np.where(scaled >= threshold, means, 0.0), means)
    values: list[float] = []
    for centre in centres:
        found = np.maximum(0.0, (root * (resampled - centre) / deviations).max(axis=1))
        values.append(float((found >= observed).mean()) if observed > 0.0 else 1.0)
    lower, consistent, upper = values
    return Superiority(lower, consistent, upper, int(np.flatnonzero(varies)[scaled.argmax()]))


class Selected(NamedTuple):
    """What tests say of one strategy that was selected from many, and of all of them."""

    value: float
    """The p-value of the selected one: how often the best of all shows as much without any skill."""
    reality_check: float
    """White's p-value, that of :func:`reality_check`."""
    lower: float
    """Hansen's p-values, those of :func:`superior_ability`."""
    consistent: float
    upper: float
    statistic: float
    """The mean of the selected one over its error."""
    by_luck: Floats
    """The same of the best of all without any skill, one for each resample, ascending."""


def selected(
    excess: Floats, at: int, *, block: float | None = None, resamples_count: int = 1000, seed: int = 0
) -> Selected | None:
    """Test column ``at`` of ``excess``, laid out as for :func:`reality_check`, as one that was selected from all.

    It need not be the one with the largest statistic. Its p-value is the first step of Romano and Wolf (2005), with the
    errors and the centres of Hansen (2005): the share of resamples, and of what was observed, in which the best of all
    columns is as far above zero. None where the selected column does not vary.

    Resamples are gone through in pieces, so that memory grows neither with them nor much with the columns.
    """
    count = len(excess)
    means = excess.mean(axis=0)
    block = max(typical_block(excess), block_length(excess[:, at])) if block is None else block
    deviations = np.sqrt(_long_run_variance(excess, block))
    varies = deviations > 1e-12 * max(1e-300, float(np.abs(excess).max(initial=0.0)))
    if not varies[at]:
        return None
    root = math.sqrt(count)
    scaled = root * means[varies] / deviations[varies]
    threshold = -math.sqrt(2.0 * math.log(max(math.log(count), 1.0 + 1e-9)))
    own = means[varies]
    centres = (np.maximum(own, 0.0), np.where(scaled >= threshold, own, 0.0), own)
    plain, luck = [], []
    for piece in _resampled_means(excess, block, resamples_count, seed):
        plain.append((piece - means).max(axis=1))
        apart = piece[:, varies]
        luck.append([(root * (apart - centre) / deviations[varies]).max(axis=1) for centre in centres])
    found = np.concatenate(luck, axis=1)
    statistic, best = root * float(means[at]) / float(deviations[at]), float(scaled.max())

    def share(values: Floats, observed: float) -> float:
        # What was observed is one of the ways in which it could have come, so that no p-value is zero.
        return 1.0 if observed <= 0.0 else float(1 + (values >= observed).sum()) / (1 + len(values))

    lower, consistent, upper = (share(values, best) for values in found)
    check = share(np.concatenate(plain), float(means.max()))
    return Selected(
        share(found[1], statistic), check, lower, consistent, upper, statistic, np.sort(np.asarray(found[1]))
    )


def typical_block(excess: Floats) -> float:
    """The median of the automatic block lengths of the columns: one length must serve all, to keep them together.

    Of very many columns, some at even distances are asked.
    """
    return float(np.median([block_length(column) for column in excess.T[:: -(-excess.shape[1] // _ASKED)]]))


def _means(excess: Floats, block: float | None, total: int, seed: int) -> tuple[Floats, Floats]:
    """The means of the columns, and those of each resample, shape ``(resamples, columns)``."""
    block = typical_block(excess) if block is None else block
    return excess.mean(axis=0), np.concatenate(list(_resampled_means(excess, block, total, seed)))


def _resampled_means(excess: Floats, block: float, total: int, seed: int) -> Iterator[Floats]:
    """The means of the columns in each resample, some resamples at a time."""
    count = len(excess)
    for rows in resamples(count, block, total, np.random.default_rng(seed)):
        # How often each row was drawn is all that a mean needs, and makes it one product of matrices.
        flat = rows + np.arange(len(rows))[:, None] * count
        drawn = np.bincount(flat.ravel(), minlength=len(rows) * count).reshape(len(rows), count).astype(float)
        step = max(1, _CELLS // excess.shape[1])
        for begin in range(0, len(drawn), step):
            yield drawn[begin : begin + step] @ excess / count


def _long_run_variance(excess: Floats, block: float) -> Floats:
    """The variance of ``sqrt(n)`` times the mean under the stationary bootstrap (1994, lemma 1; 2005, section 3)."""
    count = len(excess)
    apart = excess - excess.mean(axis=0)
    keep = 1.0 - 1.0 / max(block, 1.0)
    size = 1 << (2 * count - 1).bit_length()
    power = np.fft.rfft(apart, size, axis=0)
    covariance = np.fft.irfft(power * power.conj(), size, axis=0)[:count] / count
    lags = np.arange(1, count)
    kernel = (1.0 - lags / count) * keep**lags + lags / count * keep ** (count - lags)
    found: Floats = np.maximum(covariance[0] + 2.0 * (kernel[:, None] * covariance[1:]).sum(axis=0), 0.0)
    return found
