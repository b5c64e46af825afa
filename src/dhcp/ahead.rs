//! Asks the wire about addresses before anybody wants them: the driver of the stock.

use std::{convert::Infallible, net::Ipv4Addr, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    domain::{Mac, Timestamp},
    provision::Subnet,
    wire::arp::Arp,
};

use super::{addresses::Rules, port::Port, server::Shared};

/// How often it is looked whether something is to be asked: a thousand frames a second are fifty at a time.
const TICK: Duration = Duration::from_millis(50);

/// How many addresses in use are named on the page.
const NAMED: usize = 3;

/// Keeps a port's stock of addresses, as long as nobody drops it: nothing is lost by that.
pub(super) async fn stock_up(port: &Port, shared: &Shared) -> Infallible {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for address in shared.questions(port) {
            if let Err(error) = port.probe(address).await {
                tracing::debug!(%error, port = port.name, "can't ask about an address ahead");
                shared.offers().stock.remove(address);
            }
        }
    }
}

impl Shared {
    /// The addresses that the wire of a port is to be asked about now.
    fn questions(&self, port: &Port) -> Vec<Ipv4Addr> {
        let provisioner = self.service.provisioner();
        let dhcp = &provisioner.settings().dhcp;
        let own = port.own();
        let here = |subnet: &&Subnet| own.iter().any(|(own, _)| subnet.contains(*own));
        let (mut offers, state) = (self.offers(), self.service.view.read());
        // Whoever waits for the lock must not come with a time from before.
        let now = Timestamp::now();
        offers.shares.follow(&state, now);
        let rules = Rules { state: &state, own: &own, mac: None, now };
        let (stock, offered) = offers.stock_and_holders();
        let mut questions = Vec::new();
        let mut told = Vec::new();
        for subnet in dhcp.subnets.iter().filter(here) {
            if dhcp.unprobed || !port.has_link() {
                stock.clear(subnet.network);
                continue;
            }
            questions.extend(stock.due(subnet, &rules, offered));
            told.extend(stock.in_use(subnet.network));
        }
        drop(state);
        drop(offers);
        self.service.notices.set(&format!("dhcp addresses {}", port.name), in_use(&told));
        questions
    }

    /// What a port was asked counts no more: its wire is gone, and with it whoever would have answered.
    pub(super) fn forget_questions(&self, port: &Port) {
        let (own, provisioner) = (port.own(), self.service.provisioner());
        let here = |subnet: &&Subnet| own.iter().any(|(own, _)| subnet.contains(*own));
        let mut offers = self.offers();
        for subnet in provisioner.settings().dhcp.subnets.iter().filter(here) {
            offers.stock.clear(subnet.network);
        }
    }

    /// Takes in who says which address is its own.
    pub(super) fn heard(&self, arp: &Arp) {
        self.offers().stock.hear(arp.address, arp.hardware, Timestamp::now());
    }
}

/// What the operator is told about addresses of a pool that were typed in by hand.
fn in_use(found: &[(Ipv4Addr, [u8; 6])]) -> Option<String> {
    let name = |(address, hardware): &(Ipv4Addr, [u8; 6])| {
        let station =
            Mac::new(*hardware).map_or_else(|_| "nobody".to_owned(), |mac| mac.to_string());
        format!("{address} by {station}")
    };
    let named: Vec<String> = found.iter().take(NAMED).map(name).collect();
    let more = found.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| {
        format!(
            "in use without a lease, and given to nobody: {}{more}. Find who typed that in, or take it out of the pool \
             with `exclude`",
            named.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_uses_what_is_named_up_to_three() {
        let found = |count: u8| -> Vec<_> {
            (1..=count)
                .map(|last| (Ipv4Addr::new(10, 20, 0, last), [2, 0, 0, 0, 0, last]))
                .collect()
        };
        assert_eq!(in_use(&found(0)), None);
        let one = in_use(&found(1)).unwrap();
        assert!(one.contains("nobody: 10.20.0.1 by 02:00:00:00:00:01. Find"), "{one}");
        let many = in_use(&found(9)).unwrap();
        assert!(many.contains("10.20.0.3 by 02:00:00:00:00:03 and 6 more."), "{many}");
    }
}
