//! Other settings, families and files while everything runs: all of it checked and bound first, then in force at once.

use std::{fmt, sync::Arc};

use crate::{
    config::{DhcpMode, Loaded, Settings},
    dhcp,
    domain::{Problem, Severity, Timestamp},
    profile::Catalog,
    provision::{Library, Provisioner, Reloaded, Unloaded},
};

use super::{Late, Running, StartError, listeners::Moves, stamps::Stamps, summary};

/// What is on the page while the settings on disk are not those in force.
const NOTICE: &str = "reload";

/// Settings and families as they are on disk now, without errors.
#[derive(Debug)]
pub struct Fresh {
    /// The settings; names of vendors in them are families now.
    pub loaded: Loaded,
    /// The families.
    pub catalog: Catalog,
    /// What is legal but probably not meant.
    pub warnings: Vec<Problem>,
}

/// Reads settings and families anew. It blocks, and is called where it may.
#[derive(Clone)]
pub struct Reread(Arc<dyn Fn() -> Result<Fresh, Vec<Problem>> + Send + Sync>);

impl Reread {
    /// By this function, which tells every problem if there is an error among them.
    pub fn new(read: impl Fn() -> Result<Fresh, Vec<Problem>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }
}

impl fmt::Debug for Reread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reread")
    }
}

/// All that was read.
struct Read {
    fresh: Fresh,
    library: Library,
    stamps: Stamps,
}

fn read(reread: &Reread) -> Result<Read, Vec<Problem>> {
    let mut fresh = (reread.0)()?;
    let directories = &fresh.loaded.settings.appliance;
    let (library, problems) = Library::load(&directories.files, &directories.firmware);
    let stamps = Stamps::of(directories);
    fresh.warnings.extend(problems);
    if fresh.warnings.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(fresh.warnings);
    }
    Ok(Read { fresh, library, stamps })
}

impl Running {
    /// Reads everything anew and puts it in force, or tells what it would change. Where anything is wrong nothing
    /// changes. Between reading and the end nothing is waited for: dropping this leaves all as it was.
    pub(super) async fn reload(&mut self, dry_run: bool) -> Result<Reloaded, Unloaded> {
        let done = self.reload_all(dry_run).await;
        let notices = &self.core.service.notices;
        match &done {
            Ok(done) if dry_run => tracing::debug!(changes = done.changes.len(), "looked"),
            Ok(done) => {
                tracing::info!(changes = done.changes.len(), "settings are in force");
                let waits = (!done.restart.is_empty())
                    .then(|| format!("needs a restart: {}", done.restart.join("; ")));
                notices.set(NOTICE, waits);
            }
            Err(Unloaded::Problems(problems)) if !dry_run => {
                let errors = problems.iter().filter(|one| one.severity == Severity::Error).count();
                let now = Timestamp::now();
                notices.set(
                    NOTICE,
                    Some(format!(
                        "the settings on disk were not taken at {now:.0}: {errors} to mend (`ringup check`); \
                         those of before stay in force"
                    )),
                );
            }
            Err(_) => {}
        }
        done
    }

    async fn reload_all(&mut self, dry_run: bool) -> Result<Reloaded, Unloaded> {
        let Some(reread) = self.plan.reread.clone() else { return Err(Unloaded::Busy) };
        let read = tokio::task::spawn_blocking(move || read(&reread)).await;
        let read = read.map_err(|_| Unloaded::Busy)?.map_err(Unloaded::Problems)?;
        self.put_in_force(read, dry_run).map_err(|error| Unloaded::Problems(vec![error]))
    }

    fn put_in_force(&mut self, read: Read, dry_run: bool) -> Result<Reloaded, Problem> {
        let Read { fresh: Fresh { loaded, catalog, mut warnings }, library, stamps } = read;
        let mut changes = self.plan.written.differences(&loaded.written);
        changes.extend(self.plan.stamps.differences(&stamps));
        let (settings, mut restart) = self.possible(loaded.settings);
        if settings.dhcp.mode != DhcpMode::Off {
            // One that was served and is gone is waited for already: no reason to refuse all the rest.
            let old = &self.core.settings.dhcp.interfaces;
            let mut new = settings.dhcp.interfaces.clone();
            new.retain(|name| !old.contains(name));
            match (dhcp::all_there(&new), self.plan.late) {
                (Ok(()), _) => {}
                (Err(error), Late::Refuse) => return Err(problem(&error.into())),
                (Err(error), Late::Wait) => {
                    let text = format!("{error}; DHCP waits for it");
                    warnings.push(Problem::warning("", None, text));
                }
            }
        }
        let moves = self.listeners.prepare(&self.core.settings, &settings);
        let mut moves: Moves = moves.map_err(|error| problem(&error))?;
        restart.append(&mut moves.restart);
        let done = Reloaded { changes, restart, warnings: warnings.clone() };
        if dry_run {
            return Ok(done);
        }
        let settings = Arc::new(settings);
        let service = &self.core.service;
        service.replace(Provisioner::new(
            Arc::clone(&settings),
            Arc::new(catalog),
            Arc::new(library),
            service.view.clone(),
        ));
        service.notices.set("secrets", summary::notice(&settings));
        self.core.settings = settings;
        self.core.problems = warnings;
        (self.plan.written, self.plan.stamps) = (loaded.written, stamps);
        let ended = self.listeners.apply(moves);
        self.names.retain(|(id, _)| !ended.contains(id));
        self.serve_listeners();
        Ok(done)
    }

    /// The settings with what can't change while it runs as it was, and what that is.
    fn possible(&self, mut settings: Settings) -> (Settings, Vec<String>) {
        let mut restart = Vec::new();
        let (now, new) = (&self.core.settings.appliance.state, &mut settings.appliance.state);
        if now != new {
            restart.push(format!("appliance.state: all facts are in {}", now.display()));
            new.clone_from(now);
        }
        (settings, restart)
    }
}

/// What can't be bound, as a problem of the settings.
fn problem(error: &StartError) -> Problem {
    Problem::error("", None, error.to_string())
}
