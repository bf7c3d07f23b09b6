//! Numbers of instruments set beside each other, for those whose bars close at one time.

use std::cmp::Ordering;

use crate::{FeatureError, MAX_WINDOW};

use super::cell::{divided, signal};

/// What is made of the numbers of all instruments; `docs/expressions.md` says what each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named in the table of the document")]
pub enum Across {
    Rank,
    Mean,
    Demean,
    Zscore,
    Scale,
    Winsorise,
    Neutralise,
    Count,
    Top,
    Bottom,
}

/// Room for one comparison after the other.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Positions of the instruments that know what is read.
    known: Vec<usize>,
    /// Their positions from the smallest number to the largest, or the other way.
    order: Vec<usize>,
    /// Distances of what is read from its mean.
    distances: [Vec<f64>; 2],
}

impl Across {
    /// The comparison of a name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "rank_across" => Self::Rank,
            "mean_across" => Self::Mean,
            "demean_across" => Self::Demean,
            "zscore_across" => Self::Zscore,
            "scale_across" => Self::Scale,
            "winsorise_across" => Self::Winsorise,
            "neutralise_across" => Self::Neutralise,
            "count_across" => Self::Count,
            "top_across" => Self::Top,
            "bottom_across" => Self::Bottom,
            _ => return None,
        })
    }

    /// How many numbers of each instrument it reads.
    pub fn inputs(self) -> usize {
        if self == Self::Neutralise { 2 } else { 1 }
    }

    /// How many numbers it is given.
    pub fn numbers(self) -> usize {
        usize::from(matches!(self, Self::Winsorise | Self::Top | Self::Bottom))
    }

    /// Whether it chooses instruments, each of which is then on.
    pub fn chooses(self) -> bool {
        matches!(self, Self::Top | Self::Bottom)
    }

    /// Its number, if it is one of its range.
    pub fn checked(self, numbers: &[f64]) -> Result<f64, FeatureError> {
        let given = numbers.first().copied().unwrap_or(0.0);
        let (fits, range) = match self {
            Self::Winsorise => ((0.0..0.5).contains(&given), "winsorise_across takes a share from 0 to below 0.5"),
            Self::Top | Self::Bottom => (
                (1.0..=MAX_WINDOW as f64).contains(&given) && given.trunc() == given,
                "top_across and bottom_across take a whole number from 1",
            ),
            _ => (true, ""),
        };
        if fits { Ok(given) } else { Err(FeatureError::Across { range, given }) }
    }

    /// The values of all instruments of one time, in order of their symbols, from what each of them knows. Only a
    /// comparison of two numbers reads `y`.
    pub fn row(self, number: f64, x: &[f64], y: &[f64], room: &mut Room, out: &mut [f64]) {
        out.fill(if self.chooses() { 0.0 } else { f64::NAN });
        let Room { known, order, distances: [distances, others] } = room;
        known.clear();
        match self {
            Self::Neutralise => known.extend((0..x.len()).filter(|&k| !(x[k].is_nan() || y[k].is_nan()))),
            _ => known.extend((0..x.len()).filter(|&k| !x[k].is_nan())),
        }
        let count = known.len() as f64;
        let Some(last) = known.len().checked_sub(1) else { return };
        match self {
            Self::Count => each(known, x, out, |_| count),
            Self::Mean => {
                let mean = total(known.iter().map(|&k| x[k])) / count;
                each(known, x, out, |_| mean);
            }
            Self::Demean => {
                let mean = total(known.iter().map(|&k| x[k])) / count;
                each(known, x, out, |own| own - mean);
            }
            Self::Scale => {
                let all = total(known.iter().map(|&k| x[k].abs()));
                each(known, x, out, |own| divided(own, all));
            }
            Self::Rank => {
                ascending(order, known, x);
                let mut below = 0;
                while below <= last {
                    let own = x[order[below]];
                    let equal = order[below..].iter().take_while(|&&k| x[k] == own).count();
                    let place = below as f64 + (equal as f64 - 1.0) / 2.0;
                    let value = if last == 0 { 0.5 } else { place / last as f64 };
                    order[below..below + equal].iter().for_each(|&k| out[k] = value);
                    below += equal;
                }
            }
            Self::Winsorise => {
                ascending(order, known, x);
                let (low, high) = (quantile(order, x, number), quantile(order, x, 1.0 - number));
                each(known, x, out, |own| {
                    if own < low {
                        low
                    } else if own > high {
                        high
                    } else {
                        own
                    }
                });
            }
            Self::Zscore => {
                let squares = scattered(distances, known, x);
                let deviation = (squares / count).sqrt();
                known.iter().zip(distances).for_each(|(&k, distance)| out[k] = divided(*distance, deviation));
            }
            Self::Neutralise => {
                scattered(distances, known, x);
                let spread = scattered(others, known, y);
                let common = total(distances.iter().zip(&*others).map(|(a, b)| a * b));
                let slope = if spread == 0.0 { 0.0 } else { common / spread };
                for ((&k, a), b) in known.iter().zip(distances).zip(others) {
                    out[k] = *a - slope * *b;
                }
            }
            Self::Top | Self::Bottom => {
                order.clone_from(known);
                // Equal numbers stay in the order of their symbols.
                order.sort_by(|&a, &b| compared(x[b], x[a]));
                let chosen = (number as usize).min(order.len());
                let first = if self == Self::Top { 0 } else { order.len() - chosen };
                order[first..first + chosen].iter().for_each(|&k| out[k] = signal(true));
            }
        }
    }

    /// The values of whole columns, of which the rows up to each end are one time.
    pub fn columns(name: &str, numbers: &[f64], ends: &[i64], columns: &[&[f64]]) -> Result<Vec<f64>, FeatureError> {
        let across = Self::named(name).ok_or_else(|| FeatureError::Unknown { name: name.into() })?;
        let rows = columns.first().map_or(0, |column| column.len());
        let fits = columns.len() == across.inputs() && numbers.len() == across.numbers();
        let covers = ends.is_sorted() && ends.last().is_none_or(|&last| last == rows as i64);
        if !fits || !covers || columns.iter().any(|column| column.len() != rows) {
            return Err(FeatureError::Times);
        }
        let number = across.checked(numbers)?;
        let (mut made, mut room, mut first) = (vec![f64::NAN; rows], Room::default(), 0);
        for &end in ends {
            let rows = first..end.max(0) as usize;
            let read = |at: usize| columns.get(at).map_or(&[][..], |column| &column[rows.clone()]);
            across.row(number, read(0), read(1), &mut room, &mut made[rows.clone()]);
            first = rows.end;
        }
        Ok(made)
    }

    /// The value of an instrument whose bar closes alone.
    #[inline]
    pub fn alone(self, x: f64, y: f64) -> f64 {
        if x.is_nan() || (self == Self::Neutralise && y.is_nan()) {
            return if self.chooses() { 0.0 } else { f64::NAN };
        }
        match self {
            Self::Rank => 0.5,
            Self::Mean => 0.0 + x,
            Self::Winsorise => x,
            // As the sum of one number has it, which is 0 for -0.
            Self::Demean => x - (0.0 + x),
            Self::Neutralise => nothing_of(x) + nothing_of(y),
            Self::Zscore => f64::NAN,
            Self::Scale => divided(x, x.abs()),
            Self::Count | Self::Top | Self::Bottom => 1.0,
        }
    }
}

/// A number less itself.
fn nothing_of(x: f64) -> f64 {
    if x.is_finite() { 0.0 } else { f64::NAN }
}

/// Gives every instrument that knows its number what is made of that.
fn each(known: &[usize], x: &[f64], out: &mut [f64], of: impl Fn(f64) -> f64) {
    known.iter().for_each(|&k| out[k] = of(x[k]));
}

fn compared(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Positions in order of their numbers, the smallest first.
fn ascending(order: &mut Vec<usize>, known: &[usize], x: &[f64]) {
    order.clear();
    order.extend_from_slice(known);
    order.sort_by(|&a, &b| compared(x[a], x[b]));
}

/// A sum from the first to the last.
fn total(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |total, value| total + value)
}

/// The number at a share of the way through an ascending order, linear between two of its ranks.
fn quantile(order: &[usize], x: &[f64], share: f64) -> f64 {
    let place = share * (order.len() - 1) as f64;
    let rank = place as usize;
    let part = place - rank as f64;
    let lower = x[order[rank]];
    if part == 0.0 { lower } else { lower + part * (x[order[rank + 1]] - lower) }
}

/// Fills in distances from the mean, and returns the sum of their squares. They are taken from the first number before, so
/// that equal numbers have exactly none.
fn scattered(distances: &mut Vec<f64>, known: &[usize], x: &[f64]) -> f64 {
    let first = x[known[0]];
    distances.clear();
    distances.extend(known.iter().map(|&k| x[k] - first));
    let mean = total(distances.iter().copied()) / known.len() as f64;
    distances.iter_mut().for_each(|distance| *distance -= mean);
    total(distances.iter().map(|distance| distance * distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Across; 10] = [
        Across::Rank,
        Across::Mean,
        Across::Demean,
        Across::Zscore,
        Across::Scale,
        Across::Winsorise,
        Across::Neutralise,
        Across::Count,
        Across::Top,
        Across::Bottom,
    ];

    #[test]
    fn one_alone_is_a_row_of_one() {
        let edges = [0.0, -0.0, 1.0, -2.5, 1e300, f64::INFINITY, f64::NAN];
        for across in ALL {
            for x in edges {
                for y in edges {
                    let mut out = [7.0];
                    across.row(
                        0.25_f64.max(f64::from(u8::from(across.chooses()))),
                        &[x],
                        &[y],
                        &mut Room::default(),
                        &mut out,
                    );
                    let alone = across.alone(x, y);
                    assert!(
                        alone.to_bits() == out[0].to_bits() || (alone.is_nan() && out[0].is_nan()),
                        "{across:?} {x} {y}"
                    );
                }
            }
        }
    }
}
