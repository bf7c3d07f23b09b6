"""Diagonally dominant systems: whole solutions, single entries, and what they are good for on markets."""

from neural_trader.solve.answers import Certificate, Entry, Solution, SparseSolution
from neural_trader.solve.clearing import Clearing, Contagion, clearing, contagion
from neural_trader.solve.decisions import Policy, policy_iteration, policy_system, policy_value, state_value
from neural_trader.solve.graphs import Ranking, effective_resistance, influence, lead_lag
from neural_trader.solve.matrices import Rows, from_coordinates, rows_of
from neural_trader.solve.portfolio import Shrunk, least_shrinkage
from neural_trader.solve.system import ENTRY_METHODS, METHODS, Facts, RightSide, System
from neural_trader.solve.tracking import Tracked

__all__ = [
    "ENTRY_METHODS",
    "METHODS",
    "Certificate",
    "Clearing",
    "Contagion",
    "Entry",
    "Facts",
    "Policy",
    "Ranking",
    "RightSide",
    "Rows",
    "Shrunk",
    "Solution",
    "SparseSolution",
    "System",
    "Tracked",
    "clearing",
    "contagion",
    "effective_resistance",
    "from_coordinates",
    "influence",
    "lead_lag",
    "least_shrinkage",
    "policy_iteration",
    "policy_system",
    "policy_value",
    "rows_of",
    "state_value",
]
