"""The rules of a replay in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def replay_rules(run: Mapping[str, Any]) -> str:
    """Latency, queue and book of a replay in one line."""
    way, _, back = str(run["latency"]).partition("/")
    latency = f"{way} each way" if way == back else f"{way} to the venue, {back} back"
    rules = f"latency {latency} · queue {run['queue']} · book of {_books(run['depth'])}"
    if run.get("feed") is not None:
        rules += f" · records after {run['feed']}"
    if run.get("whole"):
        rules += " · whole fills only"
    if str(run.get("leverage", "1")) != "1":
        rules += f" · leverage {run['leverage']}"
    return rules


def _books(depth: str | Mapping[str, str]) -> str:
    """What books are made of, where it is not the same for all of them with the symbols."""
    return depth if isinstance(depth, str) else ", ".join(f"{word} ({symbol})" for symbol, word in depth.items())


def replay_facts(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rules of a replay as label and text."""
    return [
        ("Latency", str(run["latency"]).replace("/", " / ")),
        ("Records arrive", "as recorded" if run.get("feed") is None else f"after {run['feed']}"),
        ("Book", f"of {_books(run['depth'])}"),
        ("Place in the queue", str(run["queue"])),
        ("Fills at rest", "whole" if run.get("whole") else "partial"),
        ("Own orders that meet", str(run["self_trade"]).replace("_", " ")),
        ("Equity sampled every", str(run["sample"])),
    ]
