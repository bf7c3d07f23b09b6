"""Books go in as a table and come out as one."""

from __future__ import annotations

import math

import pytest

from neural_trader._native import Ladder, OrderBook

MARKET = """\
bid | price | ask
    |   103 |   7
    |   102 |   6
  4 |   100 |
 10 |    99 |
"""


def test_a_ladder_is_drawn_as_it_was_read() -> None:
    ladder = Ladder.from_text(MARKET)
    assert ladder.draw() == MARKET
    assert ladder.best(1) == (100, 4) and ladder.best(-1) == (102, 6)
    assert ladder.measure("weighted_mid") == 100.8


def test_decimals_are_those_of_the_grid() -> None:
    drawn = Ladder.from_text(MARKET).draw(1, ((1, 2), (25, 3)))
    assert drawn == "  bid | price |   ask\n      |  1.02 | 0.150\n0.100 |  1.00 |\n"


def test_our_orders_are_marked_and_know_what_is_ahead() -> None:
    book = OrderBook()
    assert [book.add(number, 1, 100, number) for number in (3, 4)] == [0, 3]
    assert book.add(5, 1, 100, 9, own=True) == 7
    book.add(6, -1, 101, 2)
    assert book.draw() == "   bid | price | ask\n       |   101 |   2\n3 4 9* |   100 |\n"
    assert book.queue_ahead(5) == (2, 7, 0)
    assert book.fill(3, 2) == 1
    assert book.amend(4, 100, 5) is False
    assert book.queue_ahead(5) == (1, 1, 0) and book.queue_ahead(4) == (2, 10, 9)
    assert book.own_quantity_at(1, 100) == 9 and len(book) == 4
    assert OrderBook.from_text(book.draw()).levels(1) == book.levels(1) == [(100, 15)]
    with pytest.raises(ValueError, match="no order 77 rests"):
        book.cancel(77)


def test_an_order_book_has_the_measures_of_its_levels() -> None:
    book, ladder = OrderBook.from_text(MARKET), Ladder.from_text(MARKET)
    for name, parameters in (("imbalance", (2,)), ("buy_average", (9,)), ("bid_slope", (2,)), ("mid", ())):
        assert book.measure(name, *parameters) == ladder.measure(name, *parameters)
    book.clear()
    assert math.isnan(book.measure("mid"))
