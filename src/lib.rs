//! x
pub mod appliance;
pub mod cli;
pub mod config;
pub mod dhcp;
pub mod domain;
pub mod http;
pub mod net;
pub mod profile;
pub mod provision;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod tftp;
pub mod wire;
