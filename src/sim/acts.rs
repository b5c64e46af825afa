//! Phones that do what they are told, one thing after another: what breaks in a boot has to be shown packet by packet.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::{
    Subject, Way,
    client::{self, Answer, Grant, Server},
    fetch::{self, Line},
    phone::{Kept, Network, Relay, lease},
    script::{Reached, Read},
};

/// One thing that a phone does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// Nothing, for so many seconds.
    Waits(u64),
    /// Looks for an address and takes none.
    Discovers,
    /// The same somewhere else at the same time, as a second device with its MAC does.
    DiscoversElsewhere,
    /// Looks for an address and takes the one that another server offers.
    TakesAnother(Ipv4Addr),
    /// Asks to keep an address that it brought along.
    Keeps(Ipv4Addr),
    /// Gets an address: the one of before, if it had one.
    Leases,
    /// Finds that somebody uses that address.
    Declines,
    /// Asks for a file by TFTP; `{mac}` and `{MAC}` stand for its own.
    Asks(&'static str),
    /// Asks for a file and reads no more of it than its first block.
    Stops(&'static str),
    /// Asks for a file and refuses it after its first block, with an error message.
    Refuses(&'static str),
    /// Boots as its family does. Nothing comes behind it.
    Boots,
}

/// How far away the relay of a second device with the same MAC is.
const ELSEWHERE: u32 = 4096;

/// What it holds while it acts.
#[derive(Debug, Default)]
struct Held {
    grant: Option<Grant>,
    reached: Option<Reached>,
}

/// Does all of it; `None` where the last act is to boot.
pub(super) async fn perform(
    acts: &[Act],
    subject: &Subject,
    network: &Network,
    kept: &mut Kept,
) -> Option<Reached> {
    let mut held = Held::default();
    for act in acts {
        if *act == Act::Boots {
            return None;
        }
        // What comes of it is the server's to tell: a phone that gets no answer goes on all the same.
        let _ = held.act(*act, subject, network, kept).await;
    }
    Some(held.reached.unwrap_or(Reached::NoAddress))
}

impl Held {
    async fn act(
        &mut self,
        act: Act,
        subject: &Subject,
        network: &Network,
        kept: &mut Kept,
    ) -> Option<()> {
        match act {
            Act::Waits(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Act::Discovers => drop(discover(subject, network).await),
            Act::DiscoversElsewhere => {
                let relay = Ipv4Addr::from(u32::from(subject.way.relay()) + ELSEWHERE);
                let twin = Subject { way: Way::OddPort(relay), ..subject.clone() };
                drop(discover(&twin, network).await);
            }
            Act::TakesAnother(server) => {
                let (relay, offer) = discover(subject, network).await?;
                relay.tell(&client::request_of(subject, relay.xid, &offer, server)).await?;
            }
            Act::Keeps(address) => {
                let relay = Relay::open(subject, network).await.ok()?;
                relay.exchange(|xid| client::reboot(subject, xid, address)).await?;
            }
            Act::Leases => {
                let grant = lease(subject, network, kept.address).await?;
                kept.address = Some(grant.address);
                self.grant = Some(grant);
                self.reached = Some(Reached::Leased);
            }
            Act::Declines => {
                let relay = Relay::open(subject, network).await.ok()?;
                relay.tell(&client::decline(subject, relay.xid, self.grant.as_ref()?)).await?;
                kept.address = None;
            }
            Act::Asks(name) => self.asks(name, Read::Whole, subject, network).await?,
            Act::Stops(name) => self.asks(name, Read::Start(1), subject, network).await?,
            Act::Refuses(name) => self.asks(name, Read::Refused, subject, network).await?,
            Act::Boots => {}
        }
        Some(())
    }

    async fn asks(
        &mut self,
        name: &str,
        read: Read,
        subject: &Subject,
        network: &Network,
    ) -> Option<()> {
        let grant = self.grant.as_ref()?;
        let servers = [grant.cisco_server(), grant.poly_server(), grant.yealink_server()];
        let host = servers.into_iter().flatten().next()?;
        let (Server::Tftp(host) | Server::Ftp(host) | Server::Http { host, .. }) = host;
        let name =
            name.replace("{mac}", &subject.mac.lower()).replace("{MAC}", &subject.mac.upper());
        let server = SocketAddr::from((host, network.tftp));
        fetch::by_tftp(&Line::near(grant.address, server), &name, None, read).await;
        self.reached = Some(Reached::Asked);
        Some(())
    }
}

/// A DISCOVER and its offer.
async fn discover<'a>(subject: &'a Subject, network: &Network) -> Option<(Relay<'a>, Grant)> {
    let relay = Relay::open(subject, network).await.ok()?;
    match relay.exchange(|xid| client::discover(subject, xid)).await {
        Some(Answer::Offer(offer)) => Some((relay, offer)),
        Some(Answer::Ack(_) | Answer::Nak) | None => None,
    }
}
