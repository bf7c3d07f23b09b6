//! The journal of a replay as bytes: what was decided when, and what was answered (docs/journal.md).
//!
//! Nothing here reads or writes files. An encoder turns frames into bytes, a reader goes over bytes and stops at the first
//! that cannot be right, and a check plays what was decided again and compares all that is told.

mod check;
mod frame;
mod reader;

use sha2::{Digest, Sha256};

pub use check::{Check, Difference, Progress};
pub use frame::{Frame, Kind};
pub use reader::{Reader, Tear};

use crate::digest::Hash;

/// What a journal begins with.
const MAGIC: &[u8] = b"neural-trader journal 1\n";
/// So many frames are bound by one link of the chain.
const BLOCK: u32 = 256;
/// A frame is this much longer than its payload: length, kind, checksum.
const AROUND: usize = 4 + 1 + 4;

/// Turns frames into the bytes of a journal, and binds them block by block in a chain of digests.
#[derive(Debug, Clone)]
pub struct Encoder {
    bytes: Vec<u8>,
    /// Over the link before and the frames of the block that is being written.
    block: Sha256,
    chain: Hash,
    in_block: u32,
}

impl Encoder {
    /// A journal that begins with a header, a JSON document.
    pub fn new(header: &str) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        let chain: Hash = Sha256::digest(&bytes).into();
        bytes.extend_from_slice(&chain);
        Encoder { bytes, block: Sha256::new_with_prefix(chain), chain, in_block: 0 }
    }

    /// Adds a frame.
    pub fn push(&mut self, frame: &Frame) {
        let begin = self.bytes.len();
        frame.write(&mut self.bytes);
        self.block.update(&self.bytes[begin..]);
        self.in_block += 1;
        if self.in_block == BLOCK || frame.kind.is_last() {
            self.chain = self.block.finalize_reset().into();
            self.block.update(self.chain);
            self.in_block = 0;
            Frame::bytes(Kind::Block, Vec::new(), self.chain.to_vec()).write(&mut self.bytes);
        }
    }

    /// How many bytes wait to be taken.
    pub fn waiting(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}
