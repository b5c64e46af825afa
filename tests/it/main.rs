//! The whole of ringup, from outside: one binary, one module a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on says so by panicking"
)]

mod advice;
mod appliance;
mod bench;
mod boot;
mod browser;
mod cable;
mod cli;
mod config;
mod dhcp;
mod http;
mod identify;
mod inventory;
mod kill;
mod lab;
mod lists;
mod networks;
mod observe;
mod page;
mod profile;
mod reload;
mod resync;
mod run;
mod sealing;
mod sim;
mod snippet;
mod store;
mod tftp;
mod tidy;
mod values;
mod watch;
mod waves;
