//! Diagonally dominant linear systems A x = b: whole solutions, single entries, and what is known about their error.
//!
//! Laws of this crate:
//!
//! * A system is solved only where positive weights prove that it can be: `weights` with `M(A) weights > 0`, or with
//!   `weights M(A) > 0`, for the comparison matrix `M(A)` (Ostrowski 1937). Weights of one are strict diagonal dominance by
//!   rows or by columns; other weights make the matrix an H-matrix, and are found or not within a bounded number of steps.
//! * Every answer is checked by a residual that is computed anew from the matrix. The bound on its error holds for the
//!   numbers as they are stored: the rounding of the check itself is part of it.
//! * A single entry reads the rows that it needs and no others; what was read is counted.
//! * Walks draw their numbers from a counter, and every sum has a fixed order, so that neither the number of threads nor
//!   the machine changes a bit.
//!
//! The definition that these are held against is `neural_trader.baseline.solve`, in plain Python.

mod certificate;
mod choice;
mod dominance;
mod error;
mod krylov;
mod local;
mod matrix;
mod neumann;
mod parallel;
mod push;
mod random;
mod tracked;
mod walk;

pub use certificate::{Certificate, Method, Side, certify};
pub use choice::{entry, solve};
pub use dominance::{Dominance, Kind};
pub use error::SolverError;
pub use krylov::{bicgstab, conjugate_gradient};
pub use matrix::{Index, Matrix, Owned};
pub use neumann::neumann;
pub use parallel::threads_for;
pub use push::{Entry, Forward, Question, Scratch, backward, forward};
pub use tracked::Tracked;
pub use walk::{Walks, bidirectional, walks};

/// What watches long work: takes the share done, and says whether to go on.
pub type Watch<'a> = &'a mut dyn FnMut(f64) -> bool;
