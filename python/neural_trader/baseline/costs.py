"""What takers pay beyond the market, and the rates of fees (docs/fill-rules.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from neural_trader.baseline.arithmetic import BILLION, div_up, int64
from neural_trader.baseline.records import BUY
from neural_trader.errors import EngineError


@dataclass(frozen=True, slots=True)
class Costs:
    """Rates in parts per billion, the fixed fee in money; of all these only a fee rate may be negative: a rebate."""

    maker_ppb: int
    taker_ppb: int
    fixed_fee: int
    slippage_ticks: int
    slippage_ppb: int
    slippage_spread_ppb: int

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0 and name not in ("maker_ppb", "taker_ppb"):
                raise EngineError(f"{name} must not be negative")

    def slippage(self, reference: int, spread: int) -> int:
        """Ticks that a taker pays beyond the reference."""
        of_price = div_up(reference * self.slippage_ppb, BILLION)
        of_spread = div_up(spread * self.slippage_spread_ppb, BILLION)
        return int64(self.slippage_ticks + of_price + of_spread, "slippage")

    def taker_price(self, side: int, reference: int, spread: int, limit: int) -> int:
        """The price that a taker pays; ``limit`` is 0 for an order without one."""
        slippage = self.slippage(reference, spread)
        if side == BUY:
            price = int64(reference + slippage, "fill price")
            return min(price, limit) if limit else price
        price = max(1, reference - slippage)
        return max(price, limit) if limit else price
