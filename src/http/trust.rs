//! Whom the operators' router trusts: host names, origins, passwords and tokens.

mod lockout;
mod origin;
mod session;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use argon2::{
    Argon2,
    password_hash::{PasswordVerifier, phc::PasswordHash},
};
use axum::http::{HeaderMap, Method, StatusCode, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking, time::Instant};

use crate::domain::Secret;

use super::{HttpError, api::AccessView};

use lockout::Lockout;
use origin::{authority, is_cross_site, same_origin};
use session::{Sessions, Shown};

/// Password checks that may run at a time: each takes 19 MiB and tens of milliseconds of one core.
const CHECKS_AT_A_TIME: usize = 2;

/// Whom a router trusts.
#[derive(Clone, Debug)]
pub enum Trust {
    /// A unix socket: whoever may open the file is an operator.
    Socket,
    /// A network address.
    Network(Guard),
}

/// Lets callers in by rules that can be replaced while it stands there. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Guard(Arc<RwLock<Arc<Network>>>);

impl Guard {
    /// With these rules.
    #[must_use]
    pub fn new(network: Network) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(network))))
    }

    /// Puts other rules in force: for requests that come from now on, also over connections that are open. Who is logged
    /// in stays so unless the password is another one.
    pub fn replace(&self, mut network: Network) {
        let mut rules = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if rules.password_hash == network.password_hash {
            network.sessions = Arc::clone(&rules.sessions);
        }
        *rules = Arc::new(network);
    }

    /// The rules in force.
    pub(super) fn network(&self) -> Arc<Network> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a caller on the network has to show.
#[derive(Debug)]
pub struct Network {
    password_hash: Option<Secret>,
    token: Option<Digested>,
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
    lockout: Mutex<Lockout>,
    checks: Semaphore,
    /// The last password that was right, so that a page's twenty requests cost one Argon2 and not twenty.
    proven: Mutex<Option<Digested>>,
    salt: [u8; 32],
    sessions: Arc<Sessions>,
}

/// A text under this process's own salt: to compare without telling by the time taken where two texts differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Digested([u8; 32]);

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// The Host header names a host that this is not (421): a foreign name that resolves to us may be a rebound one.
    Host,
    /// Another site's page asks (403).
    Origin,
    /// A logged-in browser changes something without the token of its session (403).
    Token,
    /// No credentials, or wrong ones (401).
    Credentials,
    /// Too many wrong ones (429).
    LockedOut,
}

impl Denied {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin | Self::Token => StatusCode::FORBIDDEN,
            Self::Credentials => StatusCode::UNAUTHORIZED,
            Self::LockedOut => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The reason, with what to do about it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Host => {
                "this host name is not ringup's; add it to `[http] hosts` in the settings if it should be"
            }
            Self::Origin => "a page of another site may not do this",
            Self::Token => "this page is out of date: load it again",
            Self::Credentials => "a password or token is needed",
            Self::LockedOut => "too many wrong passwords from this address; wait a minute",
        }
    }

    /// The name of its counter.
    #[must_use]
    pub const fn counter(self) -> &'static str {
        match self {
            Self::Host => "denied-host",
            Self::Origin => "denied-origin",
            Self::Token => "denied-token",
            Self::Credentials => "denied-credentials",
            Self::LockedOut => "denied-locked-out",
        }
    }
}

impl Network {
    /// What callers of a port bound to `addresses` have to show.
    ///
    /// # Errors
    ///
    /// [`HttpError::NoPassword`] where an address that is not loopback has neither password nor token, and
    /// [`HttpError::BadHash`].
    pub fn new(
        password_hash: Option<Secret>,
        token: Option<&Secret>,
        hosts: &[String],
        addresses: &[SocketAddr],
    ) -> Result<Self, HttpError> {
        let open = password_hash.is_none() && token.is_none();
        if let Some(address) = addresses.iter().find(|address| open && !address.ip().is_loopback())
        {
            return Err(HttpError::NoPassword { address: address.to_string() });
        }
        if let Some(Err(fault)) =
            password_hash.as_ref().map(|hash| PasswordHash::new(hash.reveal()))
        {
            return Err(HttpError::BadHash { text: fault.to_string() });
        }
        let salt = rand::random();
        Ok(Self {
            password_hash,
            token: token.map(|token| digest(&salt, token.reveal())),
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            // `0.0.0.0` is no name for anybody, though some systems connect it to loopback.
            addresses: addresses
                .iter()
                .map(|address| address.ip().to_canonical())
                .filter(|address| !address.is_unspecified())
                .collect(),
            lockout: Mutex::default(),
            checks: Semaphore::new(CHECKS_AT_A_TIME),
            proven: Mutex::default(),
            salt,
            sessions: Arc::default(),
        })
    }

    /// Decides about one request. `local` is the address that was asked.
    ///
    /// # Errors
    ///
    /// `Denied`.
    pub async fn admit(
        &self,
        method: &Method,
        headers: &HeaderMap,
        peer: IpAddr,
        local: IpAddr,
    ) -> Result<(), Denied> {
        self.welcome(method, headers, local)?;
        let authorization = headers.get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
        match self.sessions.look(headers, Instant::now()) {
            _ if authorization.is_some() => self.authenticate(authorization, peer).await,
            Shown::Nothing => self.authenticate(None, peer).await,
            Shown::Reading if !method.is_safe() => Err(Denied::Token),
            Shown::Reading | Shown::Whole => Ok(()),
        }
    }

    /// The part of it that holds for who has not logged in yet: the host is ours, and no other site's page asks.
    ///
    /// # Errors
    ///
    /// `Denied::Host` and `Denied::Origin`.
    pub fn welcome(
        &self,
        method: &Method,
        headers: &HeaderMap,
        local: IpAddr,
    ) -> Result<(), Denied> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host =
            text(header::HOST).filter(|host| self.is_ours(host, local)).ok_or(Denied::Host)?;
        let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
        if is_cross_site(site, method, headers) {
            return Err(Denied::Origin);
        }
        // An Origin that is no text is nobody's.
        let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
        if !method.is_safe() && origin.is_some_and(|origin| !same_origin(origin, host)) {
            return Err(Denied::Origin);
        }
        Ok(())
    }

    /// Who is let in.
    pub(super) fn access(&self) -> AccessView {
        let (password, token) = (self.password_hash.is_some(), self.token.is_some());
        AccessView { password, token, hosts: self.hosts.clone() }
    }

    /// True if there is a password to log in with.
    pub(super) const fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }

    /// Logs in with a password. The cookies to set.
    ///
    /// # Errors
    ///
    /// [`Denied::Credentials`] and [`Denied::LockedOut`].
    pub(super) async fn log_in(
        &self,
        password: String,
        peer: IpAddr,
    ) -> Result<[String; 2], Denied> {
        if self.lockout().is_locked(peer, Instant::now()) {
            return Err(Denied::LockedOut);
        }
        if self.is_password(password, peer).await? {
            self.lockout().forgive(peer);
            return Ok(self.sessions.begin(Instant::now()));
        }
        self.lockout().fail(peer, Instant::now());
        Err(Denied::Credentials)
    }

    /// Logs out. The cookies to set.
    pub(super) fn log_out(&self, headers: &HeaderMap) -> [String; 2] {
        self.sessions.end(headers)
    }

    /// True if a Host header names us: an address that we are bound to or were asked at, `localhost`, a configured name.
    fn is_ours(&self, host: &str, local: IpAddr) -> bool {
        let Some(name) = authority(host) else { return false };
        match name.parse::<IpAddr>() {
            Ok(address) => {
                let address = address.to_canonical();
                address == local || self.addresses.contains(&address)
            }
            Err(_) => name == "localhost" || self.hosts.contains(&name),
        }
    }

    async fn authenticate(&self, authorization: Option<&str>, peer: IpAddr) -> Result<(), Denied> {
        if self.password_hash.is_none() && self.token.is_none() {
            return Ok(());
        }
        if self.lockout().is_locked(peer, Instant::now()) {
            return Err(Denied::LockedOut);
        }
        // Coming without credentials is how every browser begins, and guesses nothing.
        let (scheme, credentials) =
            authorization.and_then(|text| text.split_once(' ')).ok_or(Denied::Credentials)?;
        let right = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => self.token == Some(digest(&self.salt, credentials.trim())),
            "basic" => match password(credentials.trim()) {
                Some(password) => self.is_password(password, peer).await?,
                None => false,
            },
            _ => false,
        };
        if right {
            self.lockout().forgive(peer);
            return Ok(());
        }
        self.lockout().fail(peer, Instant::now());
        Err(Denied::Credentials)
    }

    /// Guesses that come all at once wait for each other, and most of them for nothing: once enough were wrong, the rest
    /// is not looked at.
    async fn is_password(&self, password: String, peer: IpAddr) -> Result<bool, Denied> {
        let Some(hash) = self.password_hash.clone() else { return Ok(false) };
        let digested = digest(&self.salt, &password);
        if *self.proven.lock().unwrap_or_else(PoisonError::into_inner) == Some(digested) {
            return Ok(true);
        }
        let Ok(_permit) = self.checks.acquire().await else { return Ok(false) };
        if self.lockout().is_locked(peer, Instant::now()) {
            return Err(Denied::LockedOut);
        }
        let right = spawn_blocking(move || is_right(&password, &hash)).await.unwrap_or(false);
        if right {
            *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(digested);
        }
        Ok(right)
    }

    fn lockout(&self) -> std::sync::MutexGuard<'_, Lockout> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The password of `USER:PASSWORD` in base64; any user will do, because there is one role so far.
fn password(credentials: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn is_right(password: &str, hash: &Secret) -> bool {
    PasswordHash::new(hash.reveal())
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn digest(salt: &[u8; 32], text: &str) -> Digested {
    Digested(Sha256::new().chain_update(salt).chain_update(text).finalize().into())
}

/// The address that stands for whoever comes through a unix socket.
pub const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[cfg(test)]
mod tests;
