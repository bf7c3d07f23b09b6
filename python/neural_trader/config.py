"""Configuration in layers: defaults, a TOML file, its ``.local.toml`` overlay, the environment, flags.

A later layer wins, key by key, and every value remembers the layer that it came from. A file looks like this::

    strategy = "strategy.py"
    cash = 10_000
    fee = "0.1%"

    [parameters]
    fast = 5

    [overlays.volatility_target]
    annual = 0.2

    [account.instruments.BTCUSDT]
    kind = "linear"
    maintenance = "0.5%"
"""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from neural_trader.errors import ConfigError

ENVIRONMENT = "NT__"
"""Prefix of environment variables; two underscores part the names of tables: ``NT__PARAMETERS__FAST=5``."""

PEERS: dict[str, dict[str, Any]] = {
    "backtesting.py": {"cash": 10_000, "fee": 0, "slippage": 0, "fill": "open", "limit": "touch"},
    "vectorbt": {"cash": 100, "fee": 0, "slippage": 0, "fill": "close", "limit": "touch"},
}
"""What other engines take for granted, so that a run can be laid beside one of theirs."""


class Key(NamedTuple):
    """A key of the configuration: the kind of its value, its default and one line about it."""

    kind: str
    default: Any
    line: str


KEYS: dict[str, Key] = {
    "strategy": Key("text", "sma_cross", "name of the library, or file.py[:Class]"),
    "data": Key("text", None, "file or folder of bars, or catalog:VENUE/INSTRUMENT; none: synthetic markets"),
    "kind": Key("text", None, "what of a catalog to play: bars, or bars-1h where there are several"),
    "symbols": Key("list", None, "instruments to trade; none: all that the data has"),
    "start": Key("time", None, "first bar opens at or after this time, UTC"),
    "end": Key("time", None, "last bar opens before this time, UTC"),
    "cash": Key("number", 10_000, "deposit in the account currency"),
    "currency": Key("text", "USD", "account currency"),
    "fee": Key("number", "0.1%", "rate, or maker/taker, or maker/taker/fixed"),
    "slippage": Key("number", "2bps", 'rate, "1 tick", "0.5 spread", or terms joined by +'),
    "fill": Key("text", "open", 'market orders fill at the next bar\'s "open", or at the deciding bar\'s "close"'),
    "limit": Key("text", "touch", 'limit orders fill when prices "touch" them, or only when they go "through"'),
    "leverage": Key("number", 1, "largest exposure as a multiple of equity"),
    "volume_cap": Key("number", None, "largest share of a bar's volume that orders may take"),
    "memory": Key("text", None, "file into which decisions are written, and from which like ones are recalled"),
    "close_at_end": Key("flag", False, "close positions after the last bar"),
    "seed": Key("integer", 7, "seed of the synthetic markets"),
    "funding": Key("text", None, "file of funding rates of contracts, with columns time, rate and symbol"),
    "like": Key("text", None, "start from the conventions of backtesting.py or vectorbt"),
    "look_ahead": Key("flag", True, "check that decisions do not change with the bars after them"),
    "warm_up": Key("integer", None, "bars that are said to be enough to decide on; none: it is only measured"),
    "trials": Key("text", None, "ledger that counts backtests, or off; none: that of the project, else the user's"),
}
TABLES: dict[str, str] = {
    "parameters": "parameters of the strategy",
    "overlays": "risk rules on top of the strategy, one table each",
    "account": "contracts, currencies, fee tiers and margin of the account, as docs/fill-rules.md section 11 has them",
}
"""Tables whose names are not fixed here: strategies and overlays judge what is in them."""


class Value(NamedTuple):
    """A configured value and the layer that it came from."""

    value: Any
    origin: str


Layer = dict[str, Value]
"""Values by dotted key: ``cash``, ``parameters.fast``, ``overlays.volatility_target.annual``."""


def layers(path: Path | None = None, environment: Mapping[str, str] | None = None, flags: Layer | None = None) -> Layer:
    """All values, those of later layers in place of earlier ones."""
    found = [defaults()]
    configured: list[Layer] = []
    if path is not None:
        found.append(of_project(path, environment or {}))
        configured.append(of_file(path))
        local = path.with_suffix(".local.toml")
        if local.is_file():
            configured.append(of_file(local))
    configured += [of_environment(environment or {}), flags or {}]
    like = merge(configured).get("like")
    if like is not None and like.value is not None:
        found.append(of_peer(like))
    return merge([*found, *configured])


def merge(found: Iterable[Layer]) -> Layer:
    """One layer of several; a table that a later layer leaves out keeps its earlier values."""
    merged: Layer = {}
    for layer in found:
        merged |= layer
    return merged


def defaults() -> Layer:
    """The values of a run that nobody configured."""
    return {name: Value(key.default, "default") for name, key in KEYS.items()}


def of_peer(like: Value) -> Layer:
    """The conventions of another engine."""
    peer = PEERS.get(str(like.value).partition(":")[0])
    if peer is None:
        raise ConfigError(
            f"{like.origin}: like {like.value!r} is not known{near(str(like.value), PEERS)}; known: {', '.join(PEERS)}"
        )
    return {name: Value(value, f"like {like.value}") for name, value in peer.items()}


def of_project(path: Path, environment: Mapping[str, str]) -> Layer:
    """What the folder of a configuration file implies: its backtests are counted beside it."""
    if environment.get("NT_TRIALS"):
        return {}
    return {"trials": Value(str(path.parent / ".neural-trader" / "trials.sqlite"), str(path))}


def of_file(path: Path) -> Layer:
    """The values of a TOML file; paths in it are relative to its folder."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `neural-trader init NAME` writes one to start from") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read ({reason})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    layer = {name: accepted(name, value, str(path)) for name, value in _dotted(document)}
    for name in ("strategy", "data", "funding"):
        if name in layer and isinstance(layer[name].value, str):
            layer[name] = Value(_beside(path, layer[name].value, is_strategy=name == "strategy"), str(path))
    account = layer.get("account")
    if account is not None and isinstance(account.value.get("funding"), str):
        beside = _beside(path, account.value["funding"], is_strategy=False)
        layer["account"] = Value(account.value | {"funding": beside}, str(path))
    trials = layer.get("trials")
    if trials is not None and trials.value != "off":
        layer["trials"] = Value(str(path.parent / Path(trials.value).expanduser()), str(path))
    return layer


def of_environment(environment: Mapping[str, str]) -> Layer:
    """The values of variables such as ``NT__CASH`` and ``NT__PARAMETERS__FAST``."""
    layer = {}
    for variable in sorted(environment):
        if variable.startswith(ENVIRONMENT):
            name = ".".join(variable.removeprefix(ENVIRONMENT).lower().split("__"))
            layer[name] = accepted(name, environment[variable], variable)
    return layer


def accepted(name: str, value: Any, origin: str) -> Value:
    """A value for a key, if there is such a key and it takes such a value; text is converted to what the key takes."""
    table, dot, rest = name.partition(".")
    if table in TABLES:
        if not (dot and all(rest.split("."))):
            if isinstance(value, Mapping):
                return Value(value, origin)
            raise ConfigError(
                f"{origin}: {table!r} is a table ({TABLES[table]}); write [{table}] and one line for each value"
            )
        return Value(value, origin)
    if name not in KEYS:
        known = [*KEYS, *TABLES]
        hint = near(rest if rest in KEYS else name, known) or f"; there are {', '.join(known)}"
        raise ConfigError(f"{origin}: unknown key {name!r}{hint}")
    converted = _converted(KEYS[name].kind, value)
    if converted is None:
        raise ConfigError(f"{origin}: {name} = {value!r} is no {_KINDS[KEYS[name].kind]} ({KEYS[name].line})")
    return Value(converted, origin)


def near(wanted: str, known: Iterable[str]) -> str:
    """The name nearest to a wanted one, as the end of a message."""
    found = difflib.get_close_matches(wanted, list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


_KINDS = {
    "text": "text",
    "list": "list of names",
    "time": "date or time",
    "number": "number or text",
    "flag": "true or false",
    "integer": "whole number",
}


def _converted(kind: str, value: Any) -> Any:
    """The value as its kind, or None if it cannot be one."""
    if kind == "list":
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
        return names if isinstance(names, list) and names and all(isinstance(n, str) and n for n in names) else None
    if kind == "time":
        return (
            value.isoformat()
            if isinstance(value, date | datetime | time)
            else value
            if isinstance(value, str)
            else None
        )
    if kind == "flag" and isinstance(value, str):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(value.lower())
    if kind == "flag":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind == "integer" and isinstance(value, str):
        return int(value) if value.strip().lstrip("+-").isdecimal() else None
    kinds: dict[str, tuple[type, ...]] = {"text": (str,), "number": (int, float, str), "integer": (int,)}
    return value if isinstance(value, kinds[kind]) else None


def data_folder() -> Path:
    """The folder of ours among those that the platform has for the data of programs."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "neural-trader"


def _dotted(document: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in document.items():
        # What is in an account belongs together: a later layer replaces all of it.
        if isinstance(value, dict) and value and prefix + name != "account":
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _beside(path: Path, reference: str, *, is_strategy: bool) -> str:
    """A path as seen from the folder of the file that names it; the name of a library strategy is no path."""
    if not is_strategy and reference.startswith("catalog:"):
        return reference
    head, colon, class_name = reference.rpartition(":")
    file = head if colon and head.endswith(".py") else reference
    if is_strategy and not file.endswith(".py"):
        return reference
    # A path that begins at the root or at home stays itself.
    beside = str(path.parent / Path(file).expanduser())
    return f"{beside}:{class_name}" if file == head else beside
