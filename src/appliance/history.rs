//! Forgets the timeline behind its horizon, an hour at a time.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{domain::Timestamp, provision::Service};

use super::ticks::Ticks;

/// How often the timeline is looked through.
const EVERY: Duration = Duration::from_hours(1);

/// How long after a start it is first looked through. Right then the phones of a building may be asking, and what the
/// journal has would become rows first: with 65,000 leases every commit would wait for that longer than for the start.
pub(super) const SETTLED: Duration = Duration::from_mins(1);

/// [`prune`], `after` so long.
pub(super) async fn prune_later(
    after: Duration,
    service: Arc<Service>,
    stop: watch::Receiver<bool>,
) {
    let mut begin = Ticks::every(after, stop.clone());
    if begin.next().await && begin.next().await {
        prune(service, stop).await;
    }
}

/// Prunes now and every hour until `stop` turns true, as the settings have it by then.
pub(super) async fn prune(service: Arc<Service>, stop: watch::Receiver<bool>) {
    let mut ticks = Ticks::every(EVERY, stop);
    while ticks.next().await {
        let keep = service.provisioner().settings().appliance.history;
        let Some(horizon) = horizon(Timestamp::now(), keep) else { continue };
        let journal = service.journal.clone();
        match tokio::task::spawn_blocking(move || journal.prune(horizon)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(events)) => tracing::info!(events, "old events forgotten"),
            Ok(Err(error)) => tracing::warn!(%error, "the timeline could not be shortened"),
            Err(error) => tracing::warn!(%error, "the timeline was not shortened"),
        }
    }
}

/// What is older may go; `None` where `keep` reaches beyond the beginning of time.
fn horizon(now: Timestamp, keep: Duration) -> Option<Timestamp> {
    now.checked_sub(keep).ok()
}

#[cfg(test)]
mod tests {
    use super::{super::Core, *};
    use crate::{
        config::Settings,
        domain::{Change, Event, What},
        provision::Provisioner,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn the_settings_say_what_goes() {
        let home = tempfile::tempdir().unwrap();
        let settings = |hours| {
            let mut settings = Settings::default();
            settings.appliance.state = home.path().join("state");
            settings.appliance.history = Duration::from_hours(hours);
            settings
        };
        let core = Core::open(settings(8)).unwrap();
        let (service, mac) = (&core.service, "001e7ac41022".parse().unwrap());
        let seen = |hours: u64| {
            let at = Timestamp::now() - Duration::from_hours(hours);
            Change::Happened(mac, Event { at, what: What::discovered(None) })
        };
        service.commit(vec![seen(9), seen(7), seen(1)].into()).await.unwrap();
        let left = async |events| {
            let stop = watch::Sender::new(false);
            let pruning = tokio::spawn(prune(Arc::clone(service), stop.subscribe()));
            while service.journal.timeline(mac, 9).unwrap().len() != events {
                tokio::task::yield_now().await;
            }
            stop.send(true).unwrap();
            pruning.await.unwrap();
        };
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, left(2)).await.unwrap();
        let now = service.provisioner();
        let (catalog, library) = (Arc::clone(now.catalog()), Arc::clone(now.library()));
        service.replace(Provisioner::new(
            Arc::new(settings(2)),
            catalog,
            library,
            service.view.clone(),
        ));
        tokio::time::timeout(limit, left(1)).await.unwrap();
        service.journal.close();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_start_comes_first() {
        let home = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.appliance.state = home.path().join("state");
        settings.appliance.history = Duration::from_hours(1);
        let core = Core::open(settings).unwrap();
        let (service, mac) = (&core.service, "001e7ac41022".parse().unwrap());
        let at = Timestamp::now() - Duration::from_hours(2);
        let event = Event { at, what: What::discovered(None) };
        service.commit(vec![Change::Happened(mac, event)].into()).await.unwrap();
        let left = || service.journal.timeline(mac, 9).unwrap().len();
        let stop = watch::Sender::new(false);
        let later = |after| tokio::spawn(prune_later(after, Arc::clone(service), stop.subscribe()));
        let never = later(SETTLED);
        stop.send(true).unwrap();
        never.await.unwrap();
        assert_eq!(left(), 1);
        stop.send_replace(false);
        let soon = later(Duration::from_millis(1));
        let gone = async {
            while left() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone).await.unwrap();
        stop.send(true).unwrap();
        soon.await.unwrap();
        service.journal.close();
    }

    #[test]
    fn what_may_go() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let then = horizon(now, Duration::from_hours(90 * 24)).unwrap();
        assert_eq!(then.to_string(), "2026-08-22T09:00:00Z");
        assert_eq!(horizon(now, Duration::MAX), None);
    }
}
