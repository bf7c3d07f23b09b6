"""Strategies that know what they cannot know, each in the way in which it happens, and honest ones like them."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

import neural_trader as nt

if TYPE_CHECKING:
    import numpy as np


class Momentum(nt.Strategy):
    """Honest: what rose since the last bar is held."""

    def on_start(self) -> None:
        self.last = 0.0

    def on_bar(self, bar: nt.Bar) -> None:
        if self.last:
            follow(self, bar.close - self.last)
        self.last = bar.close


def follow(strategy: nt.Strategy, edge: float) -> None:
    """Hold while the edge is positive."""
    held = strategy.position() > 0
    if edge > 0 and not held:
        strategy.target(strategy.share)
    elif edge < 0 and held:
        strategy.target(0.0)


def peeks_at_the_next_row(frame: Any) -> type[nt.Strategy]:
    """It encloses the frame, and reads one row on."""

    class Peek(nt.Strategy):
        """Row i + 1."""

        def on_start(self) -> None:
            self.at = 0

        def on_bar(self, bar: nt.Bar) -> None:
            self.at += 1
            with contextlib.suppress(IndexError, KeyError):
                closes = frame["close"]
                following = closes[self.at] if isinstance(closes, pl.Series) else closes.iloc[self.at]
                follow(self, following - bar.close)

    return Peek


def holds_the_frame_as_an_attribute(frame: pl.DataFrame) -> type[nt.Strategy]:
    """The frame is an attribute of the class, and the next row is found by its time."""

    class Attribute(nt.Strategy):
        """By time."""

        table = frame

        def on_bar(self, bar: nt.Bar) -> None:
            later = self.table.filter(pl.col("time").dt.epoch("ns") >= self.now_ns).head(1)
            if later.height:
                follow(self, later["close"][0] - bar.close)

    return Attribute


def centres_a_mean(frame: pl.DataFrame) -> type[nt.Strategy]:
    """A centred mean over the whole column, computed when it starts."""

    class Centred(nt.Strategy):
        """Half of its window lies ahead."""

        def on_start(self) -> None:
            self.smooth = frame["close"].rolling_mean(21, center=True).to_list()
            self.at = -1

        def on_bar(self, bar: nt.Bar) -> None:
            self.at += 1
            if self.at and self.smooth[self.at] and self.smooth[self.at - 1]:
                follow(self, self.smooth[self.at] - self.smooth[self.at - 1])

    return Centred


def shifts_back(frame: pl.DataFrame) -> type[nt.Strategy]:
    """The return of the next bar, moved onto this one."""

    class Shifted(nt.Strategy):
        """shift(-1)."""

        def on_start(self) -> None:
            self.signal = (frame["close"].shift(-1) - frame["close"]).to_numpy()
            self.at = -1

        def on_bar(self, bar: nt.Bar) -> None:
            self.at += 1
            follow(self, self.signal[self.at])

    return Shifted


def keeps_an_array(values: np.ndarray) -> type[nt.Strategy]:
    """The closes as an array, handed over as the default of an argument."""

    class Array(nt.Strategy):
        """An array."""

        def on_start(self) -> None:
            self.at = 0

        def on_bar(self, bar: nt.Bar, closes: np.ndarray = values) -> None:
            self.at += 1
            if self.at < len(closes):
                follow(self, closes[self.at] - bar.close)

    return Array


def peeks_into_rows(rows: list[Any]) -> type[nt.Strategy]:
    """Rows as a list, of tuples or dictionaries."""

    class Rows(nt.Strategy):
        """The next one."""

        def on_start(self) -> None:
            self.at = 0

        def on_bar(self, bar: nt.Bar) -> None:
            self.at += 1
            if self.at < len(rows):
                row = rows[self.at]
                follow(self, (row["close"] if isinstance(row, dict) else row[1]) - bar.close)

    return Rows


def peeks_by_time(closes: dict[int, float]) -> type[nt.Strategy]:
    """Closes by the time at which they come."""

    class ByTime(nt.Strategy):
        """An hour from now."""

        def on_bar(self, bar: nt.Bar) -> None:
            follow(self, closes.get(self.now_ns + 3_600 * 10**9, bar.close) - bar.close)

    return ByTime


def asks_an_object(oracle: Any) -> type[nt.Strategy]:
    """An object of its author knows the closes."""

    class Asking(nt.Strategy):
        """Asks it."""

        def on_start(self) -> None:
            self.at = 0

        def on_bar(self, bar: nt.Bar) -> None:
            self.at += 1
            if self.at < len(oracle.closes):
                follow(self, float(oracle.closes[self.at]) - bar.close)

    return Asking


def normalises_by_the_whole(bars: nt.Bars) -> type[nt.Strategy]:
    """Buys below the mean of all bars, the coming ones included."""

    class Normalised(nt.Strategy):
        """A mean that nobody could know."""

        def on_start(self) -> None:
            self.mean = float(bars.close_price.mean())

        def on_bar(self, bar: nt.Bar) -> None:
            follow(self, self.mean - bar.close)

    return Normalised


def holds_a_table_of_the_past(frame: pl.DataFrame) -> type[nt.Strategy]:
    """Honest: it holds the whole frame, and reads the row of the bar that has closed."""

    class Past(nt.Strategy):
        """Row i."""

        def on_start(self) -> None:
            self.at = -1
            self.mean = frame["close"].rolling_mean(20).to_list()

        def on_bar(self, bar: nt.Bar) -> None:
            self.at += 1
            mean = self.mean[self.at]
            if mean is not None:
                follow(self, frame["close"][self.at] - mean)

    return Past


class Dice(nt.Strategy):
    """Draws numbers that nobody can draw again."""

    def on_bar(self, bar: nt.Bar) -> None:
        follow(self, random.SystemRandom().random() - 0.5)


READS_A_FILE = '''
"""Reads the file of its bars by itself."""

import polars as pl

import neural_trader as nt


class Reader(nt.Strategy):
    """The next row of the file."""

    def on_start(self):
        frame = pl.read_csv(PATH)
        self.signal = (frame["close"].shift(-1) - frame["close"]).to_list()
        self.at = -1

    def on_bar(self, bar):
        self.at += 1
        edge = self.signal[self.at] or 0.0
        if edge > 0 and not self.position():
            self.target(self.share)
        elif edge < 0 and self.position():
            self.target(0.0)
'''

COMPUTES_WHEN_LOADED = READS_A_FILE.replace(
    "class Reader",
    'FRAME = pl.read_csv(PATH)\nSIGNAL = (FRAME["close"].shift(-1) - FRAME["close"]).to_list()\n\n\nclass Reader',
).replace(
    '        frame = pl.read_csv(PATH)\n        self.signal = (frame["close"].shift(-1) - frame["close"]).to_list()\n',
    "        self.signal = SIGNAL\n",
)


def written(folder: Path, source: str, data: Path) -> str:
    """A strategy file, as its name is given to a run."""
    path = folder / "reader.py"
    path.write_text(source.replace("PATH", repr(str(data))), encoding="utf-8")
    return str(path)
