//! Thousands of simulated phones against any server, and what that says of the server.
//!
//! `cast` decides who takes part, `run` switches them on, `phone` is one of them, `hub` the way to DHCP that they share,
//! `ground` what may be touched, `pace` how fast; `record` is what comes out.

mod cast;
mod ground;
mod hub;
mod pace;
mod phone;
mod record;
mod run;

pub use cast::{Faults, Mix, like, mixed};
pub use ground::{Reach, own_address};
pub use record::{Cause, Counts, QUANTILES, Record, duplicates, quantile, sorted};
pub use run::Storm;

pub use super::fetch::Loss;

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use super::{Network, Subject};

/// What a storm is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The DHCP server.
    pub server: SocketAddrV4,
    /// On which ports files are asked for.
    pub ports: Network,
    /// How the phones reach it.
    pub means: Means,
    /// The phones.
    pub phones: Vec<Phone>,
    /// Over which time they are switched on.
    pub arrive: Duration,
    /// The most requests a second: DHCP messages and files.
    pub rate: u32,
    /// How many datagrams are lost each way.
    pub loss: Loss,
    /// Any server may be asked, however far away.
    pub anywhere: bool,
    /// What chance begins with.
    pub seed: u64,
}

/// How a storm reaches its server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Means {
    /// Through a relay at this address of this machine.
    Relay {
        /// The relay's address.
        address: Ipv4Addr,
        /// The interface that has it takes the leased addresses for that time.
        take: bool,
    },
    /// As stations with their own MACs on the interface of this name.
    Interface(String),
}

/// One phone of a storm.
#[derive(Clone, Debug)]
pub struct Phone {
    /// What it is.
    pub subject: Subject,
    /// The number that its own files are to hold; empty if nobody says.
    pub number: String,
    /// It goes through its cycle once: who rehearses wants to know what is there, not how often a phone looks.
    pub once: bool,
    /// Its power is cut once.
    pub cut: bool,
    /// It is not expected to get there.
    pub spoilt: bool,
}

/// What became of a storm.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The phones.
    pub phones: Vec<Phone>,
    /// Their records, in the same order.
    pub records: Vec<Record>,
    /// What they did together.
    pub counts: Counts,
    /// How long it took.
    pub took: Duration,
}

/// Why a storm can't begin.
#[derive(Debug, thiserror::Error)]
pub enum StormError {
    /// The interfaces can't be read.
    #[error("can't read this machine's interfaces: {0}")]
    Interfaces(#[source] io::Error),
    /// The server is behind a router.
    #[error("{0} is on no network that this machine is attached to")]
    Far(Ipv4Addr),
    /// There is no such interface.
    #[error("there is no interface `{0}`")]
    NoInterface(String),
    /// The relay's address can't be used.
    #[error("can't relay from {0}: {1}")]
    Relay(Ipv4Addr, #[source] io::Error),
    /// Frames can't be sent or heard.
    #[error("can't send frames on {0}: {1}")]
    Frames(String, #[source] io::Error),
}
