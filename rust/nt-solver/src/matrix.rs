//! Square matrices in compressed rows, borrowed from whoever has them.

use std::ops::Range;

use crate::SolverError;

/// A whole number that names a row, a column or a place; those of 32 and of 64 bits are read where they are.
pub trait Index: Copy + Send + Sync {
    /// The number as a place in memory; a negative one becomes too large for any.
    fn at(self) -> usize;
    /// The number for a place in memory, which must be in its range.
    fn of(place: usize) -> Self;
}

impl Index for i32 {
    #[inline(always)]
    fn at(self) -> usize {
        // Through u32, so that a negative number is large and not huge: the bounds check refuses either.
        self as u32 as usize
    }
    fn of(place: usize) -> Self {
        place as i32
    }
}

impl Index for i64 {
    #[inline(always)]
    fn at(self) -> usize {
        self as u64 as usize
    }
    fn of(place: usize) -> Self {
        place as i64
    }
}

/// A square matrix: row `i` has `columns[begins[i]..begins[i + 1]]` and as many values.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, I> {
    begins: &'a [I],
    columns: &'a [I],
    values: &'a [f64],
}

impl<'a, I: Index> Matrix<'a, I> {
    /// A matrix of arrays that are checked in one pass: its shape, its indices, its values and that no entry is twice.
    pub fn new(begins: &'a [I], columns: &'a [I], values: &'a [f64]) -> Result<Self, SolverError> {
        let malformed = |what: String| Err(SolverError::Malformed { what });
        let Some(length) = begins.len().checked_sub(1).filter(|&length| length > 0) else {
            return malformed("the matrix is empty; it needs at least one row".into());
        };
        if length >= u32::MAX as usize {
            return malformed(format!("the matrix has {length} rows; at most {} can be solved", u32::MAX - 1));
        }
        if columns.len() != values.len() {
            return malformed(format!("the matrix has {} columns for {} values", columns.len(), values.len()));
        }
        if begins[0].at() != 0 || begins[length].at() != values.len() {
            return malformed("the row pointers must begin at 0 and end at the number of values".into());
        }
        let mut seen = vec![usize::MAX; length];
        for row in 0..length {
            let (from, to) = (begins[row].at(), begins[row + 1].at());
            if from > to || to > values.len() {
                return malformed(format!("the row pointers go backwards at row {row}"));
            }
            for (column, &value) in columns[from..to].iter().zip(&values[from..to]) {
                let column = column.at();
                if column >= length {
                    return malformed(format!("row {row} has an entry beyond column {}", length - 1));
                }
                if !value.is_finite() {
                    return Err(SolverError::NotFinite { row, column, value });
                }
                if seen[column] == row {
                    return malformed(format!("row {row} has two entries in column {column}; add them up first"));
                }
                seen[column] = row;
            }
        }
        Ok(Self { begins, columns, values })
    }

    /// A matrix of arrays that have been checked before.
    pub fn checked_before(begins: &'a [I], columns: &'a [I], values: &'a [f64]) -> Self {
        Self { begins, columns, values }
    }

    /// The number of rows, which is that of columns.
    #[inline]
    pub fn len(&self) -> usize {
        self.begins.len() - 1
    }

    /// Whether there are no rows; a checked matrix has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of entries that are stored.
    #[inline]
    pub fn entries(&self) -> usize {
        self.values.len()
    }

    /// The columns and values of a row.
    #[inline(always)]
    pub fn row(&self, row: usize) -> (&'a [I], &'a [f64]) {
        let (from, to) = (self.begins[row].at(), self.begins[row + 1].at());
        (&self.columns[from..to], &self.values[from..to])
    }

    /// The columns and values of row after row.
    #[inline(always)]
    pub fn rows(&self, span: Range<usize>) -> impl Iterator<Item = (&'a [I], &'a [f64])> + use<'a, I> {
        let (columns, values) = (self.columns, self.values);
        let mut end = self.begins[span.start].at();
        self.begins[span.start + 1..=span.end].iter().map(move |next| {
            let begin = std::mem::replace(&mut end, next.at());
            (&columns[begin..end], &values[begin..end])
        })
    }

    /// The places in the array of values that belong to a row.
    pub fn places(&self, row: usize) -> std::ops::Range<usize> {
        self.begins[row].at()..self.begins[row + 1].at()
    }

    /// The entries of the diagonal, 0 where there is none.
    pub fn diagonal(&self) -> Vec<f64> {
        let of_row = |row: usize| {
            let (columns, values) = self.row(row);
            columns.iter().position(|column| column.at() == row).map_or(0.0, |at| values[at])
        };
        (0..self.len()).map(of_row).collect()
    }

    /// The matrix with rows and columns exchanged; entries of a row come in the order of their columns.
    pub fn transposed(&self) -> Owned<I> {
        let mut counts = vec![0_usize; self.len() + 1];
        for column in self.columns {
            counts[column.at() + 1] += 1;
        }
        for row in 0..self.len() {
            counts[row + 1] += counts[row];
        }
        let begins = counts.iter().map(|&place| I::of(place)).collect();
        let mut columns = vec![I::of(0); self.entries()];
        let mut values = vec![0.0; self.entries()];
        for row in 0..self.len() {
            let (own, given) = self.row(row);
            for (column, &value) in own.iter().zip(given) {
                let place = counts[column.at()];
                counts[column.at()] += 1;
                columns[place] = I::of(row);
                values[place] = value;
            }
        }
        Owned { begins, columns, values }
    }

    /// The first row where the matrix differs from its transposed, if there is one.
    pub fn first_asymmetric(&self) -> Option<usize> {
        let other = self.transposed();
        let other = other.view();
        (0..self.len()).find(|&row| {
            let (columns, values) = self.row(row);
            let mut own: Vec<(usize, f64)> =
                columns.iter().map(|column| column.at()).zip(values.iter().copied()).collect();
            own.retain(|&(_, value)| value != 0.0);
            own.sort_by_key(|&(column, _)| column);
            let (columns, values) = other.row(row);
            let theirs = columns.iter().map(|column| column.at()).zip(values.iter().copied());
            !own.into_iter().eq(theirs.filter(|&(_, value)| value != 0.0))
        })
    }
}

/// What is left of a value when the product of a row with `x` is taken from it.
#[inline(always)]
pub fn left<I: Index>((columns, values): (&[I], &[f64]), value: f64, x: &[f64]) -> f64 {
    columns.iter().zip(values).fold(value, |left, (column, value)| left - value * x[column.at()])
}

/// A matrix that owns its arrays.
#[derive(Clone, Debug)]
pub struct Owned<I> {
    begins: Vec<I>,
    columns: Vec<I>,
    /// The values, which may be changed one by one.
    pub values: Vec<f64>,
}

impl<I: Index> Owned<I> {
    /// A copy of a matrix.
    pub fn of(matrix: Matrix<'_, I>) -> Self {
        Self { begins: matrix.begins.to_vec(), columns: matrix.columns.to_vec(), values: matrix.values.to_vec() }
    }

    /// The matrix to read.
    #[inline(always)]
    pub fn view(&self) -> Matrix<'_, I> {
        Matrix { begins: &self.begins, columns: &self.columns, values: &self.values }
    }

    /// The column of a place in the array of values.
    #[inline(always)]
    pub fn column(&self, place: usize) -> usize {
        self.columns[place].at()
    }
}
