//! The API without a running appliance: the same routes, in this process, on the store itself.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    Router,
    body::{Body, Bytes},
};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::{
    appliance::{Core, CoreError},
    config::Settings,
    http::{About, Caller, Operators, Trust, api},
    store::StoreError,
};

use super::{
    exit::{Exit, Failure},
    output::note,
};

/// The store, opened by this command, and the routes on it.
#[derive(Debug)]
pub struct Here {
    core: Core,
    router: Router,
    /// Never told to stop: a command ends by itself.
    running: watch::Sender<bool>,
}

impl Here {
    /// Opens the state directory.
    ///
    /// # Errors
    ///
    /// One that can't be opened, or that another process has open.
    pub fn open(settings: Settings) -> Result<Self, Failure> {
        let core = Core::open(settings)?;
        if let Some(aside) = &core.set_aside {
            note(&format!("the store could not be read and was set aside at {}", aside.display()));
        }
        let about = About { version: env!("CARGO_PKG_VERSION").to_owned(), ..About::default() };
        let operators = Operators::new(core.service.clone(), core.counters.clone(), about);
        let running = watch::Sender::new(false);
        Ok(Self { router: api::router(operators, Trust::Socket), core, running })
    }

    /// One request.
    ///
    /// # Errors
    ///
    /// An answer that breaks off.
    pub async fn call(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let caller = Caller { peer: nobody, local: nobody, stop: self.running.subscribe() };
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(caller);
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let body = response.into_body().collect().await;
        let body =
            body.map_err(|error| Failure::new(Exit::Io, format!("the answer broke off: {error}")))?;
        Ok((status, body.to_bytes()))
    }

    /// Makes durable what was said to be fact, and lets go of the store.
    pub fn close(&self) {
        self.core.service.journal.close();
    }
}

impl From<CoreError> for Failure {
    fn from(error: CoreError) -> Self {
        match error {
            CoreError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Locked { .. } => Exit::Unavailable,
            StoreError::Io { .. } => Exit::Io,
            StoreError::Denied { .. } => Exit::Permission,
            StoreError::BadBackup { .. } => Exit::Data,
            StoreError::Newer { .. } | StoreError::NotEmpty { .. } => Exit::Config,
        };
        Self::new(exit, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_somebody_else_is_told_with_its_cure() {
        let failure = Failure::from(StoreError::Denied { path: "/var/lib/ringup".to_owned() });
        assert_eq!(failure.exit, Exit::Permission);
        assert!(failure.text.starts_with("/var/lib/ringup: permission denied; use `sudo`"));
    }
}
