//! nt-feed
