//! The whole of ringup, from outside: one binary, one module a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on says so by panicking"
)]

mod inventory;
mod profile;
mod store;
mod tftp;
mod tidy;
