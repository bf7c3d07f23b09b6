"""The Rust extension; `python -m mypy.stubtest neural_trader._core` holds this file and the built module equal.

Counts are exact: prices in ticks, quantities in lots, money in 10^-18 of the account currency, rates in parts per
billion. Instruments are named by their rank among the symbols of the run in ascending order.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Ints: TypeAlias = NDArray[np.int64]
_Floats: TypeAlias = NDArray[np.float64]
_Indices: TypeAlias = NDArray[np.int32] | NDArray[np.int64]
_Exact: TypeAlias = dict[str, list[int]]
_Arrays: TypeAlias = dict[str, NDArray[Any]]
_Fit: TypeAlias = Literal["exact", "single", "rounded"]
_Measure: TypeAlias = Literal["trades", "volume", "notional"]

class _Bars(Protocol):
    @property
    def symbol(self) -> str: ...
    @property
    def tick(self) -> tuple[int, int]: ...
    @property
    def lot(self) -> tuple[int, int]: ...
    @property
    def open_ns(self) -> _Ints: ...
    @property
    def close_ns(self) -> _Ints: ...
    @property
    def open(self) -> _Ints: ...
    @property
    def high(self) -> _Ints: ...
    @property
    def low(self) -> _Ints: ...
    @property
    def close(self) -> _Ints: ...
    @property
    def volume(self) -> _Ints | None: ...
    @property
    def spread(self) -> _Ints | None: ...

class _Account(Protocol):
    """`neural_trader.baseline.terms.AccountTerms`."""

    @property
    def kind(self) -> str: ...
    @property
    def contracts(self) -> Sequence[tuple[str, int, int, int, int, int]]: ...
    @property
    def currencies(self) -> Sequence[tuple[str, int, int, int]]: ...
    @property
    def tiers(self) -> Sequence[tuple[int, int, int]]: ...
    @property
    def start_tier(self) -> int: ...
    @property
    def funding(self) -> Sequence[tuple[int, int, int, int]]: ...
    @property
    def interest_ppb(self) -> int: ...
    @property
    def borrow_ppb(self) -> int: ...

class _Strategy(Protocol):
    def on_bar(self, engine: Engine, instrument: int, index: int, /) -> object: ...
    def on_fill(self, engine: Engine, fill: _Exact, /) -> object: ...
    def on_order(self, engine: Engine, order: _Exact, /) -> object: ...

__all__ = [
    "EVENT_FLAGS",
    "EVENT_KINDS",
    "ORDER_FLOW_VERSION",
    "SYNTHETIC_TICK_DECIMALS",
    "SYNTHETIC_VERSION",
    "VENUES",
    "Bar",
    "Engine",
    "FeatureRunner",
    "Indicator",
    "Ladder",
    "OrderBook",
    "OrderCollapse",
    "OrderStream",
    "Replay",
    "SolverMatrix",
    "SolverTracked",
    "Sweep",
    "Tick",
    "Valuation",
    "VenueFeed",
    "__version__",
    "abort_journal",
    "across_rows",
    "check_journal",
    "check_not_negative",
    "check_prices",
    "closes",
    "decimals_from_text",
    "decimals_on_step",
    "end_journal",
    "feature_columns",
    "feature_table",
    "feature_warmup",
    "floats_from_text",
    "floats_on_step",
    "imbalance_bars",
    "in_nanoseconds",
    "inputs_digest",
    "instants_from_text",
    "instruments_of",
    "lyapunov_exponent",
    "matrix_profile",
    "model_path",
    "open_snapshot",
    "pause_run",
    "prices_on_grid",
    "read_journal",
    "resampled_bars",
    "restore_run",
    "run_avellaneda_stoikov",
    "run_grid",
    "run_position",
    "save_run",
    "scan_journal",
    "seal_snapshot",
    "spacing",
    "start_journal",
    "sum_bars",
    "synthetic_market",
    "time_bars",
    "volume_on_grid",
]

__version__: Final[str]
SYNTHETIC_VERSION: Final[int]
EVENT_KINDS: Final[dict[str, int]]
EVENT_FLAGS: Final[dict[str, int]]
ORDER_FLOW_VERSION: Final[int]
VENUES: Final[list[str]]
SYNTHETIC_TICK_DECIMALS: Final[int]

@final
class Bar:
    """A closed bar as a strategy sees it; prices and volume in decimal units."""

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
    @property
    def instrument(self) -> int:
        """Rank of the symbol among those of the run."""
    @property
    def index(self) -> int:
        """Zero-based position among the bars of its instrument."""
    @property
    def time_ns(self) -> int:
        """When it closed: UTC nanoseconds since the epoch."""
    @property
    def open(self) -> float:
        """First price."""
    @property
    def high(self) -> float:
        """Highest price."""
    @property
    def low(self) -> float:
        """Lowest price."""
    @property
    def close(self) -> float:
        """Last price."""
    @property
    def volume(self) -> float:
        """Volume in units of the instrument; 0 where the data has none."""

@final
class Indicator:
    """One output of a feature for each instrument; made by `Strategy.feature` in `on_start`.

    `value` and `previous` belong to the instrument whose bar is being delivered; they are NaN while it warms up.
    """

    @property
    def value(self) -> float:
        """The value at the bar being delivered."""
    @property
    def previous(self) -> float:
        """The value one bar earlier."""
    def crosses_above(self, line: Indicator | float) -> bool:
        """Whether it is above a line now and was not at the bar before."""
    def crosses_below(self, line: Indicator | float) -> bool:
        """Whether it is below a line now and was not at the bar before."""
    def __float__(self) -> float: ...
    def __getitem__(self, symbol: str, /) -> float: ...

@final
class FeatureRunner:
    """Features that are updated together; each is a name, parameters and the places of its inputs in a row."""

    def __new__(cls, features: Sequence[tuple[str, Sequence[float], Sequence[int]]]) -> FeatureRunner: ...
    @property
    def warmup(self) -> int:
        """How many rows come before all features have values."""
    def update(self, row: Sequence[float]) -> _Floats:
        """Takes the next row and returns the outputs, in an array that the next call overwrites."""
    def columns(self, inputs: Sequence[_Floats]) -> list[_Floats]:
        """Takes whole columns and returns those of the outputs."""
    def restart(self) -> None:
        """Forgets every row."""

@final
class Engine:
    """The engine over the bars of a run; docs/fill-rules.md says what it does."""

    def __new__(
        cls,
        instruments: Sequence[_Bars],
        *,
        cash: int,
        leverage_ppb: int = 1_000_000_000,
        maker_ppb: int = 0,
        taker_ppb: int = 0,
        fixed_fee: int = 0,
        slippage_ticks: int = 0,
        slippage_ppb: int = 0,
        slippage_spread_ppb: int = 0,
        fill_close: bool = False,
        limit_through: bool = False,
        volume_cap_ppb: int | None = None,
        close_at_end: bool = False,
        like: str | None = None,
        exclusive_orders: bool = False,
        account: _Account | None = None,
        pieces: Sequence[Iterable[_Bars]] | None = None,
    ) -> Engine: ...
    def submit(
        self,
        instrument: int,
        side: int,
        kind: str = "market",
        *,
        size_kind: str = "quantity",
        size: int,
        limit: int | None = None,
        stop: int | None = None,
        trail_ticks: int | None = None,
        trail_ppb: int | None = None,
        time_in_force: str = "gtc",
        expire_ns: int | None = None,
        stop_loss: int | None = None,
        take_profit: int | None = None,
        stop_loss_trail_ticks: int | None = None,
        stop_loss_trail_ppb: int | None = None,
    ) -> int:
        """Takes an order; returns its id, or 0 where a target needs none."""
    def cancel(self, order: int) -> bool:
        """Cancels a working order; says whether there was one."""
    def is_working(self, order: int) -> bool:
        """Whether an order of this id may still fill."""
    def position(self, instrument: int) -> int:
        """Lots held of an instrument, negative if short."""
    def units(self, instrument: int) -> float:
        """Units held of an instrument, negative if short."""
    def price(self, instrument: int) -> float:
        """Last known price of an instrument, NaN before the first."""
    def mark(self, instrument: int) -> int:
        """Last known price of an instrument in ticks, 0 before the first."""
    def equity(self) -> int:
        """Cash and positions at their marks."""
    def maintenance(self) -> int: ...
    @property
    def liquidations(self) -> list[int]: ...
    def cash(self, currency: int = 0) -> int:
        """Cash."""
    @property
    def equity_value(self) -> float:
        """Equity in the account currency, as the nearest float."""
    @property
    def halted(self) -> bool:
        """Whether the run has ended in ruin."""
    @property
    def now_ns(self) -> int:
        """Time of the last event, UTC nanoseconds."""
    @property
    def current(self) -> int:
        """Rank of the instrument whose bar is being delivered."""
    def feature(self, name: str, parameters: Sequence[float], series: str | None = None) -> list[tuple[str, Indicator]]:
        """A feature over every instrument, kept up to date while the run goes on: its outputs and their names."""
    def run(self, strategy: _Strategy) -> None:
        """Runs a strategy whose callbacks take this engine and records of exact integers."""
    def play(
        self,
        *,
        on_bar: Callable[[Bar], object] | None = None,
        on_fill: Callable[[int], object] | None = None,
        on_order: Callable[[int], object] | None = None,
        on_moment: Callable[[int], object] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        """Runs a strategy given by its callbacks, each of which may be absent."""
    @property
    def indicators(self) -> list[Indicator]:
        """The outputs of the features that the run keeps up to date, in the order in which those were asked for."""
    def run_sma_cross(self, fast: int, slow: int, above: int, below: int, state: bytes | None = None) -> bytes | None:
        """Runs the moving-average cross in Rust, holding fractions of equity above and below.

        Where it pauses, it returns the state of the strategy, which ``state`` takes to go on; so do the others.
        """
    def run_formula(
        self,
        terms: Sequence[tuple[str, Sequence[int], Sequence[tuple[bool, float]]]],
        roles: dict[str, int],
        parameters: Sequence[float],
    ) -> None:
        """Runs a formula in Rust: its terms, the place of each role among them, and the values of its parameters."""
    def run_sma_cross_lots(
        self, fast: int, slow: int, above: int, below: int, state: bytes | None = None
    ) -> bytes | None:
        """Runs the moving-average cross in Rust, holding numbers of lots above and below."""
    def run_buy_and_hold(self, fraction: int, state: bytes | None = None) -> bytes | None:
        """Runs buy and hold in Rust: a fraction of equity in each instrument from its first bar on."""
    @property
    def orders(self) -> _Exact:
        """Orders with the fields of the run hash."""
    @property
    def fills(self) -> _Exact:
        """Fills with the fields of the run hash."""
    @property
    def postings(self) -> _Exact:
        """Postings with the fields of the run hash."""
    @property
    def trades(self) -> _Exact:
        """Trades as positions in the list of fills."""
    @property
    def sample_count(self) -> int:
        """How many equity samples there are."""
    @property
    def equity_samples(self) -> tuple[list[int], list[int]]:
        """Times and amounts of the equity samples."""
    @property
    def exposed_samples(self) -> int:
        """Samples at which a position was open."""
    def equity_curve(self) -> tuple[_Ints, _Floats]:
        """Times and amounts of the equity samples, in the account currency."""
    def order_arrays(self) -> _Arrays:
        """Orders as columns in decimal units."""
    def fill_arrays(self) -> _Arrays:
        """Fills as columns in decimal units."""
    def trade_arrays(self) -> _Arrays:
        """Trades as columns in decimal units."""
    def posting_arrays(self) -> _Arrays:
        """Postings as columns in decimal units."""
    def fill_record(self, at: int) -> tuple[int, int, int, float, float, float, bool, int]:
        """One fill: order, instrument, side, quantity, price, fee, maker, time_ns; decimal units."""
    def order_record(self, id: int) -> tuple[int, int, int, float, float, int, int]:
        """One order: instrument, side, kind, quantity, filled, state, reason; decimal units and codes."""
    def check_invariants(self) -> None:
        """Checks the laws that hold between any two events; an error says which one does not."""
    def digests(self, version: str, parameters: str) -> dict[str, str]:
        """SHA-256 of inputs, parameters, orders, fills and postings, in hex, and the run hash that binds them."""

@final
class Valuation:
    """Bars played again to give the equity samples of streamed runs, which keep only what changed their accounts."""

    def __new__(
        cls, instruments: Sequence[_Bars], pieces: Sequence[Iterable[_Bars]], runs: Sequence[Engine]
    ) -> Valuation: ...
    def read(self, count: int) -> tuple[_Ints, list[_Floats]]:
        """The next samples, at most so many, none at the end: their times, and the amounts of each run."""

@final
class Ladder:
    """An L2 book: the quantity in lots at each price in ticks; a side is 1 for bids and -1 for asks."""

    def __new__(cls, window: int = 262144) -> Ladder: ...
    @staticmethod
    def from_text(text: str) -> Ladder:
        """The ladder of a drawing."""
    def set(self, side: int, price: int, quantity: int) -> int:
        """Says what rests at a price from now on, zero for nothing; returns what did before."""
    def load(self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> None:
        """Replaces everything by a snapshot."""
    def truncate(self, depth: int) -> int:
        """Keeps the best levels of each side; returns how many went."""
    def clear(self) -> None:
        """Forgets every level."""
    def best(self, side: int) -> tuple[int, int] | None:
        """The best price of a side and its quantity."""
    def quantity_at(self, side: int, price: int) -> int:
        """What rests at a price."""
    def levels(self, side: int, depth: int | None = None) -> list[tuple[int, int]]:
        """Levels of a side as price and quantity, the best first."""
    def count(self, side: int) -> int:
        """How many levels a side has."""
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
    def measure(self, name: str, *parameters: float) -> float:
        """A measure of the book, NaN where it has none."""
    def play(
        self,
        measures: Sequence[tuple[str, Sequence[float]]],
        side: NDArray[np.int8],
        price: _Ints,
        quantity: _Ints,
        ends: _Ints | None = None,
        depth: int | None = None,
    ) -> list[_Floats]:
        """Plays a stream of updates and returns what each measure is after every event, a column for each."""
    def kraken_checksum(self, price_scale: int = 1, quantity_scale: int = 1) -> int:
        """Kraken's CRC-32 of the ten best levels; scales are units of the last printed decimal in a tick and a lot."""
    def draw(self, depth: int = 10, grid: Sequence[tuple[int, int]] | None = None) -> str:
        """The best levels as a table, in ticks and lots; with tick and lot as (mantissa, decimals), in decimals."""
    def check_invariants(self) -> None:
        """Compares the ladder with itself; an error says what contradicts."""

@final
class OrderBook:
    """An L3 book: every order by its number, in queues of first in, first out; our own can rest among them."""

    def __new__(cls) -> OrderBook: ...
    @staticmethod
    def from_text(text: str) -> OrderBook:
        """The book of a drawing; its orders are numbered from 1 as one reads."""
    def add(self, id: int, side: int, price: int, quantity: int, own: bool = False) -> int:
        """Puts an order behind all others at its price; returns the quantity ahead of it."""
    def cancel(self, id: int) -> int:
        """Takes an order out; returns what was left of it."""
    def fill(self, id: int, quantity: int) -> int:
        """Fills an order; returns what is left of it."""
    def amend(self, id: int, price: int, quantity: int) -> bool:
        """Gives an order another price or quantity; returns whether it kept its place."""
    def queue_ahead(self, id: int) -> tuple[int, int, int]:
        """What stands before an order: how many orders, their quantity, and the part of it that is our own."""
    def orders_at(self, side: int, price: int) -> list[tuple[int, int, bool]]:
        """The orders at a price as number, quantity and whether it is our own, in the order of their priority."""
    def own_quantity_at(self, side: int, price: int) -> int:
        """What rests at a price and is our own."""
    def clear(self) -> None:
        """Forgets every order."""
    def best(self, side: int) -> tuple[int, int] | None:
        """The best price of a side and the quantity there."""
    def quantity_at(self, side: int, price: int) -> int:
        """What rests at a price."""
    def levels(self, side: int, depth: int | None = None) -> list[tuple[int, int]]:
        """Levels of a side as price and quantity, the best first."""
    def __len__(self) -> int: ...
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
    def measure(self, name: str, *parameters: float) -> float:
        """A measure of the book, NaN where it has none."""
    def draw(self, depth: int = 10) -> str:
        """The best levels as a table, with the orders of each in the order of their priority, our own with a star."""
    def check_invariants(self) -> None:
        """Compares the book with itself; an error says what contradicts."""

def across_rows(name: str, numbers: Sequence[float], ends: _Ints, columns: Sequence[_Floats]) -> _Floats:
    """Columns set beside each other: rows up to each of `ends` are one time; NaN where it makes nothing."""

def feature_columns(name: str, parameters: Sequence[float], inputs: Sequence[_Floats]) -> list[_Floats]:
    """Every output of a feature at every row, from one column for each input; NaN while it warms up."""

def feature_warmup(name: str, parameters: Sequence[float]) -> int:
    """How many rows a feature needs before its first value, less one."""

def lyapunov_exponent(series: _Floats, dimension: int, lag: int, exclusion: int, steps: int) -> float:
    """The largest Lyapunov exponent of a series, per row; NaN where no line can be drawn."""

def matrix_profile(series: _Floats, n: int, exclusion: int) -> tuple[tuple[_Floats, _Ints], tuple[_Floats, _Ints]]:
    """Of each window, by the row at which it ends: the distance to its nearest neighbour among the windows before, and
    the row at which that ends; the same among the windows after. NaN and -1 where there is none."""

def feature_table() -> list[dict[str, Any]]:
    """Every feature, in the order of families: a row of the table as a dictionary."""

def decimals_from_text(text: bytes, rows: int, decimals_max: int) -> tuple[_Ints, int]:
    """Mantissas and their common number of decimals, from cells joined by newlines."""

def floats_from_text(text: bytes, rows: int) -> _Floats:
    """The floats nearest to the cells, which are joined by newlines."""

def instants_from_text(text: bytes, rows: int) -> tuple[_Ints, bool, bool, bool]:
    """Nanoseconds since the epoch; whether the cells name a zone, an offset other than zero, a time of day."""

def prices_on_grid(columns: Sequence[Sequence[_Floats]], decimals_max: int) -> tuple[list[_Ints], int, _Fit, float]:
    """Counts of the coarsest decimal grid that represents all columns; its decimals; the fit; the largest change."""

def volume_on_grid(pieces: Sequence[_Floats], decimals_max: int) -> tuple[_Ints, int, _Fit, int]:
    """Lots of the coarsest decimal grid that represents the volumes; its decimals; the fit; how many were floored."""

def floats_on_step(values: _Floats, mantissa: int, decimals: int, floor: bool) -> tuple[_Ints, int]:
    """Floats as counts of a step, and how many were floored to it."""

def decimals_on_step(mantissas: _Ints, own: int, mantissa: int, decimals: int, floor: bool) -> tuple[_Ints, int]:
    """Exact decimals, `mantissas / 10**own`, as counts of a step, and how many were floored to it."""

def in_nanoseconds(times: _Ints, unit_ns: int) -> _Ints:
    """Times in a unit of `unit_ns` nanoseconds as nanoseconds."""

def spacing(open_ns: _Ints) -> tuple[int, int, int]:
    """The usual distance between rising times, how many distances are wider, and the widest."""

def closes(open_ns: _Ints, interval_ns: int) -> _Ints:
    """The closes of bars: an interval after their open, but not later than the next open."""

def check_prices(open: _Ints, high: _Ints, low: _Ints, close: _Ints) -> None:
    """Raises for the first bar whose prices are not positive or contradict one another."""

def check_not_negative(values: _Ints) -> bool:
    """Raises for the first negative number, and says whether any is above zero."""

def synthetic_market(
    seed: int, symbols: Sequence[str], bars: int, start_ns: int, interval_ns: int
) -> list[list[_Ints]]:
    """Open, high, low, close in hundredths and volume in units, for each symbol in the order given."""

def time_bars(ts_ns: _Ints, price: _Ints, quantity: _Ints | None, interval_ns: int, origin_ns: int) -> list[_Ints]:
    """Bars of equal intervals: opens, closes, open, high, low, close, volume, and the row of each bar's first trade."""

def sum_bars(ts_ns: _Ints, price: _Ints, quantity: _Ints, measure: _Measure, size: int, partial: bool) -> list[_Ints]:
    """Bars that are complete when their trades, lots, or ticks times lots come to a size; columns as of `time_bars`."""

def imbalance_bars(
    ticks: tuple[_Ints, _Ints, _Ints],
    side: NDArray[np.int8] | None,
    measure: _Measure,
    shape: tuple[int, int, int, int, int],
    partial: bool,
) -> list[_Ints]:
    """Imbalance bars; columns as of `time_bars`. `ticks` are times, prices and quantities; `shape` is the expected
    number of trades of a bar, the spans of the two averages, and the fewest and the most trades of a bar."""

def resampled_bars(
    times: tuple[_Ints, _Ints],
    prices: tuple[_Ints, _Ints, _Ints, _Ints],
    volume: _Ints | None,
    interval_ns: int,
    origin_ns: int,
    partial: bool,
) -> list[_Ints]:
    """Bars joined into those of a longer interval; columns as of `time_bars`. `times` are opens and closes, `prices`
    open, high, low and close."""

_Grid: TypeAlias = tuple[tuple[int, int], tuple[int, int], int, int]

@final
class VenueFeed:
    """A connection to a venue: messages in, joined and numbered records out."""
    def __new__(
        cls,
        venue: str,
        instruments: Sequence[tuple[str, _Grid]],
        *,
        fallback: _Grid | None = None,
        depth: int | None = None,
        silence_ns: int | None = None,
        book_silence_ns: int | None = None,
        counts_connection: bool = True,
        joins: bool = True,
    ) -> VenueFeed: ...
    def message(self, ts_recv_ns: int, message: bytes) -> None:
        """Takes in one message of the stream."""
    def answer(self, symbol: str, ts_recv_ns: int, message: bytes) -> None:
        """Takes in an answer to a request about one instrument, such as a snapshot."""
    def lines(self, text: bytes) -> int:
        """Takes in whole lines of a capture, and returns how many there were."""
    def document(self, document: bytes) -> int:
        """Takes in a document ``{"init": message, "updates": [message...]}``; returns how many messages there were."""
    def reconnected(self, ts_recv_ns: int) -> None:
        """Says that the connection was made anew."""
    def at_time(self, ts_recv_ns: int) -> None:
        """Says what time it is where no message comes."""
    def take(self) -> bytes:
        """The records since the last call, 48 bytes each."""
    def faults(self) -> list[tuple[str, int, int, int, bytes]]:
        """The malformed messages since the last call: code, offset, number, receive time, first bytes."""
    @property
    def instruments(self) -> list[tuple[str, _Grid]]:
        """Symbols and their grids in the order of their numbers."""
    @property
    def tally(self) -> dict[str, int]:
        """How many messages there were, and how many of them of which kind."""
    def levels(self, symbol: str, bids: bool, depth: int) -> list[tuple[int, int]] | None:
        """The best levels of one side of a book as (price, quantity), or None while the book cannot be trusted."""
    def book_id(self, symbol: str) -> int | None:
        """The venue's id of the last update in a book, or None while the book cannot be trusted."""

def instruments_of(venue: str, document: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """What a venue says of its instruments, and the symbols that were left out."""

def model_path(
    model: str, parameters: Sequence[float], seed: int, name: str, step: tuple[float, int, float]
) -> tuple[_Floats, _Floats]:
    """Prices after each step, and the variances of Heston's model, the other prices of a pair or the regimes; `step` is
    the price at the beginning, the number of steps and their length in years."""

_Bytes: TypeAlias = NDArray[np.uint8]

@final
class OrderStream:
    """The records of a random market, block by block."""
    def __new__(
        cls,
        parameters: tuple[float, float, int, float, float, float, float],
        seed: int,
        name: str,
        start: int,
        span_ns: tuple[int, int],
    ) -> OrderStream: ...
    def read(self, records: int) -> tuple[_Bytes, int]:
        """Room for so many records, and how many of them there are; fewer only at the end."""

@final
class OrderCollapse:
    """An L3 feed as the L2 feed of the same market."""
    def __new__(cls) -> OrderCollapse: ...
    def push(self, records: _Bytes) -> _Bytes:
        """Takes in records; returns what an L2 feed says of the actions that they complete."""

class _Trader(Protocol):
    def on_record(self, replay: Replay, source: int, index: int, /) -> object: ...
    def on_answer(self, replay: Replay, kind: str, number: int, /) -> object: ...
    def on_timer(self, replay: Replay, time_ns: int, /) -> object: ...

@final
class Replay:
    """Recorded books and trades against a strategy's orders; docs/book-rules.md says what it does."""

    def __new__(
        cls,
        instruments: Sequence[tuple[str, tuple[int, int], tuple[int, int]]],
        sources: Sequence[tuple[_Ints, Sequence[int]]],
        *,
        cash: int,
        leverage_ppb: int = 1_000_000_000,
        maker_ppb: int = 0,
        taker_ppb: int = 0,
        fixed_fee: int = 0,
        entry_ns: int = 0,
        response_ns: int = 0,
        feed_ns: int | None = None,
        latency_rows: Sequence[tuple[int, int, int]] | None = None,
        queue: str = "risk_averse",
        power: int = 2,
        whole: bool = False,
        depth: str | Sequence[str] = ...,
        trades: str | Sequence[str] = ...,
        self_trade: str = "cancel_newest",
        sample_ns: int | None = ...,
        roles: Sequence[str] | None = None,
        view: str | Sequence[str] | None = None,
        by_bars: bool = False,
        like: str | None = None,
        bars: Sequence[tuple[int, _Bars]] = ...,
        slippage_ticks: int = 0,
        slippage_ppb: int = 0,
        slippage_spread_ppb: int = 0,
        fill_close: bool = False,
        limit_through: bool = False,
        volume_cap_ppb: int | None = None,
        impact: tuple[int, int] | None = None,
        account: _Account | None = None,
    ) -> Replay: ...
    def submit(
        self,
        instrument: int,
        side: int,
        kind: str = "market",
        *,
        size_kind: str = "quantity",
        size: int,
        limit: int | None = None,
        stop: int | None = None,
        trail_ticks: int | None = None,
        trail_ppb: int | None = None,
        time_in_force: str = "gtc",
        expire_ns: int | None = None,
        stop_loss: int | None = None,
        take_profit: int | None = None,
        stop_loss_trail_ticks: int | None = None,
        stop_loss_trail_ppb: int | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        display: int | None = None,
    ) -> int: ...
    def cancel(self, order: int) -> None: ...
    def amend(self, order: int, limit: int, quantity: int) -> None: ...
    def timer(self, time_ns: int) -> None: ...
    def queue_ahead(self, order: int) -> float | None: ...
    def position(self, instrument: int) -> int: ...
    def cash(self, currency: int = 0) -> int: ...
    @property
    def balances(self) -> list[int]: ...
    @property
    def liquidations(self) -> list[int]: ...
    def mark(self, instrument: int) -> int: ...
    def best(self, instrument: int, side: int) -> tuple[int, int] | None: ...
    @property
    def now_ns(self) -> int: ...
    def run(self, strategy: _Trader, wants: Sequence[str] = ..., *, bars: bool = False) -> None: ...
    def batches(self, on_batch: Callable[[_Ints], object], interval_ns: int, kinds: Sequence[str]) -> None: ...
    def open(self, *, by_receipt: bool = False) -> None: ...
    def feed(self, source: int, words: _Ints, *, last: bool = False) -> None: ...
    def begin(self) -> None: ...
    def play(
        self,
        *,
        on_trade: Callable[[Tick], object] | None = None,
        on_quote: Callable[[Tick], object] | None = None,
        on_book: Callable[[str], object] | None = None,
        on_bar: Callable[[Bar], object] | None = None,
        on_moment: Callable[[int], object] | None = None,
        on_timer: Callable[[int], object] | None = None,
        on_fill: Callable[[int], object] | None = None,
        on_order: Callable[[int, str], object] | None = None,
        on_told: Callable[[int, str], object] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> None: ...
    @property
    def current(self) -> int: ...
    def units(self, instrument: int) -> float: ...
    def price(self, instrument: int) -> float: ...
    def keep_tapes(self) -> None: ...
    def seen(self, instrument: int) -> list[tuple[str, float]]: ...
    def take_range(self, instrument: int) -> tuple[float, float, list[float]]: ...
    def bars_known(self, instrument: int) -> int: ...
    def levels(self, instrument: int, side: int, count: int) -> list[tuple[float, float]]: ...
    @property
    def equity_value(self) -> float: ...
    def fill_record(self, at: int) -> tuple[int, int, int, float, float, float, bool, int]: ...
    def order_record(self, number: int) -> tuple[int, int, int, float, float, int, int]: ...
    def standing(self, number: int) -> tuple[int, int, int, int, int, int]: ...
    @property
    def known_orders(self) -> list[int]: ...
    @property
    def known_fills(self) -> list[int]: ...
    @property
    def sample_count(self) -> int: ...
    @property
    def exposed_samples(self) -> int: ...
    def equity_curve(self) -> tuple[_Ints, _Floats]: ...
    def touch_arrays(self, instrument: int) -> tuple[_Ints, _Ints]: ...
    def order_arrays(self) -> _Arrays: ...
    def fill_arrays(self) -> _Arrays: ...
    def trade_arrays(self) -> _Arrays: ...
    def posting_arrays(self) -> _Arrays: ...
    @property
    def halted(self) -> bool: ...
    @property
    def orders(self) -> dict[str, list[Any]]: ...
    @property
    def fills(self) -> _Exact: ...
    @property
    def postings(self) -> _Exact: ...
    @property
    def trades(self) -> _Exact: ...
    @property
    def equity_samples(self) -> tuple[list[int], list[int]]: ...
    @property
    def touches(self) -> list[tuple[int, int]]: ...
    def check_invariants(self) -> None: ...
    def digests(self, version: str, parameters: str) -> dict[str, str]: ...

@final
class Sweep:
    """A formula with many sets of parameters over the bars of an engine, which itself is left as it is."""

    def __new__(
        cls,
        engine: Engine,
        terms: Sequence[tuple[str, Sequence[int], Sequence[tuple[bool, float]]]],
        roles: dict[str, int],
        sets: NDArray[np.float64],
        *,
        curve: bool = False,
        records: bool = False,
        threads: int = 0,
        ends: NDArray[np.int64] | None = None,
    ) -> Sweep: ...
    def advance(self) -> float:
        """Plays on; returns the share of the work that is done, 1 at the end."""
    def digests(self) -> list[tuple[str, str, str] | None]:
        """Digests, in hex, of the orders, fills and postings of each set, where records are kept."""
    def periods(self) -> _Floats:
        """Equity, a row for each set and a column for each of the samples `ends`; NaN where a set failed."""
    def figures(self) -> tuple[dict[str, _Floats], dict[int, str]]:
        """The figures of all sets as columns, NaN where a set failed, and what went wrong in each that did."""

@final
class Tick:
    """A trade or a quote as it arrived here, in decimal units."""

    @property
    def symbol(self) -> str: ...
    @property
    def time_ns(self) -> int: ...
    @property
    def venue_ns(self) -> int: ...
    @property
    def price(self) -> float: ...
    @property
    def quantity(self) -> float: ...
    @property
    def side(self) -> int: ...
    @property
    def id(self) -> int: ...

def run_avellaneda_stoikov(
    replay: Replay,
    every_ns: int,
    seconds: float,
    stake: float,
    size: float,
    gamma: float,
    horizon: float,
    decay: float,
    enough: float,
    flow_spread: float,
    fee: float,
    limit: int,
    tolerance: float,
    state: bytes | None = None,
    progress: Callable[[int], None] | None = None,
) -> bytes | None: ...
def run_grid(
    replay: Replay,
    every_ns: int,
    stake: float,
    size: float,
    step: float,
    rungs: int,
    weight: float,
    limit: int,
    state: bytes | None = None,
    progress: Callable[[int], None] | None = None,
) -> bytes | None: ...
def pause_run(run: Engine | Replay, time_ns: int | None = None, turns: int | None = None) -> None:
    """Says where a run stops next, to be saved: after all that happens at a time, or after so many turns."""

def run_position(run: Engine | Replay) -> tuple[bool, int, int]:
    """Whether a run of a strategy in Python is over; where it paused, when what comes next happens; and its turns."""

def save_run(run: Engine | Replay) -> tuple[bytes, list[bytes]]:
    """Everything that decides how a run goes on, beside the strategy: the engine, and each feature."""

def restore_run(run: Engine | Replay, state: bytes, features: Sequence[bytes]) -> None:
    """Makes a run go on where one of the same settings and data was saved."""

def seal_snapshot(header: str, parts: Sequence[tuple[str, bytes]]) -> bytes:
    """The bytes of a snapshot: a JSON document that says of what it is, and named states."""

def open_snapshot(content: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The document and the states of a snapshot; ValueError says what is wrong with its bytes."""

_Frame: TypeAlias = tuple[str, tuple[int, ...], bytes]

def start_journal(replay: Replay, header: str, write: Callable[[bytes], object]) -> None:
    """Keeps a journal of a replay from here on; ``write`` gets its bytes, piece by piece, the header at once."""

def end_journal(replay: Replay, run_hash: str) -> None:
    """Ends the journal of a run with its hash, in hex."""

def abort_journal(replay: Replay, place: str) -> None:
    """Ends the journal of a run that broke off; ``place`` says where."""

def inputs_digest(replay: Replay) -> str:
    """SHA-256, in hex, of the instruments and records of a replay."""

def read_journal(journal: NDArray[np.uint8]) -> tuple[str | None, list[_Frame], tuple[int, str] | None]:
    """The header of a journal, its frames without the links of the chain, and where it tore, if it did."""

def scan_journal(
    journal: NDArray[np.uint8],
) -> tuple[str | None, int, int, _Frame | None, tuple[int, str] | None]:
    """The same without the frames: the header, how many frames and decisions, the last frame, and the tear."""

def check_journal(
    replay: Replay,
    journal: NDArray[np.uint8],
    *,
    wants: Sequence[str],
    trades: bool,
    books: bool,
    progress: Callable[[int], object] | None = None,
) -> tuple[int, int, str, str] | None:
    """Plays a journal again in a fresh replay, told records of the kinds ``wants``, and of trades and books if said so.

    Returns the first difference (number of the frame, time, what was recorded, what came), or None.
    """

@final
class SolverMatrix:
    """A square matrix in compressed rows whose dominance is known; its arrays are read where they are."""

    def __new__(cls, begins: _Indices, columns: _Indices, values: _Floats) -> SolverMatrix: ...
    def facts(self) -> dict[str, Any]: ...
    def weights(self) -> _Floats: ...
    def reach(self, side: _Floats) -> tuple[float, float]: ...
    def solve(
        self,
        side: _Floats,
        reach: tuple[float, float],
        eps: float,
        method: str = "auto",
        start: _Floats | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> tuple[_Floats, dict[str, Any]]: ...
    def entry(
        self,
        side: _Floats,
        reach: tuple[float, float],
        index: int,
        eps: float,
        method: str = "auto",
        seed: int = 0,
        confidence: float | None = None,
        walks_max: int = ...,
        progress: Callable[[float], object] | None = None,
    ) -> tuple[float, dict[str, Any]]: ...
    def forward(self, rows: list[int], values: list[float], eps: float) -> tuple[_Ints, _Floats, dict[str, Any]]: ...

@final
class SolverTracked:
    """A solution that is kept while single numbers of its system change."""

    def __new__(cls, begins: _Ints, columns: _Ints, values: _Floats, side: _Floats, eps: float) -> SolverTracked: ...
    def change_side(self, row: int, value: float) -> None: ...
    def change(self, row: int, column: int, value: float) -> None: ...
    def refresh(self) -> int: ...
    def value(self, index: int) -> float: ...
    def solution(self) -> _Floats: ...
    def certificate(self) -> dict[str, Any]: ...
