//! The rules by which venues number their updates: does a message follow, repeat, or leave a gap?

/// What a message is to the book before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// It is the next one.
    Next,
    /// Everything in it is known already.
    Old,
    /// Updates are missing; `expected` is the id that should have come.
    Gap {
        /// The id that should have come.
        expected: u64,
    },
}

/// Binance spot, "How to manage a local order book correctly": after a snapshot with `lastUpdateId`, and after every diff
/// with the last id `u`, drop diffs with `u` up to that id; the next one has `U` at most one above it. One rule serves the
/// first diff behind a snapshot and all others; Binance.US words it the same.
pub fn spot(book_id: u64, first_id: u64, last_id: u64) -> Follows {
    if last_id <= book_id {
        Follows::Old
    } else if first_id > book_id.saturating_add(1) {
        Follows::Gap { expected: book_id.saturating_add(1) }
    } else {
        Follows::Next
    }
}

/// Binance USD-M futures, "How to manage a local order book correctly": behind a snapshot drop diffs with `u` below
/// `lastUpdateId`, the first one kept has `U <= lastUpdateId <= u`; from then on `pu` equals the `u` before. `U` is not
/// contiguous there, because all symbols share one counter.
pub fn futures(book_id: u64, joined: bool, first_id: u64, last_id: u64, previous_id: u64) -> Follows {
    if previous_id == book_id {
        Follows::Next
    } else if last_id < book_id || (joined && last_id == book_id) {
        Follows::Old
    } else if !joined && first_id <= book_id {
        Follows::Next
    } else {
        Follows::Gap { expected: book_id }
    }
}

/// Coinbase Advanced Trade, "Sequence Numbers": every message is one above the one before; a lower one came too late.
/// A zero begins a connection.
pub fn counted(latest: Option<u64>, number: u64) -> Follows {
    match latest {
        None => Follows::Next,
        Some(_) if number == 0 => Follows::Next,
        Some(latest) if number <= latest => Follows::Old,
        Some(latest) if number == latest.saturating_add(1) => Follows::Next,
        Some(latest) => Follows::Gap { expected: latest.saturating_add(1) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spot_diffs_may_overlap_but_leave_no_id_out() {
        assert_eq!(spot(100, 101, 105), Follows::Next, "exactly one above the snapshot");
        assert_eq!(spot(100, 95, 101), Follows::Next, "over the snapshot");
        assert_eq!(spot(100, 90, 100), Follows::Old);
        assert_eq!(spot(100, 102, 105), Follows::Gap { expected: 101 });
        assert_eq!(spot(u64::MAX, 1, u64::MAX), Follows::Old);
    }

    #[test]
    fn futures_diffs_are_chained_by_the_previous_id() {
        assert_eq!(futures(100, false, 95, 110, 90), Follows::Next, "the first one straddles the snapshot");
        assert_eq!(futures(100, false, 80, 99, 70), Follows::Old);
        assert_eq!(futures(100, false, 80, 100, 70), Follows::Next, "a first diff may end at the snapshot");
        assert_eq!(futures(100, false, 120, 130, 110), Follows::Gap { expected: 100 });
        assert_eq!(futures(110, true, 150, 160, 110), Follows::Next, "first ids leap");
        assert_eq!(futures(110, true, 111, 160, 109), Follows::Gap { expected: 110 });
        assert_eq!(futures(110, true, 95, 110, 90), Follows::Old, "a repetition");
    }

    #[test]
    fn counted_messages_rise_by_one_and_begin_at_zero() {
        assert_eq!(counted(None, 7), Follows::Next);
        assert_eq!(counted(Some(7), 8), Follows::Next);
        assert_eq!(counted(Some(7), 7), Follows::Old);
        assert_eq!(counted(Some(7), 9), Follows::Gap { expected: 8 });
        assert_eq!(counted(Some(7), 0), Follows::Next);
    }
}
