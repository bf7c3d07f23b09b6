//! Reading a journal: frame by frame up to the first byte that cannot be right.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::{BLOCK, Frame, Kind, MAGIC};
use crate::digest::Hash;

/// Where a journal stops being one, and why; everything before is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tear {
    /// The first byte of what is wrong.
    pub byte: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The frames of a journal, in order, without the links of its chain, and then where it tore, if it did.
///
/// The frames of a whole block come out once its link has been found right. Those of the block in which a journal breaks off
/// come out, too, each by its own checksum.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    header: &'a str,
    at: usize,
    chain: Hash,
    block: VecDeque<Frame>,
    tear: Option<Tear>,
    is_over: bool,
}

impl<'a> Reader<'a> {
    /// Reads the header.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Tear> {
        let torn = |reason| Tear { byte: 0, reason };
        let rest = bytes.strip_prefix(MAGIC).ok_or(torn("it does not begin as a journal does"))?;
        let parts = rest.split_first_chunk::<4>().and_then(|(length, rest)| {
            let (header, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            Some((header, rest.first_chunk::<32>()?))
        });
        let (header, &chain) = parts.ok_or(torn("the header is not whole"))?;
        let end = MAGIC.len() + 4 + header.len();
        if Hash::from(Sha256::digest(&bytes[..end])) != chain {
            return Err(torn("the digest of the header is another"));
        }
        let header = std::str::from_utf8(header).map_err(|_| torn("the header is no text"))?;
        Ok(Reader { bytes, header, at: end + 32, chain, block: VecDeque::new(), tear: None, is_over: false })
    }

    /// The JSON document that the journal begins with.
    pub fn header(&self) -> &'a str {
        self.header
    }

    /// Reads the next block, and notes where it tears.
    fn read_block(&mut self) {
        let mut link = Sha256::new_with_prefix(self.chain);
        let begin = self.at;
        loop {
            let read = match self.block.back() {
                _ if self.at == self.bytes.len() => Err("it breaks off here"),
                last => Frame::read(&self.bytes[self.at..]).and_then(|(frame, length)| {
                    let is_due = self.block.len() == BLOCK as usize || last.is_some_and(|last| last.kind.is_last());
                    if (frame.kind == Kind::Block) == is_due {
                        Ok((frame, length))
                    } else {
                        Err("a link of the chain is missing, or one too many")
                    }
                }),
            };
            let (frame, length) = match read {
                Ok(read) => read,
                Err(reason) => {
                    self.tear = Some(Tear { byte: self.at, reason });
                    return;
                }
            };
            if frame.kind == Kind::Block {
                let found: Hash = link.finalize().into();
                if frame.tail != found {
                    self.block.clear();
                    self.tear = Some(Tear { byte: begin, reason: "the chain does not bind this block" });
                    return;
                }
                self.chain = found;
                self.at += length;
                self.is_over = self.block.back().is_some_and(|last| last.kind.is_last());
                if self.is_over && self.at != self.bytes.len() {
                    self.tear = Some(Tear { byte: self.at, reason: "something follows the end" });
                }
                return;
            }
            link.update(&self.bytes[self.at..self.at + length]);
            self.at += length;
            self.block.push_back(frame);
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Frame, Tear>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.block.is_empty() && self.tear.is_none() && !self.is_over {
            self.read_block();
        }
        if let Some(frame) = self.block.pop_front() {
            return Some(Ok(frame));
        }
        self.is_over = true;
        self.tear.take().map(Err)
    }
}
