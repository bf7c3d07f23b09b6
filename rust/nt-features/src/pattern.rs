//! What the last values look like.

use crate::Output;
use crate::feature::boxed;
use crate::kind::{Kind, SERIES, count, ratio, whole};
use crate::profile::LeftProfile;

const NEIGHBOUR: &[Output] = &[ratio("distance"), ratio("ago")];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[Kind::new(
    "left_profile",
    SERIES,
    &[count("n", 3, 1_000, 20), count("lookback", 4, 10_000, 250)],
    NEIGHBOUR,
    |given| boxed(LeftProfile::new(whole(given[0]), whole(given[1]))),
    "Distance of the last n values to the past ones most like them.",
    "Left matrix profile (Yeh and others, 2016), up to lookback rows ago, more than n / 4. NaN where the window is constant.",
)
.ordered(&[(0, 1)])];
