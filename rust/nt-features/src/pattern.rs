//! What the last values look like.

use crate::feature::boxed;
use crate::kind::{Kind, List, RATIO, SERIES, count, ratio, real, whole};
use crate::profile::LeftProfile;
use crate::warping::Warping;
use crate::{LARGEST, Output};

const NEIGHBOUR: &[Output] = &[ratio("distance"), ratio("ago")];

/// The rows of this family.
pub(crate) const KINDS: &[Kind] = &[
    Kind::new(
        "dtw",
        SERIES,
        &[count("n", 0, 10_000, 0), count("band", 0, 10_000, 2), real("most", 0.0, LARGEST, LARGEST)],
        RATIO,
        |given| boxed(Warping::new(given)),
        "Distance by dynamic time warping of the last values to a template.",
        "Sakoe and Chiba, 1978; both less their means and over their deviations. A template of fewer than n points is stretched to n values; what is beyond most is given as that, and pruned (Rakthanmanon and others, 2012). NaN where the window is constant.",
    )
    .with(List { name: "template", most: 10_000, default: &[1.0, 0.0, 1.0, 0.0, 1.0] }),
    Kind::new(
    "left_profile",
    SERIES,
    &[count("n", 3, 1_000, 20), count("lookback", 4, 10_000, 250)],
    NEIGHBOUR,
    |given| boxed(LeftProfile::new(whole(given[0]), whole(given[1]))),
    "Distance of the last n values to the past ones most like them.",
    "Left matrix profile (Yeh and others, 2016), up to lookback rows ago, more than n / 4. NaN where the window is constant.",
)
.ordered(&[(0, 1)]),
];
