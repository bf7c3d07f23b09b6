//! nt-engine
