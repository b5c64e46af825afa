//! The whole binary, against third-party programs and against itself.

mod appliance;
mod boot;
mod cable;
mod cli;
mod config;
mod kill;
mod lab;
mod profile;
mod run;
mod tidy;
