//! The part of an appliance that every command needs: settings, families, files and facts, without a socket.

use std::{path::PathBuf, sync::Arc};

use crate::{
    config::Settings,
    domain::Problem,
    profile::Catalog,
    provision::{Library, Provisioner, Service},
    store::{Store, StoreError},
    telemetry::Counters,
};

/// Settings, families, files and facts, joined and ready to be asked.
#[derive(Debug)]
pub struct Core {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// What carriers call.
    pub service: Arc<Service>,
    /// What happened, in numbers.
    pub counters: Counters,
    /// Where the settings were read; `None` where the defaults hold, or nobody said.
    pub path: Option<PathBuf>,
    /// What is wrong with profiles and files; everything else runs all the same.
    pub problems: Vec<Problem>,
    /// Where a store that could not be read was set aside, if that happened now.
    pub set_aside: Option<PathBuf>,
}

/// Why there is no core.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The state directory can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CoreError {
    /// The exit code of a command that can't go on (`sysexits.h`).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Store(StoreError::Locked { .. }) => 69,
            Self::Store(StoreError::Newer { .. }) => 78,
            Self::Store(StoreError::Io { .. }) => 74,
            Self::Store(StoreError::Denied { .. }) => 77,
            Self::Store(StoreError::BadBackup { .. } | StoreError::NotEmpty { .. }) => 65,
        }
    }
}

impl Core {
    /// Reads profiles and files, opens the state directory and joins them.
    ///
    /// Needs a tokio runtime around it: the recorder behind the service is a task.
    ///
    /// # Errors
    ///
    /// [`CoreError`]: only a state directory that can't be used; profiles and files with problems are told and left out.
    pub fn open(settings: Settings) -> Result<Self, CoreError> {
        let (catalog, problems) = Catalog::load(Some(&settings.appliance.profiles));
        Self::with(settings, catalog, problems)
    }

    /// The same with families that were read already; `problems` are theirs.
    ///
    /// # Errors
    ///
    /// As [`Core::open`].
    pub fn with(
        settings: Settings,
        catalog: Catalog,
        mut problems: Vec<Problem>,
    ) -> Result<Self, CoreError> {
        let directories = &settings.appliance;
        let (library, more) = Library::load(&directories.files, &directories.firmware);
        problems.extend(more);
        let Store { view, journal, feed, set_aside } = Store::open(&directories.state)?;
        let settings = Arc::new(settings);
        let provisioner = Provisioner::new(
            Arc::clone(&settings),
            Arc::new(catalog),
            Arc::new(library),
            view.clone(),
        );
        let counters = Counters::default();
        let service = Arc::new(Service::start(provisioner, journal, view, feed, counters.clone()));
        Ok(Self { settings, service, counters, path: None, problems, set_aside })
    }
}
