//! Who listens where: a task for each interface, started and ended as the settings have it.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{sync::watch, task::JoinSet};

use crate::provision::{Dhcp, DhcpMode};

use super::{
    observer::{Shared, listen},
    port::Port,
};

/// The interfaces that these settings want observed.
pub(super) fn wanted(dhcp: &Dhcp) -> Vec<String> {
    match dhcp.mode {
        DhcpMode::Observe => dhcp.interfaces.clone(),
        DhcpMode::Serve | DhcpMode::Off => Vec::new(),
    }
}

/// The tasks, one for each interface.
#[derive(Debug)]
pub(super) struct Desk {
    shared: Arc<Shared>,
    /// Turns true where an interface is to be left.
    interfaces: BTreeMap<String, watch::Sender<bool>>,
    tasks: JoinSet<()>,
}

impl Desk {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, interfaces: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Listens to an interface from now on.
    pub fn attend(&mut self, port: Port) {
        let (leave, left) = watch::channel(false);
        self.interfaces.insert(port.name.clone(), leave);
        self.tasks.spawn(listen(port, Arc::clone(&self.shared), left));
    }

    /// Does what the settings say now.
    pub fn follow(&mut self) {
        let wanted = wanted(&self.shared.service.provisioner().settings().dhcp);
        self.interfaces.retain(|name, leave| {
            let stays = wanted.contains(name);
            // The task may have ended by itself: then there is nobody to tell.
            let _ = leave.send(!stays);
            stays
        });
        for name in wanted {
            if !self.interfaces.contains_key(&name) {
                self.attend(Port::awaited(name));
            }
        }
    }

    /// Waits for a task to end; true if it broke. Cancel-safe; never returns while there is none.
    pub async fn ended(&mut self) -> bool {
        match self.tasks.join_next().await {
            Some(Ok(())) => false,
            Some(Err(error)) => {
                tracing::error!(%error, "an observed interface broke");
                true
            }
            None => std::future::pending().await,
        }
    }

    /// Leaves all interfaces and waits for the leases that are on their way to the disk.
    pub async fn close(mut self) {
        for leave in self.interfaces.values() {
            let _ = leave.send(true);
        }
        while self.tasks.join_next().await.is_some() {}
    }
}
