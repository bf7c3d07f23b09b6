"""Diagonally dominant systems: whole solutions, single entries, and what they are good for on markets."""

from neural_trader.solve.answers import Certificate, Entry, Solution, SparseSolution
from neural_trader.solve.matrices import Rows, from_coordinates, rows_of
from neural_trader.solve.system import ENTRY_METHODS, METHODS, Facts, RightSide, System
from neural_trader.solve.tracking import Tracked

__all__ = [
    "ENTRY_METHODS",
    "METHODS",
    "Certificate",
    "Entry",
    "Facts",
    "RightSide",
    "Rows",
    "Solution",
    "SparseSolution",
    "System",
    "Tracked",
    "from_coordinates",
    "rows_of",
]
