//! Laws that every replay obeys, over markets, orders and settings drawn at random (docs/book-rules.md).
//!
//! Each of the twenty-two laws is tried on `NT_LAW_CASES` sessions (5,000 by default; 50,000 make a million),
//! those of resuming on a thirtieth of that or less. A session that breaks one is shrunk, and its seed kept in
//! `replay_laws.proptest-regressions`, from where it is tried again first.

mod replay;
