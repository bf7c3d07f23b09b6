"""Makes the market of the benches, as Parquet and as CSV: python market.py BARS FOLDER

Prices lie on a tick of a quarter, as those of index futures do: such floats are exact, so sums of them are the same in
every order of adding, and every contestant sees the same crosses.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from neural_trader.market import synthetic_bars

SEED = 7


def main() -> None:
    """Make the files."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    (bars,) = synthetic_bars(seed=SEED, symbols=("MINUTE",), bars=count, interval="1m")
    prices = {name: getattr(bars, name) * 0.25 for name in ("open", "high", "low", "close")}
    time = pl.Series(bars.open_ns).cast(pl.Datetime("ns", "UTC"))
    frame = pl.DataFrame({"time": time, **prices, "volume": bars.volume_units})
    frame.write_parquet(folder / "MINUTE.parquet", compression="zstd")
    frame.with_columns(pl.col("volume").cast(pl.Int64)).write_csv(
        folder / "MINUTE.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ", float_precision=2
    )


main()
