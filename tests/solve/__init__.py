"""Solvers of diagonally dominant systems."""
