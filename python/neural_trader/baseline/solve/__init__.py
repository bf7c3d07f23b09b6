"""The plain definition of the solvers of diagonally dominant systems: lists of numbers and loops, and nothing else."""

from neural_trader.baseline.solve.dominance import Dominance, Matrix, certify, dominance_of
from neural_trader.baseline.solve.push import backward, forward
from neural_trader.baseline.solve.sweeps import bicgstab, conjugate_gradient, neumann
from neural_trader.baseline.solve.walks import bidirectional, walks

__all__ = [
    "Dominance",
    "Matrix",
    "backward",
    "bicgstab",
    "bidirectional",
    "certify",
    "conjugate_gradient",
    "dominance_of",
    "forward",
    "neumann",
    "walks",
]
