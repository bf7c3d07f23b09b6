//! Digests of a run's inputs, orders, fills and postings (docs/fill-rules.md, section 10).

use nt_core::record::EVENT_BYTES;
use nt_core::{Bars, Error, Fill, Instrument, Nanos, Order, Record, Result, TimeInForce, Trail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::account::{AccountKind, AccountTerms, Worth};
use crate::ledger::Posting;
use crate::replay::Placed;
use crate::source::{Role, Source};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Digest of the instruments and all their bars, of which any number may be added at a time.
#[derive(Debug, Clone)]
pub struct Inputs {
    columns: Vec<[Column; 8]>,
    /// What the first bars have to be, where somebody has seen them before.
    expected: Vec<Option<Prefix>>,
}

/// The first bars of an instrument: how many, and their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    rows: u64,
    digest: Hash,
}

#[derive(Debug, Clone, Default)]
struct Column {
    rows: u64,
    hasher: Sha256,
}

impl Inputs {
    /// Of so many instruments, without bars yet.
    pub fn new(instruments: usize) -> Self {
        Inputs { columns: vec![Default::default(); instruments], expected: vec![None; instruments] }
    }

    /// Of all bars of each instrument.
    pub fn of(bars: &[Bars<'_>]) -> Self {
        let mut inputs = Inputs::new(bars.len());
        for (instrument, bars) in bars.iter().enumerate() {
            inputs.take(instrument, bars);
        }
        inputs
    }

    /// Takes in the next bars of an instrument. It is an error if they are not those that are expected.
    pub fn add(&mut self, instrument: usize, bars: &Bars<'_>) -> Result<()> {
        let rows = self.columns[instrument][0].rows;
        let missing = self.expected[instrument].map(|prefix| prefix.rows - rows);
        let (first, rest) = match missing {
            Some(missing) if missing <= bars.len() as u64 => bars.split_at(missing as usize),
            _ => (*bars, bars.split_at(bars.len()).1),
        };
        self.take(instrument, &first);
        if missing.is_some_and(|missing| missing == first.len() as u64) {
            self.check(instrument)?;
        }
        self.take(instrument, &rest);
        Ok(())
    }

    fn take(&mut self, instrument: usize, bars: &Bars<'_>) {
        for (column, values) in self.columns[instrument].iter_mut().zip(bars.columns()) {
            column.add(values);
        }
    }

    /// How many bars of each instrument there are, and their digests.
    pub fn prefixes(&self) -> Vec<Prefix> {
        let of = |columns: &[Column; 8]| {
            let mut hasher = Sha256::new();
            columns.iter().for_each(|column| hasher.update(column.digest()));
            Prefix { rows: columns[0].rows, digest: hasher.finalize().into() }
        };
        self.columns.iter().map(of).collect()
    }

    /// Makes bars be refused that do not begin with these; there are none yet.
    pub fn expect(&mut self, prefixes: Vec<Prefix>) -> Result<()> {
        if prefixes.len() != self.columns.len() {
            return Err(Error::Misuse("the snapshot is of other instruments".into()));
        }
        self.expected = prefixes.into_iter().map(|prefix| Some(prefix).filter(|prefix| prefix.rows > 0)).collect();
        Ok(())
    }

    /// Takes note that no more bars of an instrument will come.
    pub fn end(&mut self, instrument: usize) -> Result<()> {
        if self.expected[instrument].is_some() { self.check(instrument) } else { Ok(()) }
    }

    fn check(&mut self, instrument: usize) -> Result<()> {
        let found = self.prefixes()[instrument];
        match self.expected[instrument].take() {
            Some(expected) if expected != found => {
                Err(Error::Misuse("the bars are not those that the snapshot was made of".into()))
            }
            _ => Ok(()),
        }
    }

    /// The digest of what has been added.
    pub fn digest(&self, instruments: &[&Instrument], account: Option<&AccountTerms>) -> Hash {
        let mut hasher = Sha256::new();
        for (instrument, columns) in instruments.iter().zip(&self.columns) {
            described(&mut hasher, instrument);
            hasher.update(columns[0].rows.to_le_bytes());
            for column in columns {
                hasher.update(column.digest());
            }
        }
        account_terms(&mut hasher, account);
        hasher.finalize().into()
    }
}

impl Column {
    fn add(&mut self, values: &[i64]) {
        self.rows += values.len() as u64;
        let mut bytes = [0; 8 * 512];
        for chunk in values.chunks(512) {
            for (value, slot) in chunk.iter().zip(bytes.chunks_exact_mut(8)) {
                slot.copy_from_slice(&value.to_le_bytes());
            }
            self.hasher.update(&bytes[..8 * chunk.len()]);
        }
    }

    fn digest(&self) -> Hash {
        if self.rows == 0 { [0; 32] } else { self.hasher.clone().finalize().into() }
    }
}

/// Digest of the instruments and all their bars.
pub fn inputs(instruments: &[&Instrument], bars: &[Bars<'_>], account: Option<&AccountTerms>) -> Hash {
    Inputs::of(bars).digest(instruments, account)
}

/// Digest of the instruments and records of a replay (docs/book-rules.md, section 11).
pub fn recorded_inputs(instruments: &[&Instrument], sources: &[Source<'_>], account: Option<&AccountTerms>) -> Hash {
    let mut hasher = Sha256::new();
    for instrument in instruments {
        described(&mut hasher, instrument);
    }
    for source in sources {
        if let Some((rank, bars)) = source.bars() {
            of_bars(&mut hasher, rank, &bars);
            continue;
        }
        hasher.update((source.len() as u64).to_le_bytes());
        let mut records = Sha256::new();
        let mut bytes = [0; EVENT_BYTES * 128];
        for chunk in source.words().chunks(128) {
            for (record, slot) in chunk.iter().zip(bytes.chunks_exact_mut(EVENT_BYTES)) {
                slot.copy_from_slice(&Record::of_words(record).to_bytes());
            }
            records.update(&bytes[..EVENT_BYTES * chunk.len()]);
        }
        hasher.update(records.finalize());
        let more = match source.role() {
            Role::Both => 0,
            Role::Venue => 1 << 14,
            Role::Here => 1 << 15,
        };
        hasher.update((source.ranks().len() as u16 + more).to_le_bytes());
        for rank in source.ranks() {
            hasher.update(rank.to_le_bytes());
        }
    }
    account_terms(&mut hasher, account);
    hasher.finalize().into()
}

fn of_bars(hasher: &mut Sha256, rank: usize, bars: &Bars<'_>) {
    hasher.update((bars.len() as u64).to_le_bytes());
    for values in bars.columns() {
        let mut column = Column::default();
        column.add(values);
        hasher.update(column.digest());
    }
    hasher.update(1_u16.to_le_bytes());
    hasher.update((rank as i16).to_le_bytes());
}

/// What an account is beyond the usual; nothing where it is usual, so that usual runs need not know of it.
fn account_terms(hasher: &mut Sha256, account: Option<&AccountTerms>) {
    let Some(account) = account.filter(|account| **account != AccountTerms::default()) else { return };
    text(hasher, "account");
    text(hasher, if account.kind == AccountKind::Cash { "cash" } else { "margin" });
    hasher.update((account.contracts.len() as u32).to_le_bytes());
    for contract in &account.contracts {
        text(hasher, contract.settlement.name());
        hasher.update(contract.currency.to_le_bytes());
        hasher.update(contract.size.mantissa.to_le_bytes());
        hasher.update([contract.size.decimals]);
        hasher.update(contract.maintenance.to_le_bytes());
        hasher.update(contract.liquidation.to_le_bytes());
    }
    hasher.update((account.currencies.len() as u32).to_le_bytes());
    for currency in &account.currencies {
        text(hasher, &currency.code);
        hasher.update(currency.deposit.to_le_bytes());
        let (rate, instrument) = match currency.worth {
            Worth::Constant(rate) => (rate, -1),
            Worth::Mark(k) => (0, k as i32),
        };
        hasher.update(rate.to_le_bytes());
        hasher.update(instrument.to_le_bytes());
    }
    hasher.update((account.tiers.len() as u32).to_le_bytes());
    hasher.update((account.start_tier as u32).to_le_bytes());
    for tier in &account.tiers {
        hasher.update(tier.volume.to_le_bytes());
        hasher.update(tier.maker.to_le_bytes());
        hasher.update(tier.taker.to_le_bytes());
    }
    hasher.update(account.interest.to_le_bytes());
    hasher.update(account.borrow.to_le_bytes());
    hasher.update((account.funding.len() as u64).to_le_bytes());
    for row in &account.funding {
        hasher.update(row.time_ns.to_le_bytes());
        hasher.update((row.instrument as u32).to_le_bytes());
        hasher.update(row.rate.to_le_bytes());
        hasher.update(row.mark.to_le_bytes());
    }
}

fn described(hasher: &mut Sha256, instrument: &Instrument) {
    text(hasher, &instrument.symbol);
    for step in [instrument.tick, instrument.lot] {
        hasher.update(step.mantissa.to_le_bytes());
        hasher.update([step.decimals]);
    }
}

/// Digest of all orders.
pub fn orders(orders: &[Order]) -> Hash {
    digest(orders, encode_order)
}

/// Digest of all orders of a replay, with what is kept of them beside.
pub fn placed_orders(orders: &[Order], placed: &[Placed]) -> Hash {
    digest(orders.iter().zip(placed), |(order, placed), record| {
        encode_order(order, record);
        record.push(u8::from(placed.terms.post_only) | u8::from(order.reduce_only) << 1);
        record.extend_from_slice(&placed.terms.display.unwrap_or(0).to_le_bytes());
        record.extend_from_slice(&placed.accept_ns.unwrap_or(Nanos::MIN).to_le_bytes());
    })
}

fn encode_order(order: &Order, record: &mut Vec<u8>) {
    let (time_in_force, expire_ns) = match order.time_in_force {
        TimeInForce::GoodTillCancelled => (0_u8, 0),
        TimeInForce::GoodTillDate(expire_ns) => (1, expire_ns),
        TimeInForce::Day => (2, 0),
        TimeInForce::ImmediateOrCancel => (3, 0),
        TimeInForce::FillOrKill => (4, 0),
    };
    let (trail_ticks, trail_share) = match order.trail {
        None => (0, 0),
        Some(Trail::Ticks(ticks)) => (ticks, 0),
        Some(Trail::Share(share)) => (0, share),
    };
    for number in [order.id, order.parent, order.instrument] {
        record.extend_from_slice(&number.to_le_bytes());
    }
    record.extend_from_slice(&[order.side as u8, order.kind as u8, time_in_force]);
    for number in
        [expire_ns, order.quantity, order.limit, order.stop, trail_ticks, trail_share, order.filled, order.cancelled]
    {
        record.extend_from_slice(&number.to_le_bytes());
    }
    record.extend_from_slice(&[order.state as u8, order.reason as u8]);
    record.extend_from_slice(&order.submit_ns.to_le_bytes());
}

/// Digest of all fills.
pub fn fills(fills: &[Fill]) -> Hash {
    digest(fills, |fill, record| {
        record.extend_from_slice(&fill.order.to_le_bytes());
        record.extend_from_slice(&fill.instrument.to_le_bytes());
        record.push(fill.side as u8);
        for number in [fill.quantity, fill.price, fill.reference] {
            record.extend_from_slice(&number.to_le_bytes());
        }
        for amount in [fill.fee, fill.slippage] {
            record.extend_from_slice(&amount.to_le_bytes());
        }
        record.push(u8::from(fill.maker));
        record.extend_from_slice(&fill.time_ns.to_le_bytes());
    })
}

/// Digest of all postings.
pub fn postings(postings: impl Iterator<Item = Posting>) -> Hash {
    digest(postings, |posting, record| {
        record.extend_from_slice(&posting.transaction.to_le_bytes());
        record.push(posting.account as u8);
        record.extend_from_slice(&posting.instrument.to_le_bytes());
        record.extend_from_slice(&posting.unit.to_le_bytes());
        record.extend_from_slice(&posting.amount.to_le_bytes());
    })
}

/// Digest of text, such as a run's parameters.
pub fn of_text(content: &str) -> Hash {
    Sha256::digest(content.as_bytes()).into()
}

/// The run hash: what binds a version and the five digests together.
pub fn run_hash(version: &str, parts: &[Hash; 5]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(b"neural-trader run 1\n");
    text(&mut hasher, version);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn text(hasher: &mut Sha256, content: &str) {
    hasher.update((content.len() as u32).to_le_bytes());
    hasher.update(content.as_bytes());
}

fn digest<T>(records: impl IntoIterator<Item = T>, encode: impl Fn(T, &mut Vec<u8>)) -> Hash {
    let mut hasher = Sha256::new();
    let mut record = Vec::with_capacity(128);
    for item in records {
        record.clear();
        encode(item, &mut record);
        hasher.update(&record);
    }
    hasher.finalize().into()
}
