"""The table of features, as the engine has it: what each reads, takes and makes."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from neural_trader._native import feature_table


class Parameter(NamedTuple):
    """One parameter: a number from ``least`` to ``most``, whole or not."""

    name: str
    whole: bool
    least: float
    most: float
    default: float

    @property
    def shown_default(self) -> str:
        """The default as it is written in a call."""
        return str(int(self.default)) if self.whole else repr(self.default)


class Kind(NamedTuple):
    """One feature."""

    name: str
    family: str
    inputs: tuple[tuple[str, str | None], ...]
    """What it reads, and the field of bars that this is where nothing else is given."""
    parameters: tuple[Parameter, ...]
    outputs: tuple[tuple[str, str | None], ...]
    """What it makes, and the unit of it on bars: "ratio", "price", "volume", or powers of these."""
    line: str
    source: str

    @property
    def of_bars(self) -> bool:
        """Whether bars have all that it reads."""
        return all(field is not None for _, field in self.inputs)

    @property
    def call(self) -> str:
        """How it is called, with its defaults."""
        inputs = [name for name, _ in self.inputs]
        return (
            f"{self.name}({', '.join([*inputs, *(f'{each.name}={each.shown_default}' for each in self.parameters)])})"
        )


@cache
def table() -> dict[str, Kind]:
    """Every feature by its name, family by family."""
    return {
        row["name"]: Kind(
            row["name"],
            row["family"],
            tuple(row["inputs"]),
            tuple(Parameter(*each) for each in row["parameters"]),
            tuple(row["outputs"]),
            row["line"],
            row["source"],
        )
        for row in feature_table()
    }
