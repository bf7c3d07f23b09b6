//! nt-features
