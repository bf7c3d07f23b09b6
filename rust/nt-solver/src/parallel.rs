//! Work on vectors by several threads, in pieces that do not depend on how many there are.

use std::ops::Range;
use std::thread;

/// Sums are made of sums over so many values, added up in order.
const BLOCK: usize = 1 << 16;
/// Below so many items of work a thread costs more than it does.
const ITEMS_PER_THREAD: usize = 1 << 17;

/// How many threads are worth their start for so many items, of as many as the machine has.
pub fn threads_for(items: usize, most: usize) -> usize {
    (items / ITEMS_PER_THREAD).clamp(1, most.max(1))
}

/// Fills `out` with the value at each of its places.
pub fn fill(out: &mut [f64], threads: usize, value: impl Fn(usize) -> f64 + Sync) {
    let run = |begin: usize, out: &mut [f64]| {
        for (at, slot) in out.iter_mut().enumerate() {
            *slot = value(begin + at);
        }
    };
    if threads <= 1 {
        return run(0, out);
    }
    let size = out.len().div_ceil(threads);
    thread::scope(|scope| {
        for (at, piece) in out.chunks_mut(size).enumerate() {
            let run = &run;
            scope.spawn(move || run(at * size, piece));
        }
    });
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
    let larger = |a: f64, b: f64| if a >= b || a.is_nan() { a } else { b };
    let block = |range: Range<usize>| {
        values[range.clone()]
            .iter()
            .zip(&units[range])
            .fold(0.0, |most, (value, unit)| larger(most, value.abs() * unit))
    };
    of_blocks(values.len(), threads, block).into_iter().fold(0.0, larger)
}
