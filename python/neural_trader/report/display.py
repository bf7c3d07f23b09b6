"""How values read: numbers, durations and times as text, the same in the terminal, the page and notebooks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from neural_trader.report.definitions import BY_NAME

if TYPE_CHECKING:
    from neural_trader.report.definitions import Unit

NOT_AVAILABLE = "n/a"

_SPANS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


def number(value: float, decimals: int = 2) -> str:
    """A number with thousands separators; one too small or too large for ``decimals`` keeps its leading digits."""
    size = abs(value)
    if size >= 1e12 or 0.0 < size < 0.5 * 10.0**-decimals:
        return f"{value:.3g}"
    text = f"{value:,.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def signed(value: float, decimals: int = 2) -> str:
    """A number that shows its sign also when it is a gain."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def duration(seconds: float) -> str:
    """A duration in its two largest units: ``412 d 6 h``, ``3 h 20 min``, ``45 s``."""
    if seconds < 60.0:
        return f"{seconds:.0f} s" if seconds == int(seconds) else f"{seconds:.3g} s"
    whole = round(seconds)
    parts: list[str] = []
    for name, length in (*_SPANS, ("s", 1.0)):
        count, whole = divmod(whole, int(length))
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


def interval(nanoseconds: int) -> str:
    """The distance between bars as traders write it: ``1m``, ``4h``, ``1d``; empty if it is not known."""
    if nanoseconds <= 0:
        return ""
    for name, length in (("w", 7 * 86_400), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(nanoseconds, length * 1_000_000_000)
        if rest == 0:
            return f"{count}{name}"
    return f"{nanoseconds / 1e6:g}ms"


def rfc3339(nanoseconds: int) -> str:
    """A UTC time with as many digits of a second as it has: ``2024-01-01T00:00:00Z``."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


def moment(text: str) -> str:
    """An RFC 3339 time as people read it: ``2024-01-01 00:00``, with seconds only if there are any."""
    date, _, clock = text.rstrip("Z").partition("T")
    whole_minute = clock.count(":") == 2 and clock.endswith(":00")
    return f"{date} {clock.removesuffix(':00') if whole_minute else clock}"


def statistic(name: str, value: Any) -> str:
    """The value of a statistic as text, without its currency and without the reason if it is undefined."""
    return NOT_AVAILABLE if value is None else measured(BY_NAME[name].unit, value)


def measured(unit: Unit, value: Any) -> str:
    """A value in a unit of the statistics as text."""
    if unit == "time":
        return moment(str(value))
    if unit == "s":
        return duration(float(value))
    if unit == "count":
        return f"{int(value):,d}"
    return number(float(value))


def rate(value: Any) -> str:
    """A fee rate or fraction as a percentage; text is taken as it stands."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return f"{value}"
    return f"{float(value) * 100:.6g} %"


def plain(value: Any) -> str:
    """A parameter as text: floats without noise, everything else as it prints."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else f"{value}"
