"""The state of a strategy as plain data: written into a snapshot, and read again without running anybody's code.

The document is JSON. Numbers, text, truth and nothing stand for themselves; everything else is a list that begins with
its kind. What can change is numbered in the order in which it is met, so that two names of one list stay names of one
list. Reading makes numbers, containers, arrays, generators of random numbers, and dataclasses and named tuples that the
strategy's own module defines, field by field; no other class is looked up, and no constructor of a strategy is called.
"""

from __future__ import annotations

import base64
import json
import math
import random
import sys
from collections import defaultdict, deque
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from neural_trader._native import Indicator
from neural_trader.errors import DataError, StrategyError
from neural_trader.strategy.outputs import outputs_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType

_FACTORIES: dict[str, Callable[[], Any]] = {each.__name__: each for each in (int, float, list, dict, deque)}
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def encode_state(
    state: Mapping[str, Any], *, owner: str, modules: Iterable[str], handles: Sequence[Indicator] = ()
) -> str:
    """``state`` as a document; StrategyError names the attribute of ``owner`` that is no plain data.

    ``modules`` are the names of those whose dataclasses may be part of it, ``handles`` the run's indicators.
    """
    writer = _Writer(owner, frozenset(modules), {id(handle): at for at, handle in enumerate(handles)})
    document = {name: writer.of(value, name) for name, value in state.items()}
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def decode_state(text: str, *, modules: Iterable[str], handles: Sequence[Indicator] = ()) -> dict[str, Any]:
    """What :func:`encode_state` wrote; DataError if it makes no sense."""
    known = [sys.modules[name] for name in modules if name in sys.modules]
    reader = _Reader(known, list(handles))
    try:
        return {name: reader.of(value) for name, value in json.loads(text).items()}
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(f"the state of the strategy in the snapshot makes no sense ({error})") from None


class _Writer:
    def __init__(self, owner: str, modules: frozenset[str], handles: Mapping[int, int]) -> None:
        self._owner, self._modules, self._handles = owner, modules, handles
        self._seen: dict[int, int] = {}
        # Whatever was met stays alive, so that no other object gets its identity.
        self._met: list[Any] = []
        self._arrays: list[tuple[Any, str]] = []

    def of(self, value: Any, place: str) -> Any:
        own = type(value)
        if value is None or own in (bool, int, str):
            return value
        if own is float:
            return value if math.isfinite(value) else ["float", repr(value)]
        if own is bytes:
            return ["bytes", _base64(value)]
        if own is tuple:
            return ["tuple", [self.of(each, f"{place}[{at}]") for at, each in enumerate(value)]]
        if own in (Decimal, datetime, date, timedelta) and getattr(value, "tzinfo", None) in (None, UTC):
            return _of_time_or_decimal(value)
        if own is Indicator and id(value) in self._handles:
            return ["indicator", self._handles[id(value)]]
        if issubclass(own, tuple) and hasattr(own, "_fields") and self._is_known(own):
            return ["named", own.__module__, own.__qualname__, [self.of(each, place) for each in value]]
        names = getattr(own, "_fields", ())
        if issubclass(own, tuple) and own is outputs_named(own.__name__, names):
            return ["outputs", own.__name__, list(names), [self.of(each, place) for each in value]]
        if own.__module__ == "numpy" and hasattr(value, "dtype") and own.__name__ != "ndarray":
            return ["scalar", *self._array(value, place)]
        return self._shared(value, own, place)

    def _shared(self, value: Any, own: type, place: str) -> Any:
        """What can change, and so must stay one thing under all its names."""
        if id(value) in self._seen:
            return ["same", self._seen[id(value)]]
        self._seen[id(value)] = len(self._met)
        self._met.append(value)
        if own is list:
            return ["list", [self.of(each, f"{place}[{at}]") for at, each in enumerate(value)]]
        if own is dict:
            return ["dict", self._pairs(value, place)]
        if own is deque:
            return ["deque", value.maxlen, [self.of(each, f"{place}[{at}]") for at, each in enumerate(value)]]
        if own is defaultdict and value.default_factory in _FACTORIES.values():
            return ["defaultdict", value.default_factory.__name__, self._pairs(value, place)]
        if own is bytearray:
            return ["bytearray", _base64(value)]
        if own is random.Random:
            return ["Random", self.of(value.getstate(), place)]
        if own.__module__ == "numpy" and own.__name__ == "ndarray":
            self._refuse_shared_memory(value, place)
            return ["array", *self._array(value, place)]
        if own.__module__.startswith("numpy.random") and own.__name__ == "Generator":
            return ["Generator", self.of(value.bit_generator.state, place)]
        if is_dataclass(own) and self._is_known(own):
            values = {name: self.of(getattr(value, name), f"{place}.{name}") for name in _attributes(value)}
            return ["dataclass", own.__module__, own.__qualname__, values]
        raise self._refusal(place, value)

    def _pairs(self, value: Mapping[Any, Any], place: str) -> list[Any]:
        return [[self.of(key, place), self.of(each, f"{place}[{key!r}]")] for key, each in value.items()]

    def _array(self, value: Any, place: str) -> list[Any]:
        if value.dtype.hasobject or value.dtype.fields:
            raise self._refusal(place, value)
        return [value.dtype.str, list(value.shape), _base64(value.tobytes())]

    def _refuse_shared_memory(self, value: Any, place: str) -> None:
        import numpy as np

        for other, name in self._arrays:
            if np.may_share_memory(value, other):
                raise StrategyError(
                    f"{self._owner}.{place} cannot be saved: it shares its memory with {name}; copy one of the two"
                )
        self._arrays.append((value, place))

    def _is_known(self, own: type) -> bool:
        found: Any = sys.modules.get(own.__module__) if own.__module__ in self._modules else None
        for name in own.__qualname__.split("."):
            found = getattr(found, name, None)
        return found is own

    def _refusal(self, place: str, value: Any) -> StrategyError:
        own = type(value)
        name = own.__qualname__ if own.__module__ == "builtins" else f"{own.__module__}.{own.__qualname__}"
        if own in (set, frozenset):
            # Which member comes first depends on all that came and went before, and that would not come back.
            return StrategyError(
                f"{self._owner}.{place} cannot be saved: a {name} has no order that could be kept; "
                "keep a dict, as of dict.fromkeys, or define state() and restore()"
            )
        return StrategyError(
            f"{self._owner}.{place} cannot be saved: a {name} is no plain data; "
            "keep numbers, text, lists, dicts, arrays or dataclasses, or define state() and restore()"
        )


class _Reader:
    """Makes what a writer wrote, and numbers what can change as it did."""

    def __init__(self, modules: Iterable[ModuleType], handles: Sequence[Indicator]) -> None:
        self._modules = {module.__name__: module for module in modules}
        self._handles = handles
        self._met: list[Any] = []

    def of(self, value: Any) -> Any:
        match value:
            case ["indicator", int(at)]:
                return self._handles[at]
            case ["tuple", list(values)]:
                return tuple(self.of(each) for each in values)
            case ["named", str(module), str(name), list(values)]:
                return tuple.__new__(self._class(module, name), [self.of(each) for each in values])
            case ["outputs", str(name), list(names), list(values)]:
                return outputs_named(name, tuple(names))(*(self.of(each) for each in values))
            case ["scalar", str(dtype), list(shape), str(content)]:
                return _array_of(dtype, shape, content)[()]
            case [str(kind), content] if kind in _PLAIN:
                return _PLAIN[kind](content)
            case list() | dict():
                return self._shared(value)
        return value

    def _shared(self, value: Any) -> Any:
        """What can change, and may have been met under another name."""
        match value:
            case ["same", int(at)]:
                return self._met[at]
            case [("list" | "array" | "bytearray" | "Random") as kind, *content]:
                return getattr(self, f"_{kind.lower()}")(*content)
            case ["dict", pairs]:
                return self._filled({}, pairs)
            case ["defaultdict", str(factory), pairs]:
                return self._filled(defaultdict(_FACTORIES[factory]), pairs)
            case ["deque", most, values]:
                return self._extended(deque(maxlen=most), values)
            case ["dataclass", str(module), str(name), dict(values)]:
                return self._dataclass(self._class(module, name), values)
            case ["Generator", state]:
                return self._generator(state)
        raise ValueError(f"nothing is written like {str(value)[:40]}")

    def _new(self, value: Any) -> Any:
        self._met.append(value)
        return value

    def _list(self, values: list[Any]) -> Any:
        return self._extended([], values)

    def _extended(self, new: list[Any] | deque[Any], values: list[Any]) -> Any:
        self._new(new).extend(self.of(each) for each in values)
        return new

    def _filled(self, new: dict[Any, Any], pairs: list[Any]) -> Any:
        self._new(new)
        for key, value in pairs:
            # The key first: things are numbered in the order in which they were written.
            read = self.of(key)
            new[read] = self.of(value)
        return new

    def _bytearray(self, text: str) -> Any:
        return self._new(bytearray(_bytes_of(text)))

    def _array(self, dtype: str, shape: list[int], content: str) -> Any:
        return self._new(_array_of(dtype, shape, content))

    def _random(self, state: list[Any]) -> Any:
        new = self._new(random.Random(0))
        new.setstate(self.of(state))
        return new

    def _generator(self, state: list[Any]) -> Any:
        import numpy as np

        at = len(self._met)
        self._met.append(None)
        read = self.of(state)
        if read["bit_generator"] not in _BIT_GENERATORS:
            raise ValueError(f"{read['bit_generator']!r} makes no random numbers")
        bits = getattr(np.random, read["bit_generator"])()
        bits.state = read
        self._met[at] = np.random.Generator(bits)
        return self._met[at]

    def _dataclass(self, own: type, values: dict[str, Any]) -> Any:
        if not is_dataclass(own):
            raise ValueError(f"{own.__qualname__} is no dataclass")
        new = self._new(object.__new__(own))
        for attribute, value in values.items():
            # Also of one that is frozen, whose constructor is not called.
            object.__setattr__(new, attribute, self.of(value))
        return new

    def _class(self, module: str, name: str) -> Any:
        found: Any = self._modules[module]
        for part in name.split("."):
            found = getattr(found, part)
        if not isinstance(found, type) or found.__module__ != module:
            raise ValueError(f"{name} is no class of {module}")
        return found


def _bytes_of(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _array_of(dtype: str, shape: list[int], content: str) -> Any:
    import numpy as np

    return np.frombuffer(_bytes_of(content), np.dtype(dtype)).reshape(shape).copy()


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "bytes": _bytes_of,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "timedelta": lambda parts: timedelta(*parts),
}


def _attributes(value: Any) -> list[str]:
    """The fields of a dataclass, and what was set on it beside them."""
    names = [field.name for field in fields(value) if hasattr(value, field.name)]
    return names + [name for name in getattr(value, "__dict__", ()) if name not in names]


def _of_time_or_decimal(value: Decimal | date | timedelta) -> list[Any]:
    if isinstance(value, timedelta):
        return ["timedelta", [value.days, value.seconds, value.microseconds]]
    return [type(value).__name__, str(value) if isinstance(value, Decimal) else value.isoformat()]


def _base64(content: bytes | bytearray) -> str:
    return base64.b64encode(content).decode("ascii")
