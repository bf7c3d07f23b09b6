"""The Rust engine held equal to the plain Python one, order for order, fill for fill, posting for posting."""
