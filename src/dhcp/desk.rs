//! Who serves which place: a task for each, started, stopped and waited for as the settings and the system have it.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{
    net::Interface,
    provision::{Dhcp as DhcpSettings, DhcpMode},
};

use super::{
    DhcpError,
    ahead::stock_up,
    port::Port,
    server::{End, Shared, hear, listen, stopped},
};

/// How often it is tried whether a place can be served by now.
const AGAIN: Duration = Duration::from_secs(1);

/// Where messages come in.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Place {
    /// An interface, by name.
    Interface(String),
    /// A listener for relays.
    Relays(SocketAddr),
}

/// The places that these settings want served.
pub(super) fn wanted(dhcp: &DhcpSettings) -> Vec<Place> {
    // An observer binds nothing: it reads frames.
    if dhcp.mode != DhcpMode::Serve {
        return Vec::new();
    }
    let interfaces = dhcp.interfaces.iter().cloned().map(Place::Interface);
    interfaces.chain(dhcp.relay_listen.map(Place::Relays)).collect()
}

impl Place {
    /// Opens it.
    pub fn open(&self) -> Result<Port, DhcpError> {
        match self {
            Self::Interface(name) => Port::on_interface(name),
            Self::Relays(listen) => Port::for_relays(*listen),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => f.write_str(name),
            Self::Relays(listen) => listen.fmt(f),
        }
    }
}

impl Shared {
    /// Puts on the page, or takes off it, what is wrong with a place; each change goes to the log once.
    pub(super) fn notice(&self, place: &str, text: Option<String>) {
        let told = text.clone();
        if self.service.notices.set(&format!("dhcp {place}"), text) {
            if let Some(text) = told {
                tracing::warn!("{text}");
            } else {
                tracing::info!("DHCP is served on {place} now");
            }
        }
    }

    /// Says that a place is waited for, and why.
    pub(super) fn waits_for(&self, place: &Place, error: &DhcpError) {
        let text = format!("DHCP waits for {place}: {error}");
        self.notice(&place.to_string(), Some(text));
    }
}

/// The tasks, one for each place.
#[derive(Debug)]
pub(super) struct Desk {
    shared: Arc<Shared>,
    /// Turns true where a place is to be left.
    places: BTreeMap<Place, watch::Sender<bool>>,
    tasks: JoinSet<()>,
}

impl Desk {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, places: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Serves a place from now on.
    pub fn attend(&mut self, place: Place, port: Option<Port>) {
        let (leave, left) = watch::channel(false);
        self.tasks.spawn(attend(place.clone(), port, Arc::clone(&self.shared), left));
        self.places.insert(place, leave);
    }

    /// Does what the settings say now: places that are new are opened as soon as they can be, others are left.
    pub fn follow(&mut self) {
        let wanted = wanted(&self.shared.service.provisioner().settings().dhcp);
        self.places.retain(|place, leave| {
            let stays = wanted.contains(place);
            // The task may have ended by itself: then there is nobody to tell.
            let _ = leave.send(!stays);
            stays
        });
        for place in wanted {
            if !self.places.contains_key(&place) {
                self.attend(place, None);
            }
        }
    }

    /// Waits for a task to end; true if it broke. Cancel-safe; never returns while there is none.
    pub async fn ended(&mut self) -> bool {
        match self.tasks.join_next().await {
            Some(Ok(())) => false,
            Some(Err(error)) => {
                tracing::error!(%error, "a DHCP port broke");
                true
            }
            None => std::future::pending().await,
        }
    }

    /// Leaves all places and waits for the replies that still wait for the disk.
    pub async fn close(mut self) {
        for leave in self.places.values() {
            let _ = leave.send(true);
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Serves one place until it is to be left, however often its interface comes and goes.
async fn attend(
    place: Place,
    mut port: Option<Port>,
    shared: Arc<Shared>,
    mut leave: watch::Receiver<bool>,
) {
    loop {
        let open = match port.take() {
            Some(port) => Some(port),
            None => opened(&place, &shared, &mut leave).await,
        };
        let Some(port) = open else { break };
        let port = Arc::new(port);
        // Ends with the port.
        let mut ears = JoinSet::new();
        ears.spawn(hear(Arc::clone(&port), Arc::clone(&shared)));
        let end = tokio::select! {
            end = listen(Arc::clone(&port), Arc::clone(&shared), leave.clone()) => end,
            // Dropped with the port: what was asked is no fact.
            never = stock_up(&port, &shared) => match never {},
        };
        shared.forget_questions(&port);
        if end == End::Stopped {
            break;
        }
    }
    for about in [format!("dhcp {place}"), format!("dhcp addresses {place}")] {
        shared.service.notices.set(&about, None);
    }
}

/// Waits until a place can be opened; `None` if it is to be left first. Cancel-safe.
async fn opened(place: &Place, shared: &Shared, leave: &mut watch::Receiver<bool>) -> Option<Port> {
    while !*leave.borrow() {
        match place.open() {
            Ok(port) => {
                shared.notice(&place.to_string(), None);
                return Some(port);
            }
            Err(error) => shared.waits_for(place, &error),
        }
        tokio::select! {
            () = stopped(leave) => {}
            () = sleep(AGAIN) => {}
        }
    }
    None
}

/// Checks that each of these interfaces exists.
///
/// # Errors
///
/// [`DhcpError::NoSuchInterface`].
pub fn all_there(interfaces: &[String]) -> Result<(), DhcpError> {
    // What can't be read now is tried again where it is opened.
    let there: Vec<String> =
        Interface::all().unwrap_or_default().into_iter().map(|found| found.name).collect();
    match interfaces.iter().find(|name| !there.contains(name)) {
        Some(name) if !there.is_empty() => {
            Err(DhcpError::NoSuchInterface { name: name.clone(), there: there.join(", ") })
        }
        _ => Ok(()),
    }
}
