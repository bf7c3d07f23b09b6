//! Books that are drawn, what is measured on them, and how they are drawn again.

use nt_book::measures::{depth_within, imbalance, mid, size_weighted_touch, slope, spread, to_fill, weighted_mid};
use nt_book::{
    Ahead, BookError, Depth, KrakenScale, Ladder, Level, Measure, OrderBook, OrderFlow, Side, Updates, columns, crc32,
    draw, draw_orders, levels_from_text, orders_from_text,
};
use nt_core::Step;

const MARKET: &str = "\
bid | price | ask
    |   106 |  20
    |   103 |   7
    |   102 |   6
  4 |   100 |
 10 |    99 |
  2 |    90 |
";

fn ladder(text: &str) -> Ladder {
    let [bids, asks] = levels_from_text(text).expect("a drawing");
    let mut ladder = Ladder::new();
    ladder.load(&bids, &asks).expect("a book");
    ladder
}

fn book(text: &str) -> OrderBook {
    let mut book = OrderBook::new();
    for order in orders_from_text(text).expect("a drawing") {
        book.add(order).expect("a new order");
    }
    book
}

#[test]
fn what_is_drawn_is_read_as_the_same_book() {
    assert_eq!(draw(&ladder(MARKET), 10, None), MARKET);
}

#[test]
fn only_the_best_levels_are_drawn() {
    let best = "\
bid | price | ask
    |   102 |   6
  4 |   100 |
";
    assert_eq!(draw(&ladder(MARKET), 1, None), best);
}

#[test]
fn a_book_on_a_grid_is_drawn_in_decimals() {
    let tick = Step::new(5, 1).expect("a tick");
    let lot = Step::new(1, 3).expect("a lot");
    let drawn = "  bid | price |   ask
      |  51.0 | 0.006
0.004 |  50.0 |
";
    assert_eq!(draw(&ladder(MARKET), 1, Some((tick, lot))), drawn);
}

#[test]
fn an_empty_book_is_drawn_as_its_head() {
    assert_eq!(draw(&Ladder::new(), 5, None), "bid | price | ask\n");
}

#[test]
fn a_line_that_is_no_row_is_named() {
    let refused = levels_from_text("bid | price | ask\n 1 | 2 | 3 | 4\n");
    assert_eq!(refused, Err(BookError::Drawing { line: 2, text: " 1 | 2 | 3 | 4".to_owned() }));
    assert!(orders_from_text("4 x | 100 |\n").is_err());
}

#[test]
fn measures_of_the_touch() {
    let book = ladder(MARKET);
    assert_eq!(book.best(Side::Buy), Some(Level::new(100, 4)));
    assert_eq!(book.best(Side::Sell), Some(Level::new(102, 6)));
    assert_eq!(mid(&book), Some(101.0));
    assert_eq!(spread(&book), Some(2.0));
    // The asks are heavier, so the value lies nearer to the bid.
    assert_eq!(weighted_mid(&book), Some((100.0 * 6.0 + 102.0 * 4.0) / 10.0));
    assert_eq!(size_weighted_touch(&book), Some((100.0 * 4.0 + 102.0 * 6.0) / 10.0));
}

#[test]
fn imbalance_counts_the_levels_it_is_asked_for() {
    let book = ladder(MARKET);
    assert_eq!(imbalance(&book, 1), Some(-0.2));
    assert_eq!(imbalance(&book, 2), Some(1.0 / 27.0));
    assert_eq!(imbalance(&book, 50), Some(-17.0 / 49.0));
    assert_eq!(imbalance(&book, 0), None);
}

#[test]
fn depth_reaches_to_the_last_price_within_the_distance() {
    let book = ladder(MARKET);
    // 2 / 101 is 198.02 basis points.
    assert_eq!(depth_within(&book, Side::Buy, 199.0), Some(14.0));
    assert_eq!(depth_within(&book, Side::Buy, 198.0), Some(4.0));
    assert_eq!(depth_within(&book, Side::Sell, 10_000.0), Some(33.0));
    assert_eq!(depth_within(&book, Side::Sell, 1.0), Some(0.0));
}

#[test]
fn a_large_order_walks_the_levels() {
    let book = ladder(MARKET);
    let taken = to_fill(&book, Side::Buy, 10);
    assert_eq!((taken.filled, taken.notional, taken.last), (10, 6 * 102 + 4 * 103, Some(103)));
    assert_eq!(taken.average(), Some(102.4));
    let all = to_fill(&book, Side::Sell, 1_000);
    assert_eq!((all.filled, all.last), (16, Some(90)));
    assert!(Measure::FillAverage(Side::Sell, 17).of(&book).is_nan());
    assert_eq!(Measure::FillLast(Side::Sell, 16).of(&book), 90.0);
    assert_eq!(to_fill(&book, Side::Buy, 0).average(), None);
}

#[test]
fn the_slope_of_a_block_shaped_book_is_its_density() {
    let block = "\
bid | price | ask
    |   103 |   5
    |   102 |   5
    |   101 |   5
  7 |   100 |
  7 |    99 |
";
    let mut book = ladder(block);
    // The mid is 100.5, the asks hold 5 more per tick beyond half a tick.
    let asks = (0.5 * 5.0 + 1.5 * 10.0 + 2.5 * 15.0) / (0.25 + 2.25 + 6.25);
    assert_eq!(slope(&book, Side::Sell, 3), Some(asks));
    assert_eq!(slope(&book, Side::Buy, 1), Some(14.0));
    book.clear();
    assert_eq!(slope(&book, Side::Buy, 1), None);
}

#[test]
fn order_flow_counts_what_came_and_went_at_the_touch() {
    let level = |price, quantity| Some(Level::new(price, quantity));
    let mut flow = OrderFlow::default();
    assert_eq!(flow.update(level(100, 4), level(102, 6)), None);
    // More is bid at the same price.
    assert_eq!(flow.update(level(100, 9), level(102, 6)), Some(5.0));
    // A better bid counts whole, a better ask against it.
    assert_eq!(flow.update(level(101, 3), level(102, 6)), Some(3.0));
    assert_eq!(flow.update(level(101, 3), level(101, 2)), Some(-2.0));
    // A bid that goes takes its quantity, an ask that goes gives its own.
    assert_eq!(flow.update(level(99, 8), level(101, 2)), Some(-3.0));
    assert_eq!(flow.update(level(99, 8), level(105, 1)), Some(2.0));
    assert_eq!(flow.update(None, level(105, 1)), None);
    assert_eq!(flow.update(level(99, 8), level(105, 1)), None);
}

#[test]
fn an_empty_side_has_no_measure() {
    let book = ladder("    | 103 | 7\n");
    for name in ["best_bid", "mid", "spread", "weighted_mid", "size_weighted_touch", "bid_quantity", "order_flow"] {
        assert!(Measure::named(name, &[]).expect("a measure").of(&book).is_nan(), "{name}");
    }
    assert_eq!(Measure::Imbalance(1).of(&book), -1.0);
}

#[test]
fn a_crossed_book_is_seen_and_kept() {
    let crossed = "\
bid | price | ask
  1 |   103 |
    |   102 |   6
";
    let mut book = ladder(crossed);
    assert!(book.is_crossed());
    assert_eq!(draw(&book, 5, None), crossed);
    assert_eq!(spread(&book), Some(-1.0));
    book.set(Side::Buy, 103, 0).expect("a level");
    assert!(!book.is_crossed());
    book.set(Side::Buy, 102, 1).expect("a level");
    assert!(book.is_crossed());
}

#[test]
fn measures_hold_at_the_ends_of_their_range() {
    let mut book = Ladder::new();
    book.set(Side::Buy, nt_book::PRICE_MAX - 1, i64::MAX).expect("a level");
    book.set(Side::Sell, nt_book::PRICE_MAX, i64::MAX).expect("a level");
    book.set(Side::Sell, -nt_book::PRICE_MAX, i64::MAX).expect("a level");
    assert_eq!(imbalance(&book, 9), Some(-1.0 / 3.0));
    assert_eq!(weighted_mid(&book), Some(-0.5));
    assert_eq!(to_fill(&book, Side::Buy, i64::MAX).last, Some(-nt_book::PRICE_MAX));
    assert_eq!(book.check_invariants(), Ok(()));
}

#[test]
fn our_orders_know_what_stands_before_them() {
    let mut book = book(
        "\
bid     | price | ask
        |   102 |   6
4 10* 3 |   100 |
     5* |    99 |
",
    );
    // Numbered as one reads: 1 is the ask, 2 to 4 the queue, 5 ours below.
    assert_eq!(book.queue_ahead(3), Ok(Ahead { orders: 1, quantity: 4, own: 0 }));
    assert_eq!(book.queue_ahead(4), Ok(Ahead { orders: 2, quantity: 14, own: 10 }));
    assert_eq!(book.own_quantity_at(Side::Buy, 100), 10);
    assert_eq!(book.fill(2, 1), Ok(3));
    assert_eq!(book.queue_ahead(3).map(|ahead| ahead.quantity), Ok(3));
    assert_eq!(book.cancel(2).map(|order| order.quantity), Ok(3));
    assert_eq!(book.queue_ahead(3), Ok(Ahead::default()));
    let after = "  bid | price | ask
      |   102 |   6
10* 3 |   100 |
   5* |    99 |
";
    assert_eq!(draw_orders(&book, 5), after);
}

#[test]
fn only_a_smaller_order_at_the_same_price_keeps_its_place() {
    let queue = "\
bid   | price | ask
4 5 6 |   100 |
";
    let drawn = |change: fn(&mut OrderBook) -> Result<bool, BookError>, keeps: bool| {
        let mut book = book(queue);
        assert_eq!(change(&mut book), Ok(keeps));
        draw_orders(&book, 5)
    };
    assert_eq!(drawn(|book| book.amend(1, 100, 2), true), "  bid | price | ask\n2 5 6 |   100 |\n");
    assert_eq!(drawn(|book| book.amend(1, 100, 4), true), "  bid | price | ask\n4 5 6 |   100 |\n");
    assert_eq!(drawn(|book| book.amend(1, 100, 7), false), "  bid | price | ask\n5 6 7 |   100 |\n");
    assert_eq!(drawn(|book| book.amend(1, 99, 4), false), "bid | price | ask\n5 6 |   100 |\n  4 |    99 |\n");
}

#[test]
fn wrong_commands_are_refused_by_name() {
    let mut book = book("4 | 100 |\n");
    assert_eq!(book.cancel(9), Err(BookError::UnknownOrder { id: 9 }));
    assert_eq!(book.fill(1, 5), Err(BookError::Overfill { id: 1, left: 4, filled: 5 }));
    assert_eq!(book.fill(1, 0), Err(BookError::Quantity { quantity: 0 }));
    let order = book.order(1).expect("it rests");
    assert_eq!(book.add(order), Err(BookError::DuplicateOrder { id: 1 }));
    let mut ladder = ladder(MARKET);
    let level = Level::new(100, 1);
    assert_eq!(ladder.load(&[level, level], &[]), Err(BookError::Twice { price: 100 }));
    assert_eq!(ladder.count(Side::Sell), 0);
}

#[test]
fn columns_are_the_measures_after_each_event() {
    let updates = Updates {
        side: &[1, -1, 1, 1, -1],
        price: &[100, 102, 101, 100, 101],
        quantity: &[4, 6, 2, 0, 3],
        ends: Some(&[2, 2, 4, 5]),
    };
    let (mut spreads, mut flow) = ([0.0; 4], [0.0; 4]);
    let mut ladder = Ladder::new();
    columns(&mut ladder, &updates, None, &[Measure::Spread, Measure::OrderFlow], &mut [&mut spreads, &mut flow])
        .expect("a stream");
    assert_eq!(spreads, [2.0, 2.0, 1.0, 0.0]);
    assert!(flow[0].is_nan());
    assert_eq!(flow[1..], [0.0, 2.0, -3.0]);
}

#[test]
fn a_stream_that_cannot_be_played_says_where() {
    let good = Updates { side: &[1, 1], price: &[100, 101], quantity: &[4, 6], ends: None };
    let refused = |updates: Updates<'_>| Ladder::new().apply(&updates, None).expect_err("refused").to_string();
    assert_eq!(refused(Updates { side: &[1, 0], ..good }), "row 1: a side is 1 (bid) or -1 (ask), not 0");
    assert_eq!(refused(Updates { quantity: &[4, -6], ..good }), "row 1: a quantity of -6 lots cannot rest in a book");
    assert_eq!(refused(Updates { side: &[1], ..good }), "column side has 1 rows and needs 2");
    for ends in [&[2, 1][..], &[-1, 2], &[3], &[1]] {
        assert!(refused(Updates { ends: Some(ends), ..good }).starts_with("the end of event"), "{ends:?}");
    }
}

#[test]
fn crc32_has_its_published_check_value() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(crc32(b""), 0);
}

/// The example of the page "Book checksum (WebSocket v2)" of docs.kraken.com, BTC/USD with one decimal and eight.
#[test]
fn krakens_own_example_has_its_checksum() {
    let drawn = "\
       bid |  price |       ask
           | 452995 |  18772827
           | 452975 |   9945542
           | 452961 |  35380000
           | 452947 |   4454749
           | 452918 | 154553491
           | 452902 |  15890660
           | 452896 | 154560911
           | 452866 | 154571109
           | 452864 | 154571953
           | 452852 |    100000
  10000000 | 452835 |
 154582015 | 452834 |
  10000000 | 452821 |
  10000000 | 452810 |
 154592586 | 452803 |
   7990000 | 452790 |
   3310103 | 452776 |
  30000000 | 452775 |
 154602737 | 452773 |
  15445238 | 452766 |
";
    let mut book = ladder(drawn);
    assert_eq!(KrakenScale::default().checksum(&book), Ok(3_310_070_434));
    // An eleventh level is not covered; a change of the tenth is.
    book.set(Side::Buy, 452_000, 1).expect("a level");
    assert_eq!(KrakenScale::default().checksum(&book), Ok(3_310_070_434));
    book.set(Side::Buy, 452_766, 1).expect("a level");
    assert_ne!(KrakenScale::default().checksum(&book), Ok(3_310_070_434));
    assert_eq!(KrakenScale { price: 0, quantity: 1 }.checksum(&book), Err(BookError::Scale));
}
