"""Every file of recorded market data loads, on the grid that its venue had."""

from __future__ import annotations

import csv
import gzip
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from neural_trader.market import Bars, Step, load_bars

FOLDERS = {
    "binance_spot_1d_2024-01-01_2024-09-06": (10, 250, "1d"),
    "binance_spot_1h_2024-01-01_2024-09-06": (10, 6002, "1h"),
    "binance_spot_5m_2024-01-01_2024-09-06": (10, 72031, "5m"),
    "binance_spot_1m_2021-04-20_2021-05-20": (10, 42916, "1m"),
    "coinbase_1m_2018-04-04_2018-04-05": (6, 2877, "1m"),
    "us_equity_daily": (2, 5849, "1d"),
    "backtesting_py": (2, 5000, ""),
    "": (4, 74439, ""),
}


def cells_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as lines:
        return list(csv.DictReader(lines))


def equals_the_text(bars: Bars, rows: list[dict[str, str]]) -> bool:
    """Whether every price equals the decimal in the file, compared as fractions on a sample of rows."""
    tick = Fraction(bars.tick.mantissa, 10**bars.tick.decimals)
    for row in range(0, len(rows), max(1, len(rows) // 200)):
        cells = {name.lower(): cell for name, cell in rows[row].items()}
        for name in ("open", "high", "low", "close"):
            count = int(getattr(bars, name)[row])
            sides = [cells[key] for key in (name, f"bid_{name}", f"ask_{name}") if key in cells]
            if count * tick != sum(Fraction(side) for side in sides) / len(sides):
                return False
    return True


@pytest.mark.parametrize(("folder", "expected"), FOLDERS.items(), ids=[name or "top" for name in FOLDERS])
def test_every_recorded_file_loads_exactly(folder: str, expected: tuple[int, int, str], recorded_bars: Path) -> None:
    files, most_rows, _ = expected
    loaded = load_bars(recorded_bars / folder)
    assert len(loaded) == files
    assert max(len(bars) for bars in loaded) == most_rows
    for bars in loaded:
        rows = cells_of(Path(bars.source))
        assert len(bars) == len(rows)
        assert equals_the_text(bars, rows), bars
        assert bars.tick.decimals <= 9
        assert bars.lot.decimals <= 9
        assert (np.diff(bars.open_ns) > 0).all()
        assert (bars.close_ns[:-1] <= bars.open_ns[1:]).all()


@pytest.mark.parametrize(
    ("file", "tick", "lot"),
    [
        ("binance_spot_1h_2024-01-01_2024-09-06/BTCUSDT.csv.gz", Step(1, 2), Step(1, 6)),
        ("binance_spot_1h_2024-01-01_2024-09-06/DOGEUSDT.csv.gz", Step(1, 5), Step(1, 0)),
        ("backtesting_py/GOOG.csv.gz", Step(1, 2), Step(1, 0)),
        ("oanda_eurusd_1h_bidask.csv.gz", Step(5, 6), Step(1, 0)),
        ("coinbase_1m_2018-04-04_2018-04-05/btcusd_trade.csv.gz", Step(1, 2), Step(1, 8)),
    ],
)
def test_the_grid_of_the_venue_is_inferred(file: str, tick: Step, lot: Step, recorded_bars: Path) -> None:
    (bars,) = load_bars(recorded_bars / file)
    assert (bars.tick, bars.lot) == (tick, lot)


def test_the_spread_of_quoted_bars_is_that_at_the_open(recorded_bars: Path) -> None:
    (bars,) = load_bars(recorded_bars / "oanda_eurusd_1d_bidask.csv.gz")
    assert bars.spread is not None
    assert bars.tick.value_of(bars.spread[0]) == pytest.approx(0.001)
    assert bars.open_price[0] == pytest.approx((1.31927 + 1.32027) / 2)


def test_hours_equal_their_five_minutes(recorded_bars: Path) -> None:
    (minutes,) = load_bars(recorded_bars / "binance_spot_5m_2024-01-01_2024-09-06", symbols="BTCUSDT")
    (hours,) = load_bars(recorded_bars / "binance_spot_1h_2024-01-01_2024-09-06", symbols="BTCUSDT")
    whole = len(minutes) // 12
    assert np.array_equal(minutes.high[: whole * 12].reshape(-1, 12).max(axis=1), hours.high[:whole])
    assert np.array_equal(minutes.close[11 : whole * 12 : 12], hours.close[:whole])
    assert minutes.volume is not None
    assert hours.volume is not None
    assert minutes.lot == hours.lot
    assert np.array_equal(minutes.volume[: whole * 12].reshape(-1, 12).sum(axis=1), hours.volume[:whole])
