//! The whole binary, against third-party programs and against itself.

mod appliance;
mod boot;
mod cable;
mod cli;
mod config;
mod http;
mod kill;
mod lab;
mod page;
mod profile;
mod run;
mod tidy;
