//! nt-core
