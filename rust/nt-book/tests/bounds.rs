//! Every short sequence of updates of one side, at prices inside the array, on its edge, beyond it and at the last that
//! there is: the ladder answers as the plain one does, contradicts itself nowhere, and neither wraps nor panics.

use nt_book::{Depth, Ladder, PRICE_MAX, PlainLadder, Side};

/// So many updates follow each other.
const DEPTH: usize = if cfg!(miri) { 1 } else { 4 };
/// The array covers 4,096 prices.
const PRICES: [i64; 6] = [1, 2, 4_097, 9_000, PRICE_MAX, -PRICE_MAX];
const QUANTITIES: [i64; 2] = [0, i64::MAX];

fn all_after(side: Side, ladder: &Ladder, plain: &PlainLadder, depth: usize) -> usize {
    if depth == 0 {
        return 1;
    }
    let mut sequences = 0;
    for price in PRICES {
        for quantity in QUANTITIES {
            let (mut ladder, mut plain) = (ladder.clone(), plain.clone());
            assert_eq!(ladder.set(side, price, quantity), plain.set(side, price, quantity));
            assert_eq!(ladder.check_invariants(), Ok(()));
            assert_eq!(ladder.best(side), plain.best(side));
            assert_eq!(ladder.count(side), plain.count(side));
            assert!(ladder.levels(side).eq(plain.levels(side)));
            sequences += all_after(side, &ladder, &plain, depth - 1);
        }
    }
    sequences
}

#[test]
fn every_short_sequence_of_updates_is_answered_as_by_the_plain_ladder() {
    for side in [Side::Buy, Side::Sell] {
        let sequences = all_after(side, &Ladder::with_window(4_096), &PlainLadder::default(), DEPTH);
        assert_eq!(sequences, (PRICES.len() * QUANTITIES.len()).pow(DEPTH as u32));
    }
}
