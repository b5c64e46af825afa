//! The `ringup` binary: everything is in the library.

fn main() {}
