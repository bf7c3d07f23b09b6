"""The quality of fills by hand: shares, prices against the middle, markouts by side, queues, and what is missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.market.recordings import Listed, Recording, synthetic_recording
from neural_trader.report import html
from neural_trader.report.display import rfc3339
from neural_trader.report.fill_quality import FillQuality, fill_quality
from replay.scripted import BOOK, END, Played
from report_sample import make_result
from test_html import HOSTILE, Page
from test_terminal import screen

TIME = pl.Datetime("ns", "UTC")
SECOND_NS = 10**9


def times(*seconds: float | None) -> pl.Series:
    """Times in seconds of 1970."""
    whole = [None if each is None else round(each * SECOND_NS) for each in seconds]
    return pl.Series(whole, dtype=pl.Int64).cast(TIME)


def fills_of(*rows: tuple[float, str, str, float, float, str, float | None, float | None, int | None]) -> pl.DataFrame:
    """Fills as time in seconds, symbol, side, quantity, price, liquidity, bid, ask, order."""
    names = ("symbol", "side", "quantity", "price", "liquidity", "bid", "ask", "order")
    kinds = (pl.String, pl.String, pl.Float64, pl.Float64, pl.String, pl.Float64, pl.Float64, pl.Int64)
    columns = list(zip(*rows, strict=True)) or [()] * 9
    frame = {name: pl.Series(values, dtype=kind) for name, kind, values in zip(names, kinds, columns[1:], strict=True)}
    return pl.DataFrame({"time": times(*columns[0]), **frame})


def orders_of(*rows: tuple[int, float | None, float, str]) -> pl.DataFrame:
    """Orders as id, seconds of their acceptance, filled, state."""
    ids, accepted, filled, states = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pl.DataFrame(
        {
            "id": pl.Series(ids, dtype=pl.Int64),
            "accepted": times(*accepted),
            "filled": pl.Series(filled, dtype=pl.Float64),
            "state": pl.Series(states, dtype=pl.String),
        }
    )


def middles_of(**prices: dict[float, float]) -> dict[str, Any]:
    """Times in seconds and prices of the middle, by symbol."""
    return {
        symbol: (np.array([round(at * SECOND_NS) for at in each]), np.array(list(each.values())))
        for symbol, each in prices.items()
    }


FILLS = fills_of(
    (10.0, "A", "buy", 1.0, 100.0, "maker", 100.0, 102.0, 1),
    (20.0, "A", "sell", 2.0, 105.0, "taker", 105.0, 107.0, 2),
    (30.0, "B", "sell", 1.0, 50.0, "maker", 48.0, 50.0, 3),
    (31.5, "B", "buy", 1.0, 40.0, "maker", None, 50.0, 4),
)
ORDERS = orders_of(
    (1, 4.0, 1.0, "filled"),
    (2, 20.0, 2.0, "filled"),
    (3, 29.0, 1.0, "cancelled"),
    (4, 11.5, 1.0, "working"),
    (5, 12.0, 0.0, "cancelled"),
    (6, 13.0, 0.0, "expired"),
    (7, 13.0, 0.0, "working"),
    (8, None, 0.0, "rejected"),
)
MIDDLES = middles_of(A={10: 101.0, 11: 102.0, 12: 103.0, 21: 100.0, 33: 99.0}, B={30: 49.0, 32: 51.0, 33: 52.0})
QUALITY = FillQuality(FILLS, ORDERS, MIDDLES)


def test_the_share_of_makers_is_of_the_value() -> None:
    assert QUALITY.maker_share == pytest.approx((100 + 50 + 40) / (100 + 210 + 50 + 40))


def test_prices_are_held_against_the_middle_at_the_venue_weighted_by_value() -> None:
    # A buy at 100 of a middle of 101 and a sale at 50 of one of 49 were earned; for the last there was no middle.
    bought, sold = (100 - 101) / 101, -(50 - 49) / 49
    assert QUALITY.effective_bps("maker") == pytest.approx((bought * 100 + sold * 50) / 150 * 1e4)
    assert QUALITY.effective_bps("taker") == pytest.approx(-(105 - 106) / 106 * 1e4)


def test_markouts_are_the_middle_later_from_the_side_of_the_fill() -> None:
    after = {each.seconds: each for each in QUALITY.markouts}
    one_second = [(102 - 100) / 100, -(100 - 105) / 105, -(49 - 50) / 50, (51 - 40) / 40]
    weights = [100, 210, 50, 40]
    assert after[1].gain_bps == pytest.approx(np.average(one_second, weights=weights) * 1e4)
    assert after[1].fills == 4
    # Two seconds after the last fill the data of its instrument is over.
    two_seconds = [(103 - 100) / 100, -(100 - 105) / 105, -(51 - 50) / 50]
    assert after[2].gain_bps == pytest.approx(np.average(two_seconds, weights=weights[:3]) * 1e4)
    assert after[2].fills == 3
    # 10 s after the first the middle of A is still that of second 12, and the second has its own until 33.
    ten_seconds = [(103 - 100) / 100, -(100 - 105) / 105]
    assert after[10].gain_bps == pytest.approx(np.average(ten_seconds, weights=weights[:2]) * 1e4)
    assert (after[30].fills, after[60].fills) == (0, 0) and math.isnan(after[60].gain_bps)


def test_a_fill_before_the_first_middle_has_no_markout() -> None:
    quality = FillQuality(FILLS, ORDERS, middles_of(A={15: 101.0, 40: 101.0}, B={}))
    assert [each.fills for each in quality.markouts][:4] == [1, 1, 2, 2]


def test_fills_at_rest_waited_since_their_order_was_accepted() -> None:
    assert QUALITY.queue_seconds.tolist() == [6.0, 1.0, 20.0]
    document = QUALITY.document()
    assert (document["queue_seconds_median"], document["queue_seconds_p90"]) == (6.0, pytest.approx(6 + 0.8 * 14))


def test_orders_that_ended_without_a_fill_are_counted_among_those_that_a_venue_took() -> None:
    assert QUALITY.accepted == 7 and QUALITY.cancel_ratio == pytest.approx(2 / 7)


def test_what_nothing_could_be_measured_for_is_none() -> None:
    empty = FillQuality(fills_of(), orders_of(), {})
    assert math.isnan(empty.maker_share) and math.isnan(empty.cancel_ratio) and not len(empty.queue_seconds)
    document = empty.document()
    assert document.pop("markouts") == [{"seconds": s, "gain_bps": None, "fills": 0} for s in (1, 2, 5, 10, 30, 60)]
    assert document.pop("fills") == document.pop("orders_accepted") == 0
    assert set(document.values()) == {None}


def test_a_fill_that_no_order_made_counts_and_waits_for_nothing() -> None:
    ruin = fills_of((10.0, "A", "sell", 1.0, 100.0, "taker", 100.0, 102.0, None))
    quality = FillQuality(ruin, ORDERS, MIDDLES)
    assert quality.maker_share == 0.0 and not len(quality.queue_seconds)


def test_a_run_over_bars_has_no_quality_of_fills() -> None:
    assert fill_quality(make_result(count=300)) is None


# What is shown of a replay.


@pytest.fixture(scope="module")
def replayed() -> nt.Result:
    """A replay of the random market, its instrument with a name that means harm."""
    made = synthetic_recording(7, "3m")
    listed = (Listed(HOSTILE, *made.instruments[0][1:]),)
    return nt.replay("avellaneda_stoikov", Recording(made.records, listed, "synthetic", made.source), ladder=True)


def test_the_page_of_a_replay_has_its_sections_and_keeps_names_text(replayed: nt.Result) -> None:
    text = html.render(replayed)
    page = Page(text)
    for said in ("Fill quality", "Markouts", "Stories of orders", "Fidelity ladder", "latency", "risk_averse"):
        assert said in page.text, said
    assert HOSTILE in page.text and "<script>alert(1)" not in text
    assert not any(tag == "img" or "onerror" in attributes for tag, attributes in page.tags)
    assert html.render(replayed) == text


def test_the_page_of_a_replay_without_fills_has_no_section_of_them() -> None:
    class Idle(nt.Strategy):
        def on_trade(self, trade: nt.Tick) -> None: ...

    result = nt.replay(Idle, synthetic_recording(7, "5s"))
    assert "Fill quality" not in Page(html.render(result)).text
    assert max(map(len, screen(result).splitlines())) <= 80


@pytest.mark.parametrize(
    ("lines", "start_ns"),
    [
        ("5 sold 9900 3\n90 status\n", 10),
        ("5 best_bid 9900 30\n90 status\n", 10),
        ("0 status\n", 0),
        (BOOK + "5 sold@1 9900 1\n" + END, 0),
    ],
    ids=["trades only", "one side only", "nothing", "one of two without a book"],
)
def test_a_market_without_middle_prices_has_a_page_and_a_screen_that_say_so(lines: str, start_ns: int) -> None:
    # It begins with its first sample; with the first bar, which opens an interval before it closes, where there is one.
    result = Played(lines, {6: lambda own: own.sell(1, symbol="A", limit=99)}, "AB").result
    assert any(not len(bars) for bars in result.bars)
    assert "no bars" in Page(html.render(result)).text
    assert max(map(len, screen(result).splitlines())) <= 80
    assert result.stats["Start"] == rfc3339(start_ns)


def test_the_screen_of_a_replay_fits_80_columns(replayed: nt.Result) -> None:
    text = screen(replayed)
    assert max(map(len, text.splitlines())) <= 80
    for said in ("SYNTHETIC DATA", "latency 10ms each way", "queue risk_averse", "markouts", replayed.hash):
        assert said in " ".join(text.split()), said
