"""docs/result-schema.md and the document that is written say the same, field by field and statistic by statistic."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import neural_trader as nt
from neural_trader.honesty.assessment import VERDICTS
from neural_trader.market.recordings import synthetic_recording
from neural_trader.report.definitions import DEFINITIONS
from neural_trader.report.document import SCHEMA, encode, to_document
from neural_trader.strategy.library.avellaneda_stoikov import AvellanedaStoikov
from report_sample import make_result

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs/result-schema.md").read_text(encoding="utf-8")
FREE = (
    "figures",
    "run.parameters",
    "run.overlays",
    "stats",
    "undefined",
    "benchmark.stats",
    "benchmark.undefined",
    "honesty.intervals",
)
"""Objects whose names are not part of the schema: parameters, and statistics, which have their own table."""


def documented() -> set[str]:
    """The fields in the first column of the table of fields."""
    table = PAGE.split("## Fields", 1)[1].split("## Statistics", 1)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))


def documented_of_replays() -> tuple[set[str], set[str]]:
    """The fields that a replay has beside those, and those of them that it does not have."""
    section = PAGE.split("## Replays", 1)[1]
    missing = re.findall(r"`([a-z_.]+)`", section.split("Its bars", 1)[0])
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)), set(missing)


def paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of every field in a document."""
    if path:
        yield path
    if path in FREE:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            yield from paths(item, re.sub(r"^tables\.\w+", "tables.*", inner))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from (inner for inner in paths(item, f"{path}[]") if inner != f"{path}[]")


def example() -> Any:
    return json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[-1])


def test_every_field_of_a_document_is_documented_and_every_documented_field_exists() -> None:
    document = json.loads(encode(to_document(make_result(("A", "B"), count=800))))
    found = set(paths(document)) - {"tables.*"}
    assert found == documented()


def test_every_field_of_the_document_of_a_replay_is_documented_and_every_documented_field_exists() -> None:
    class Maker(AvellanedaStoikov):
        def report(self) -> dict[str, Any]:
            return {"spread": 1.0}

    result = nt.replay(Maker, synthetic_recording(7, "1m"), ladder=True)
    added, missing = documented_of_replays()
    assert not added & documented()
    # Where an object is missing, so is what is in it.
    present = {field for field in documented() | added if not missing & {field, field.partition(".")[0]}}
    assert set(paths(json.loads(encode(result.to_dict())))) - {"tables.*"} == present


def test_verdicts_are_those_that_are_given() -> None:
    table = PAGE.split("## Verdicts", 1)[1].split("## Sweeps", 1)[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(VERDICTS)


def test_example_has_every_documented_field() -> None:
    assert set(paths(example())) - {"tables.*"} == documented()
    assert example()["schema"] == SCHEMA


def test_table_of_statistics_is_the_one_that_is_computed() -> None:
    table = PAGE.split("## Statistics", 1)[1].split("## Verdicts", 1)[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines() if "| `" in line]
    expected = [
        (one.name, one.unit, f"`{one.formula}`", one.source, "yes" if one.of_curve else "") for one in DEFINITIONS
    ]
    assert rows == expected
    assert set(example()["stats"]) == {one.name for one in DEFINITIONS}


def test_every_field_of_a_sweep_is_documented() -> None:
    table = PAGE.split("## Sweeps", 1)[1].split("## Example", 1)[0]
    found = nt.sweep("sma_cross", grid={"fast": "5,10", "slow": "30"}, symbols=["BTC"], threads=1).to_dict()
    free = {"run", "metric", "parameters", "best", "honesty.sharpe", "honesty.luck.superior_ability"}

    def fields(value: dict[str, Any], path: str) -> Iterator[str]:
        for name, item in value.items():
            yield path + name
            if isinstance(item, dict) and path + name not in free:
                yield from fields(item, f"{path}{name}.")

    assert set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) == set(fields(found, ""))
    assert found["honesty"]["verdict"] in VERDICTS
