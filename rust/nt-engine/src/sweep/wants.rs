//! The bars of a block at which a formula wants something of one instrument, given what it holds there.

use nt_core::Ppb;
use nt_features::graph::column::Column;

use crate::formula::{Roles, rate};

/// A bit for each bar, by the sign of what is held.
#[derive(Debug, Default)]
pub(super) struct Wants {
    flat: Vec<u64>,
    long: Vec<u64>,
    short: Vec<u64>,
}

impl Wants {
    /// Those of a block: where `formula::wish` may say something. `target` is what that was last known to be.
    pub fn take(&mut self, roles: &Roles<Option<&Column>>, has: &Roles<bool>, rows: usize, target: &mut Ppb) {
        let Wants { flat, long, short } = self;
        [&mut *flat, &mut *long, &mut *short].into_iter().for_each(Vec::clear);
        let word =
            |role: Option<&Column>, at: usize| role.and_then(|column| column.bits().get(at)).copied().unwrap_or(0);
        if has.target {
            flat.resize(rows.div_ceil(64), 0);
            for row in 0..rows {
                let Some(now) = roles.target.and_then(|column| rate(column.at(row))) else { continue };
                let asked = match has.when {
                    true => word(roles.when, row / 64) >> (row % 64) & 1 == 1,
                    // It is sent wherever it changes, so what was last known is what was last sent.
                    false => std::mem::replace(target, now) != now,
                };
                flat[row / 64] |= u64::from(asked) << (row % 64);
            }
            long.clone_from(flat);
            short.clone_from(flat);
            return;
        }
        for at in 0..rows.div_ceil(64) {
            let (exit, short_exit) = (word(roles.exit, at), word(roles.short_exit, at));
            let (enter, enter_short) = (word(roles.entry, at) & !exit, word(roles.short_entry, at) & !short_exit);
            let (enter, enter_short) = (enter & !enter_short, enter_short & !enter);
            flat.push(enter | enter_short);
            long.push(exit | enter_short);
            short.push(short_exit | enter);
        }
    }

    /// The bits of a position of this sign.
    pub fn of(&self, held: i64) -> &[u64] {
        match held.signum() {
            1 => &self.long,
            -1 => &self.short,
            _ => &self.flat,
        }
    }

    /// Whether it wants something at a bar, whatever it holds.
    pub fn any(&self, row: usize) -> bool {
        let (word, at) = (row / 64, row % 64);
        (self.flat[word] | self.long[word] | self.short[word]) >> at & 1 == 1
    }
}
