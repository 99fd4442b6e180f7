//! Netloom.
fn main() {}
