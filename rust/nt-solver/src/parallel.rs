//! Work on vectors by several threads, in pieces that do not depend on how many there are.

use std::ops::Range;
use std::thread;

/// Sums are made of sums over so many values, added up in order.
const BLOCK: usize = 1 << 13;
/// Below so many items of work a thread costs more than it does.
const ITEMS_PER_THREAD: usize = 1 << 17;

/// How many threads are worth their start for so many items, of as many as the machine has.
pub fn threads_for(items: usize, most: usize) -> usize {
    (items / ITEMS_PER_THREAD).clamp(1, most.max(1))
}

/// Fills `out` block by block, and says what each block came to, in order; `block` takes where it begins, and its places.
pub fn fill_blocks<T: Send>(out: &mut [f64], threads: usize, block: impl Fn(usize, &mut [f64]) -> T + Sync) -> Vec<T> {
    let run = |first: usize, out: &mut [f64]| -> Vec<T> {
        out.chunks_mut(BLOCK).enumerate().map(|(at, piece)| block((first + at) * BLOCK, piece)).collect()
    };
    let each = out.len().div_ceil(BLOCK).div_ceil(threads.max(1)).max(1);
    let (own, others) = out.split_at_mut(out.len().min(each * BLOCK));
    thread::scope(|scope| {
        let workers: Vec<_> = others
            .chunks_mut(each * BLOCK)
            .enumerate()
            .map(|(at, piece)| {
                let run = &run;
                scope.spawn(move || run((at + 1) * each, piece))
            })
            .collect();
        let mut found = run(0, own);
        for worker in workers {
            found.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        found
    })
}

/// Fills `out` with the value at each of its places.
pub fn fill(out: &mut [f64], threads: usize, value: impl Fn(usize) -> f64 + Sync) {
    fill_blocks(out, threads, |begin, piece| {
        for (at, slot) in piece.iter_mut().enumerate() {
            *slot = value(begin + at);
        }
    });
}

/// The larger of two, and NaN once there was one; the second is seldom taken, so that nothing has to wait for it.
#[inline]
pub fn larger(most: f64, value: f64) -> f64 {
    if value <= most || most.is_nan() { most } else { value }
}

/// Results of jobs `0..count`, in order.
pub fn in_order<T: Send>(count: usize, threads: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || count <= 1 {
        return (0..count).map(job).collect();
    }
    let size = count.div_ceil(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .step_by(size)
            .map(|from| {
                let job = &job;
                scope.spawn(move || (from..(from + size).min(count)).map(job).collect::<Vec<T>>())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn of_blocks<T: Send>(length: usize, threads: usize, block: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    in_order(length.div_ceil(BLOCK), threads, |at| block(at * BLOCK..((at + 1) * BLOCK).min(length)))
}

/// The sum of products, in four lanes over each block.
pub fn dot(left: &[f64], right: &[f64], threads: usize) -> f64 {
    let block = |range: Range<usize>| {
        let mut lanes = [0.0; 4];
        let (left, right) = (&left[range.clone()], &right[range]);
        let (mut fours, mut others) = (left.chunks_exact(4), right.chunks_exact(4));
        for (a, b) in fours.by_ref().zip(others.by_ref()) {
            for lane in 0..4 {
                lanes[lane] += a[lane] * b[lane];
            }
        }
        for (lane, (a, b)) in fours.remainder().iter().zip(others.remainder()).enumerate() {
            lanes[lane] += a * b;
        }
        (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    };
    of_blocks(left.len(), threads, block).iter().fold(0.0, |sum, part| sum + part)
}

/// The sum of `|values| * units`.
pub fn weighted_sum(values: &[f64], units: &[f64], threads: usize) -> f64 {
    let block = |range: Range<usize>| {
        values[range.clone()].iter().zip(&units[range]).fold(0.0, |sum, (value, unit)| sum + value.abs() * unit)
    };
    of_blocks(values.len(), threads, block).iter().fold(0.0, |sum, part| sum + part)
}

/// The largest of `|values| * units`; NaN if one is.
pub fn weighted_max(values: &[f64], units: &[f64], threads: usize) -> f64 {
    let block = |range: Range<usize>| {
        values[range.clone()]
            .iter()
            .zip(&units[range])
            .fold(0.0, |most, (value, unit)| larger(most, value.abs() * unit))
    };
    of_blocks(values.len(), threads, block).into_iter().fold(0.0, larger)
}
