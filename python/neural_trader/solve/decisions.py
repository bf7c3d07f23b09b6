"""Markov decision processes: the value of a policy, that of one state alone, and the best policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neural_trader.errors import DataError, UsageError
from neural_trader.solve.answers import Certificate, Entry, Solution
from neural_trader.solve.matrices import Rows, from_coordinates, rows_of
from neural_trader.solve.system import System

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SUM_TOLERANCE = 1e-9
_ROUNDS_MAX = 1000


def policy_system(transitions: Any, discount: float) -> System:
    """The system ``1 - discount P`` of a policy's transitions; rows dominate by ``1 - discount``."""
    import numpy as np

    if not 0 < discount < 1:
        raise UsageError(f"discount must be between 0 and 1, not {discount}")
    given = _transitions(transitions)
    length = len(given.begins) - 1
    nodes = np.arange(length)
    rows = np.concatenate([np.repeat(nodes, np.diff(given.begins)), nodes])
    columns = np.concatenate([given.columns, nodes])
    return System(from_coordinates(rows, columns, np.concatenate([-discount * given.values, np.ones(length)]), length))


def policy_value(transitions: Any, rewards: Any, *, discount: float, eps: float = 1e-8) -> Solution:
    """The discounted value of every state under a policy: ``v = rewards + discount P v``."""
    return policy_system(transitions, discount).solve(rewards, eps=eps)


def state_value(transitions: Any, rewards: Any, state: int, *, discount: float, eps: float = 1e-6) -> Entry:
    """The value of one state, without that of the others."""
    return policy_system(transitions, discount).entry(state, rewards, eps=eps)


@dataclass(frozen=True, slots=True)
class Policy:
    """The best action and the value of each state; ``bound`` is how far values are at most from the best there are."""

    actions: NDArray[np.int64]
    values: NDArray[np.float64]
    rounds: int
    bound: float
    certificate: Certificate


def policy_iteration(
    transitions: Sequence[Any], rewards: Sequence[Any], *, discount: float, eps: float = 1e-8
) -> Policy:
    """The best policy (Howard 1960), by turns of exact evaluation and greedy improvement.

    ``transitions`` and ``rewards`` have one matrix and one vector per action. An action is changed where another is
    better by more than the evaluation may be wrong, so that it ends. Each evaluation begins with the values of the
    last.

    >>> stay, move = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
    >>> best = policy_iteration([stay, move], [[0, 1], [0, 0]], discount=0.5)
    >>> best.actions.tolist(), best.values.round(6).tolist()
    ([1, 0], [1.0, 2.0])
    """
    import numpy as np

    if not transitions or len(transitions) != len(rewards):
        raise UsageError("policy_iteration takes one matrix of transitions and one vector of rewards for each action")
    moves = [_transitions(each) for each in transitions]
    gains = np.array(rewards, dtype=np.float64)
    states = len(moves[0].begins) - 1
    if gains.shape != (len(moves), states) or any(len(each.begins) - 1 != states for each in moves):
        raise DataError(f"every action needs transitions and rewards for all of {states} states")
    actions = np.zeros(states, dtype=np.int64)
    start = None
    for rounds in range(1, _ROUNDS_MAX + 1):
        answer = policy_system(_chosen(moves, actions), discount).solve(
            gains[actions, np.arange(states)], eps=eps, start=start
        )
        bound = answer.certificate.bound
        worth = gains + discount * np.array([_expected(each, answer.x) for each in moves])
        best = worth.max(axis=0)
        ahead = best > worth[actions, np.arange(states)] + 2 * bound
        if not ahead.any():
            gap = float((best - answer.x).max(initial=0.0)) + (1 + discount) * bound
            return Policy(actions, answer.x, rounds, gap / (1 - discount), answer.certificate)
        actions = np.where(ahead, worth.argmax(axis=0), actions)
        start = answer.x
    raise DataError(f"the policy still changed after {_ROUNDS_MAX} rounds; ask for a larger eps")


def _transitions(matrix: Any) -> Rows:
    import numpy as np

    given = rows_of(matrix)
    sources = np.repeat(np.arange(len(given.begins) - 1), np.diff(given.begins))
    sums = np.bincount(sources, weights=given.values, minlength=len(given.begins) - 1)
    wrong = np.flatnonzero(~(np.abs(sums - 1) <= _SUM_TOLERANCE))
    if (given.values < 0).any() or len(wrong):
        state = int(wrong[0]) if len(wrong) else int(sources[given.values < 0][0])
        raise DataError(f"the chances of state {state} must be 0 or more and add up to 1, not {sums[state]}")
    return given


def _chosen(moves: list[Rows], actions: NDArray[np.int64]) -> Rows:
    """The transitions of a policy: from each state those of its action."""
    import numpy as np

    states = len(actions)
    rows, columns, values = [], [], []
    for action, given in enumerate(moves):
        sources = np.repeat(np.arange(states), np.diff(given.begins))
        kept = actions[sources] == action
        rows.append(sources[kept])
        columns.append(given.columns[kept])
        values.append(given.values[kept])
    return from_coordinates(np.concatenate(rows), np.concatenate(columns), np.concatenate(values), states)


def _expected(given: Rows, values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    sources = np.repeat(np.arange(len(values)), np.diff(given.begins))
    return np.bincount(sources, given.values * values[given.columns], len(values)).astype(np.float64)
