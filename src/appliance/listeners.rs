//! The listening sockets for files and operators, each with its own task, so that one can come or go alone.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use tokio::{sync::watch, task::Id};

use crate::{
    config::Settings,
    http::{Network, Operators, OperatorsPort, Phones},
    tftp::Tftp,
};

use super::{Core, StartError};

/// What a listener does until it is over.
type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is served at an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Door {
    /// Files by TFTP.
    Tftp,
    /// Files by HTTP.
    Phones,
    /// The page and the API.
    Operators,
}

/// A socket that is bound and not served yet.
#[derive(Debug)]
enum Socket {
    Tftp(Tftp),
    Phones(Phones),
    Operators(Box<OperatorsPort>),
}

/// A listener.
#[derive(Debug)]
struct Listener {
    door: Door,
    /// As the settings say.
    asked: SocketAddr,
    /// As the system gave it.
    bound: SocketAddr,
    /// Until it is served.
    socket: Option<Socket>,
    /// Turns true when it is to let nobody in any more.
    close: watch::Sender<bool>,
    task: Option<Id>,
}

/// All listeners, and what those of one kind share.
#[derive(Debug)]
pub(super) struct Listeners {
    tftp: Tftp,
    phones: Phones,
    operators: OperatorsPort,
    open: Vec<Listener>,
}

/// Listeners that other settings want or no longer want.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Bound, and not served yet.
    new: Vec<Listener>,
    old: Vec<(Door, SocketAddr)>,
    guard: Option<Network>,
    /// What can't be done while it runs, with the reason.
    pub restart: Vec<String>,
}

impl Door {
    const ALL: [Self; 3] = [Self::Tftp, Self::Phones, Self::Operators];

    const fn name(self) -> &'static str {
        match self {
            Self::Tftp => "TFTP",
            Self::Phones => "HTTP",
            Self::Operators => "the operators' port",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Tftp => "tftp.listen",
            Self::Phones => "http.phones",
            Self::Operators => "http.operators",
        }
    }

    fn wanted(self, settings: &Settings) -> &[SocketAddr] {
        match self {
            Self::Tftp => &settings.tftp.listen,
            Self::Phones => &settings.http.phones,
            Self::Operators => &settings.http.operators,
        }
    }
}

impl Socket {
    fn address(&self) -> Option<SocketAddr> {
        let addresses = match self {
            Self::Tftp(tftp) => tftp.addresses(),
            Self::Phones(phones) => phones.addresses(),
            Self::Operators(operators) => operators.addresses(),
        };
        addresses.first().copied()
    }

    fn serve(self, close: watch::Receiver<bool>, stop: watch::Receiver<bool>) -> Serving {
        match self {
            Self::Tftp(tftp) => Box::pin(tftp.serve_until(close, stop)),
            Self::Phones(phones) => Box::pin(phones.serve_until(close, stop)),
            Self::Operators(operators) => Box::pin(operators.serve_until(close, stop)),
        }
    }
}

/// Who is let in to the operators' port by these settings.
fn network(settings: &Settings) -> Result<Network, StartError> {
    let http = &settings.http;
    let (hash, token) = (http.password_hash.clone(), http.token.as_ref());
    Ok(Network::new(hash, token, &http.hosts, &http.operators)?)
}

impl Listeners {
    /// Binds all that the settings name.
    pub fn bind(core: &Core, operators: Operators) -> Result<Self, StartError> {
        let (service, counters) = (|| Arc::clone(&core.service), || core.counters.clone());
        let mut listeners = Self {
            tftp: Tftp::bind(&[], service(), counters())?,
            phones: Phones::bind(&[], service(), counters())?,
            operators: OperatorsPort::bind(&[], operators, None, None, &[])?,
            open: Vec::new(),
        };
        listeners.operators.guard().replace(network(&core.settings)?);
        for door in Door::ALL {
            for address in door.wanted(&core.settings) {
                let listener = listeners.listener(door, *address)?;
                listeners.open.push(listener);
            }
        }
        Ok(listeners)
    }

    fn listener(&self, door: Door, asked: SocketAddr) -> Result<Listener, StartError> {
        let socket = match door {
            Door::Tftp => Socket::Tftp(self.tftp.beside(&[asked])?),
            Door::Phones => Socket::Phones(self.phones.beside(&[asked])?),
            Door::Operators => Socket::Operators(Box::new(self.operators.beside(&[asked])?)),
        };
        let bound = socket.address().unwrap_or(asked);
        let close = watch::Sender::new(false);
        Ok(Listener { door, asked, bound, socket: Some(socket), close, task: None })
    }

    /// What is bound and not served yet, as tasks; each gets its number by [`Listeners::serving`], in this order.
    pub fn waiting(&mut self, stop: &watch::Receiver<bool>) -> Vec<(&'static str, Serving)> {
        let take = |one: &mut Listener| {
            let socket = one.socket.take()?;
            Some((one.door.name(), socket.serve(one.close.subscribe(), stop.clone())))
        };
        self.open.iter_mut().filter_map(take).collect()
    }

    /// The task of the next listener that has none.
    pub fn serving(&mut self, task: Id) {
        if let Some(listener) = self.open.iter_mut().find(|one| one.task.is_none()) {
            listener.task = Some(task);
        }
    }

    /// Where phones are served by TFTP and HTTP, and operators.
    pub fn addresses(&self) -> (Vec<SocketAddr>, Vec<SocketAddr>, Vec<SocketAddr>) {
        let of = |door| {
            self.open.iter().filter(|one| one.door == door).map(|one| one.bound).collect::<Vec<_>>()
        };
        (of(Door::Tftp), of(Door::Phones), of(Door::Operators))
    }

    /// Binds what `new` wants and `old` did not. Nothing that is open changes yet.
    ///
    /// An address that an open one stands in the way of (`0.0.0.0:69` and `10.0.0.1:69`) would need that one closed
    /// first, and a request that comes in between would be lost: that is left to a restart.
    pub fn prepare(&self, old: &Settings, new: &Settings) -> Result<Moves, StartError> {
        let mut moves = Moves::default();
        if old.http != new.http {
            moves.guard = Some(network(new)?);
        }
        for door in Door::ALL {
            let wanted = door.wanted(new);
            let mut gone: Vec<&Listener> = self.open.iter().collect();
            gone.retain(|one| one.door == door && !wanted.contains(&one.asked));
            for address in wanted {
                if self.open.iter().any(|one| one.door == door && one.asked == *address) {
                    continue;
                }
                let in_the_way = self.open.iter().find(|one| clash(one.bound, *address));
                if let Some(other) = in_the_way {
                    gone.retain(|one| one.bound != other.bound);
                    moves.restart.push(format!(
                        "{}: {address} can't be taken while {} is held",
                        door.key(),
                        other.bound
                    ));
                } else {
                    moves.new.push(self.listener(door, *address)?);
                }
            }
            moves.old.extend(gone.iter().map(|one| (door, one.bound)));
        }
        Ok(moves)
    }

    /// Carries out what was prepared; the tasks whose listeners are closed now may end.
    pub fn apply(&mut self, moves: Moves) -> Vec<Id> {
        if let Some(network) = moves.guard {
            self.operators.guard().replace(network);
        }
        let mut ended = Vec::new();
        self.open.retain(|one| {
            let stays = !moves.old.contains(&(one.door, one.bound));
            if !stays {
                let _ = one.close.send(true);
                ended.extend(one.task);
            }
            stays
        });
        self.open.extend(moves.new);
        ended
    }
}

/// True if the system gives out only one of the two at a time.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (any || one.ip() == other.ip())
}
