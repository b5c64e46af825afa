//! ringup brings desk phones up.
//!
//! One binary on a voice VLAN or a staging bench serves DHCP, TFTP and HTTP, knows what each phone asked, got and should
//! ask next, and says which phone is stuck, why, and what to do.
//!
//! # Floors
//!
//! Imports point down; modules on one floor do not know each other. `tests/it/tidy.rs` enforces this table.
//!
//! | floor | modules | what it is |
//! |---|---|---|
//! | 6 | [`cli`] | one command a file |
//! | 5 | [`appliance`] | settings → everything bound → everything running; owns every task; drains |
//! | 4 | [`dhcp`] [`observe`] [`tftp`] [`http`] [`services`] (time and names) [`sip`] (NOTIFY only) [`sim`] | carriers and tools: they translate, they decide nothing about phones |
//! | 3 | [`provision`] | the one resolver, identification, inventory rules, findings, diagnosis, auto-registration, the recorder |
//! | 2 | [`store`] | state, journal, feed, backup: the only module that names sled |
//! | 1 | [`profile`] [`wire`] [`config`] [`telemetry`] [`net`] | families as data, byte formats, settings, counters, sockets |
//! | 0 | [`domain`] | the nouns and the pure rules |
//!
//! # Life of a boot
//!
//! ```text
//! dhcp::server → wire::dhcp → Provisioner::client (who is this?) → responder (what is due?)
//!    → Bind: Journal::commit → reply as its commit is fact
//! tftp | http → Service::open → resolve → identify → permitted? → body → Opened + Delivery | Refusal
//!    → blocks acknowledged: Delivery::advance → finish | drop → Recorder → Journal → State → Feed → page
//! ```
//!
//! # Invariants
//!
//! - Everything that becomes fact is a [`domain::Change`] in a [`domain::Batch`], through [`store::Journal::commit`]:
//!   agree (durable), apply (in memory), announce (feed). [`store::State::apply`] is the only writer.
//! - An ACK leaves only after its lease is on disk (RFC 2131 §3.1). The loop never waits for the disk with the next
//!   datagram unread.
//! - A stage is a fold over a phone's events ([`domain::Boot`]), never a field that code sets.
//! - A batch may claim that an address, a number or a place in the list is free; the writer checks it, so that two
//!   batches can't both find it free. Nothing else decides who owns what.
//! - A file goes to a phone through one door, [`provision::Service::open`]; whoever carries it reports its end exactly
//!   once, on drop.
//! - Findings and diagnoses are functions of facts and the time. They are never stored, so they are never stale.
//! - Deciders take the time as an argument and do no I/O. Sockets, clocks and tasks live in few driver files.
//! - Everything that a peer can make grow has a bound, and the bound's documentation says what happens there.
//! - A reload checks and binds everything first and waits for nothing after that: all of it is in force, or nothing of
//!   it. Who holds the old resolver finishes with it; whoever keeps something of the settings follows
//!   [`provision::Service::replaced`].
//! - Secrets are [`domain::Secret`]: they print as `••••` and leave only inside a file for their own phone, or for an
//!   operator who asks.
//!
//! # Commit numbers
//!
//! Each phone and each lease carries the number of the last commit that changed it. A watcher of the event stream that
//! shows its last number is sent the present form of everything changed since, after a restart too: no ring of old
//! events is kept for it.
//!
//! # Deliberately absent
//!
//! No build script, no Cargo features, no front-end build, no plugin interface: a family is a folder of data. The crate
//! `async-tftp` is a development dependency only: it is the baseline in `tests/bench/`. The SIP and SCCP registrars
//! are not here yet; their place is floor 4. `sip` sends one NOTIFY at a time to phones that an operator wants to come
//! again, and hears nobody but whom it asked.
//!
//! # Dependencies
//!
//! `Cargo.toml` names the reason for each. sled is named in `store` alone, dhcproto in `wire`, axum in `http`, minijinja
//! and quick-xml in `profile`, hickory-proto in `services`, clap in `cli`.

pub mod appliance;
pub mod cli;
pub mod config;
pub mod dhcp;
pub mod domain;
pub mod http;
pub mod net;
pub mod observe;
pub mod profile;
pub mod provision;
pub mod services;
pub mod sim;
pub mod sip;
pub mod store;
pub mod telemetry;
pub mod tftp;
pub mod wire;
