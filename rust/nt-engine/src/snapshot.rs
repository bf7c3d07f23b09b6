//! A run that stopped, as bytes: what it was, the state of each of its parts, and a checksum (docs/snapshots.md).
//!
//! ```text
//! "neural-trader snapshot 1\n"            magic, with the version of the format
//! u64   length of all that follows
//! u32   length of the header, the header: a JSON document that says of which run, data and version this is
//! u32   number of parts; of each: u32 and its name, u64 and its bytes
//! [32]  SHA-256 of everything before
//! ```
//!
//! Integers are little-endian. A state is encoded field by field as its struct declares them (`serde`, `postcard`): a field
//! that nobody thought of is part of the snapshot, because the compiler wrote it down. Nothing here opens files, and no
//! bytes make it panic.

use nt_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::engine::Engine;

const MAGIC: &[u8] = b"neural-trader snapshot 1\n";
/// Before the version of the format.
const KIND: &[u8] = b"neural-trader snapshot ";
const CHECKSUM: usize = 32;

/// A state as bytes.
pub fn encode<T: Serialize>(state: &T) -> Result<Vec<u8>> {
    postcard::to_allocvec(state).map_err(|error| Error::Misuse(format!("a state cannot be saved: {error}")))
}

/// The state that bytes say; it has to be all that they say.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let state = postcard::take_from_bytes(bytes);
    match state {
        Ok((state, [])) => Ok(state),
        Ok((_, rest)) => Err(Error::Misuse(format!("the snapshot has {} bytes too many in a state", rest.len()))),
        Err(_) => Err(Error::Misuse("a state in the snapshot makes no sense".into())),
    }
}

/// A snapshot: its header, and named parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which run, data and version it is, as a JSON document.
    pub header: String,
    /// States by name.
    pub parts: Vec<(String, Vec<u8>)>,
}

impl Snapshot {
    /// The bytes of a snapshot.
    pub fn seal(&self) -> Vec<u8> {
        let parts = self.parts.iter().map(|(name, state)| 4 + name.len() + 8 + state.len());
        let length = 4 + self.header.len() + 4 + parts.sum::<usize>() + CHECKSUM;
        let mut bytes = Vec::with_capacity(MAGIC.len() + 8 + length);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(length as u64).to_le_bytes());
        put_text(&mut bytes, &self.header);
        bytes.extend_from_slice(&(self.parts.len() as u32).to_le_bytes());
        for (name, state) in &self.parts {
            put_text(&mut bytes, name);
            bytes.extend_from_slice(&(state.len() as u64).to_le_bytes());
            bytes.extend_from_slice(state);
        }
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// The snapshot that bytes are, if every one of them is as it was written; else what is wrong with them.
    pub fn open(bytes: &[u8]) -> std::result::Result<Self, String> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(match bytes.strip_prefix(KIND) {
                _ if MAGIC.starts_with(bytes) => format!("it is cut off after {} bytes", bytes.len()),
                Some([version, ..]) => {
                    format!("it has format {}, and this version reads format 1", version.escape_ascii())
                }
                _ => "it is no snapshot of neural-trader".to_owned(),
            });
        };
        let mut rest = Rest(rest);
        let length = rest.long().unwrap_or(u64::MAX);
        let left = rest.0.len() as u64;
        if left < length || length < CHECKSUM as u64 {
            return Err(format!("it is cut off after {} bytes", bytes.len()));
        }
        if left > length {
            return Err(format!("{} bytes follow its end", left - length));
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        if Sha256::digest(content).as_slice() != checksum {
            return Err("its bytes are not those that were written (the checksum differs)".to_owned());
        }
        rest.0 = &rest.0[..rest.0.len() - CHECKSUM];
        rest.snapshot().ok_or_else(|| "its checksum is right and its parts make no sense".to_owned())
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Bytes that have not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn long(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn short(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.short()?;
        Some(std::str::from_utf8(self.take(length)?).ok()?.to_owned())
    }

    fn snapshot(mut self) -> Option<Snapshot> {
        let header = self.text()?;
        let mut parts = Vec::new();
        for _ in 0..self.short()? {
            let name = self.text()?;
            let length = usize::try_from(self.long()?).ok()?;
            parts.push((name, self.take(length)?.to_vec()));
        }
        self.0.is_empty().then_some(Snapshot { header, parts })
    }
}

impl Engine {
    /// Whether a state that was saved is of a run with the same settings and instruments, and nothing in it points beyond
    /// what there is.
    pub fn continues(&self, saved: &Engine) -> bool {
        let (count, orders) = (saved.markets.len(), &saved.orders);
        saved.config == self.config
            && saved.instruments().eq(self.instruments())
            && saved.ledger.continues(&self.ledger)
            && match (&self.account, &saved.account) {
                (Some(own), Some(other)) => own.continues(other, saved.fills.len()),
                (own, other) => own.is_none() && other.is_none(),
            }
            && saved.samples.is_condensed() == self.samples.is_condensed()
            && orders.iter().enumerate().all(|(at, order)| {
                let linked = [order.parent, order.sibling, order.children[0], order.children[1]];
                order.id as usize == at + 1
                    && (order.instrument as usize) < count
                    && linked.iter().all(|&id| id as usize <= orders.len())
            })
            && saved
                .markets
                .iter()
                .flat_map(|market| &market.working)
                .all(|&id| (1..=orders.len()).contains(&(id as usize)))
            && saved.fills.iter().all(|fill| (fill.instrument as usize) < count && fill.order as usize <= orders.len())
    }
}

/// How two averages stood, which `serde` does not know: as its number.
pub(crate) mod order {
    use std::cmp::Ordering;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(order: &Option<Ordering>, serializer: S) -> Result<S::Ok, S::Error> {
        order.map(|order| order as i8).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ordering>, D::Error> {
        match Option::<i8>::deserialize(deserializer)? {
            None => Ok(None),
            Some(sign @ -1..=1) => Ok(Some(sign.cmp(&0))),
            Some(sign) => Err(D::Error::custom(format!("{sign} is no order"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn snapshot() -> Snapshot {
        let parts = vec![("engine".to_owned(), vec![1, 2, 3]), ("strategy".to_owned(), b"{}".to_vec())];
        Snapshot { header: r#"{"version":"1"}"#.to_owned(), parts }
    }

    #[test]
    fn what_was_sealed_opens_again() {
        assert_eq!(Snapshot::open(&snapshot().seal()), Ok(snapshot()));
        let empty = Snapshot { header: String::new(), parts: Vec::new() };
        assert_eq!(Snapshot::open(&empty.seal()), Ok(empty));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_found() {
        let bytes = snapshot().seal();
        for length in 0..bytes.len() {
            let refused = Snapshot::open(&bytes[..length]).expect_err("it is cut off");
            assert!(refused.contains(&format!("cut off after {length} bytes")), "{length}: {refused}");
        }
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Snapshot::open(&flipped).is_err(), "bit {bit}");
        }
        let longer = [bytes.as_slice(), b"!"].concat();
        assert_eq!(Snapshot::open(&longer), Err("1 bytes follow its end".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |bytes: &[u8]| Snapshot::open(bytes).expect_err("it is none");
        assert!(refused(b"PK and other things that are not ours").contains("no snapshot"));
        assert!(refused(b"neural-trader snapshot 2\n........").contains("format 2"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..200), sound in any::<bool>()) {
            // Behind a magic, a length and a checksum that are right, nothing else has to be.
            let mut bytes = MAGIC.to_vec();
            bytes.extend_from_slice(&((tail.len() + if sound { CHECKSUM } else { 0 }) as u64).to_le_bytes());
            bytes.extend_from_slice(&tail);
            if sound {
                let checksum = Sha256::digest(&bytes);
                bytes.extend_from_slice(&checksum);
            }
            if let Ok(snapshot) = Snapshot::open(&bytes) {
                prop_assert_eq!(snapshot.seal(), bytes);
            }
        }
    }
}
