"""Who can pay what when all owe each other: clearing payments of Eisenberg and Noe (2001), and contagion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError
from neural_trader.solve.answers import Certificate
from neural_trader.solve.system import System

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Clearing:
    """What is paid: ``payments`` and ``equity`` by member, the members that default, by the round in which they do.

    ``certificate`` is that of the last system that was solved, None where nobody defaults.
    """

    payments: NDArray[np.float64]
    equity: NDArray[np.float64]
    rounds: tuple[tuple[int, ...], ...]
    certificate: Certificate | None

    @property
    def defaults(self) -> tuple[int, ...]:
        """All who default, in ascending order."""
        return tuple(sorted(member for each in self.rounds for member in each))


@dataclass(frozen=True, slots=True)
class Contagion:
    """What a shock does: clearing ``before`` and ``after`` it, and who defaults only because others do."""

    before: Clearing
    after: Clearing

    @property
    def infected(self) -> tuple[int, ...]:
        """Members that default after the shock, in a later round than the first, and did not before."""
        later = {member for each in self.after.rounds[1:] for member in each}
        return tuple(sorted(later - set(self.before.defaults)))


def clearing(liabilities: Any, assets: Any, *, outside: Any = None, eps: float = 1e-9) -> Clearing:
    """The greatest clearing payments, by the algorithm of fictitious defaults.

    ``liabilities[i][j]`` is what i owes to j, ``assets`` what each has beside claims on others, and ``outside`` what
    each owes to nobody in the system. Debts rank alike, nobody pays more than they have or owe. Each round solves the
    system ``(1 - shares^T) p = assets + what is paid in full`` among those in default, of which columns dominate, at
    least scaled.

    >>> found = clearing([[0, 10, 0], [0, 0, 10], [0, 0, 0]], [4, 1, 0])
    >>> found.payments.round(6).tolist(), found.rounds
    ([4.0, 5.0, 0.0], ((0,), (1,)))
    """
    import numpy as np

    owed, assets = _checked(liabilities, "liabilities", 2), _checked(assets, "assets", 1)
    members = len(assets)
    if owed.shape != (members, members) or np.diag(owed).any():
        raise DataError("liabilities must be square, as many as assets, with nothing owed to oneself")
    beyond = np.zeros(members) if outside is None else _checked(outside, "outside", 1)
    if len(beyond) != members:
        raise DataError(f"outside has {len(beyond)} values for {members} members")
    total = owed.sum(axis=1) + beyond
    shares = np.divide(owed, total[:, None], out=np.zeros_like(owed), where=total[:, None] > 0)
    payments, failed = total.copy(), np.zeros(members, dtype=bool)
    rounds: list[tuple[int, ...]] = []
    certificate: Certificate | None = None
    while True:
        # What is missing by no more than the payments are exact to is no default.
        short = (assets + shares.T @ payments < total - 2 * eps) & ~failed
        if not short.any():
            break
        rounds.append(tuple(np.flatnonzero(short).tolist()))
        failed |= short
        inside = np.flatnonzero(failed)
        system = System(np.eye(len(inside)) - shares[np.ix_(inside, inside)].T)
        answer = system.solve(assets[inside] + shares[np.ix_(~failed, inside)].T @ total[~failed], eps=eps)
        payments[inside] = np.clip(answer.x, 0.0, total[inside])
        certificate = answer.certificate
    equity = assets + shares.T @ payments - payments
    return Clearing(payments, np.where(failed, 0.0, equity), tuple(rounds), certificate)


def contagion(liabilities: Any, assets: Any, shock: Any, *, outside: Any = None, eps: float = 1e-9) -> Contagion:
    """Clearing before and after ``shock`` is taken from the assets; nobody's assets fall below 0."""
    import numpy as np

    before, lost = _checked(assets, "assets", 1), _checked(shock, "shock", 1)
    if len(before) != len(lost):
        raise DataError(f"shock has {len(lost)} values for {len(before)} members")
    after = np.maximum(before - lost, 0.0)
    return Contagion(
        clearing(liabilities, before, outside=outside, eps=eps), clearing(liabilities, after, outside=outside, eps=eps)
    )


def _checked(values: Any, what: str, dimensions: int) -> NDArray[np.float64]:
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions or not np.isfinite(array).all() or (array < 0).any():
        raise DataError(f"{what} must be finite amounts of 0 or more, in {dimensions} dimensions")
    return array
