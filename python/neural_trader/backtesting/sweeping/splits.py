"""Times cut into what is optimised on and what is tested on.

Source: M. Lopez de Prado, "Advances in Financial Machine Learning" (2018), chapter 7 (purging, embargo) and chapter 12
(combinatorial purged cross-validation).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from neural_trader.errors import UsageError

Range = tuple[int, int]
"""Positions on the time line, the last one not included."""


@dataclass(frozen=True)
class Fold:
    """A stretch that is optimised on, and the one after it that is tested on."""

    train: Range
    test: Range


def walks(length: int, folds: int, train: float, *, anchored: bool, purge: int) -> list[Fold]:
    """Folds that follow one another: each test is of one length, and its training ends ``purge`` bars before it.

    ``train`` is the length of the first training as a multiple of a test; later ones are of the same length, or where
    they are ``anchored``, all begin with the first bar.
    """
    if folds < 1 or train <= 0:
        raise UsageError("a walk forward needs at least one fold, and a training longer than nothing")
    test = int(length / (folds + train))
    begin = length - folds * test
    if test < 1 or begin - purge < 2:
        raise UsageError(
            f"{length} bars are too few for {folds} folds with such a training; use fewer folds or more bars"
        )
    return [
        Fold((0 if anchored else max(0, at - begin), at - purge), (at, at + test))
        for at in range(begin, begin + folds * test, test)
    ]


@dataclass(frozen=True)
class Combination:
    """Groups that are tested on; all others are optimised on."""

    tested: tuple[int, ...]
    trained: tuple[int, ...]


def groups(length: int, count: int) -> list[Range]:
    """Neighbouring groups of nearly one length that cover everything."""
    if not 2 <= count <= length:
        raise UsageError(f"{length} bars cannot be cut into {count} groups")
    return [(length * at // count, length * (at + 1) // count) for at in range(count)]


def combined(count: int, tested: int) -> list[Combination]:
    """Every choice of so many of the groups to be tested on, in order."""
    if not 1 <= tested < count:
        raise UsageError(f"of {count} groups, from 1 to {count - 1} can be tested on, not {tested}")
    if count > 16:
        raise UsageError(f"{count} groups make too many combinations; at most 16")
    return [
        Combination(chosen, tuple(each for each in range(count) if each not in chosen))
        for chosen in combinations(range(count), tested)
    ]


def paths(count: int, chosen: list[Combination]) -> list[list[int]]:
    """Paths through all groups: by which combination each group is tested. Each test is in one path."""
    by_group = [[at for at, each in enumerate(chosen) if group in each.tested] for group in range(count)]
    return [[tests[path] for tests in by_group] for path in range(len(by_group[0]))]


def purged(groups_: list[Range], purge: int, embargo: int) -> list[Range]:
    """Groups as they are optimised on.

    They lack the bars whose outcome reaches into the next group, and those in which the group before may still echo. At
    either end of the data there is nothing to keep away from.
    """
    last = len(groups_) - 1
    cut = [
        (begin + (embargo if at else 0), end - (purge if at < last else 0)) for at, (begin, end) in enumerate(groups_)
    ]
    if any(end - begin < 2 for begin, end in cut):
        raise UsageError("purge and embargo leave nothing of a group; make them shorter, or take fewer groups")
    return cut
