"""The table of features, as the engine has it: what each reads, takes and makes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

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
        return str(int(self.default)) if self.whole else repr(self.default).replace("e+", "e")


class NumberList(NamedTuple):
    """Numbers without end that a feature takes beside its parameters: from two, which differ, to ``most``."""

    name: str
    most: int
    default: tuple[float, ...]

    def refusal(self, numbers: Sequence[float]) -> str | None:
        """What is wrong with numbers, if anything."""
        if 2 <= len(numbers) <= self.most and any(each != numbers[0] for each in numbers):
            return None
        return f"{self.name} must be 2 to {self.most} numbers that are not all the same"


class Kind(NamedTuple):
    """One feature."""

    name: str
    family: str
    inputs: tuple[tuple[str, str | None], ...]
    """What it reads, and the field of bars that this is where nothing else is given."""
    parameters: tuple[Parameter, ...]
    list: NumberList | None
    """What it takes in front of its parameters, if anything; for the engine it stands behind them."""
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
        return f"{self.name}({', '.join([*(name for name, _ in self.inputs), *self.given])})"

    @property
    def given(self) -> Sequence[str]:
        """What it takes beside its inputs, with defaults."""
        numbers = [f"{each.name}={each.shown_default}" for each in self.parameters]
        return (
            [f"{self.list.name}=[{', '.join(f'{each:g}' for each in self.list.default)}]", *numbers]
            if self.list
            else numbers
        )

    def listed(self, given: Sequence[Any], named: dict[str, Any]) -> tuple[tuple[Any, ...], Sequence[Any]]:
        """The list of a call, taken out of ``named`` where it stands there, and what else is given by place."""
        if self.list is None:
            return (), given
        if self.list.name in named:
            return tuple(named.pop(self.list.name)), given
        # A number has no length, and a list has.
        if given and hasattr(given[0], "__len__"):
            return tuple(given[0]), given[1:]
        return self.list.default, given

    def flat(self, given: Sequence[Any], listed: Sequence[Any]) -> Sequence[Any]:
        """Parameters and list as the engine takes them."""
        if not listed:
            return given
        return [*given, *(each.default for each in self.parameters[len(given) :]), *listed]


@cache
def table() -> dict[str, Kind]:
    """Every feature by its name, family by family."""
    return {
        row["name"]: Kind(
            row["name"],
            row["family"],
            tuple(row["inputs"]),
            tuple(Parameter(*each) for each in row["parameters"]),
            NumberList(row["list"][0], row["list"][1], tuple(row["list"][2])) if row["list"] else None,
            tuple(row["outputs"]),
            row["line"],
            row["source"],
        )
        for row in feature_table()
    }
