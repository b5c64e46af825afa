//! Addresses found in use on all sides: one cause, and not one station each.

use crate::{
    domain::{Mac, Timestamp},
    store::State,
};

/// From how many phones on conflicts have one cause: addresses typed in by hand come one by one.
pub const MANY_CONFLICTS: usize = 5;

/// What that cause is, and where to look for it.
pub const CAUSE_OF_CONFLICTS: &str = "something answers ARP for everybody: look for proxy ARP on the router (`no ip \
    proxy-arp`, `no ip local-proxy-arp`) and for device tracking on the switches, which probes with the address 0.0.0.0 \
    (`device-tracking tracking auto-source`)";

/// True if so many phones found their addresses in use; `over` tells whether a moment has come. Looks at no more than it
/// takes, those whose time is longest first.
pub(super) fn are_widespread(state: &State, over: impl Fn(Timestamp) -> bool) -> bool {
    let mut phones: Vec<Mac> = Vec::new();
    for aside in state.latest_aside().take_while(|aside| !over(aside.until)) {
        if !phones.contains(&aside.by) {
            phones.push(aside.by);
        }
        if phones.len() == MANY_CONFLICTS {
            return true;
        }
    }
    false
}
