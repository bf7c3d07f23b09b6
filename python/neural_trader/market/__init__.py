"""Market data: bars from files, from memory and from a generator, as exact integer columns."""

from neural_trader.market.bars import Bars, Step
from neural_trader.market.describing import describe
from neural_trader.market.loading import bars_of, load_bars
from neural_trader.market.synthetic import synthetic_bars
from neural_trader.market.writing import write_bars

__all__ = ["Bars", "Step", "bars_of", "describe", "load_bars", "synthetic_bars", "write_bars"]
