//! What is seen of a bench on the terminal: a line whenever a phone gets on, or gets stuck.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    cli::lab::say,
    domain::{Mac, Stage, Timestamp},
    provision::{Report, Service},
    store::Phone,
};

/// How often phones are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How many phones have lines; whoever invents more of them fills no terminal. The page has all.
const MAX_PHONES: usize = 500;

/// What was last said of a phone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Said {
    stage: Stage,
    model: String,
    number: String,
    address: String,
    /// Why it does not get on, and the cure; empty if it does.
    trouble: String,
}

/// The terminal of a bench.
#[derive(Debug)]
pub(super) struct Screen {
    service: Arc<Service>,
    said: HashMap<Mac, Said>,
}

impl Screen {
    /// A screen that has said nothing yet; phones of an earlier bench are told when they come.
    pub fn new(service: Arc<Service>, now: Timestamp) -> Self {
        let mut screen = Self { service, said: HashMap::new() };
        screen.look(now);
        screen
    }

    /// Shows phones for ever.
    pub async fn show(mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            for line in self.look(Timestamp::now()) {
                say(&line);
            }
        }
    }

    /// A line for each phone of which there is something new.
    fn look(&mut self, now: Timestamp) -> Vec<String> {
        let provisioner = self.service.provisioner();
        let state = self.service.view.read();
        let mut news = Vec::new();
        for (mac, phone) in &state.phones {
            let is_known = self.said.contains_key(mac);
            if !phone.boot.is_seen() || !is_known && self.said.len() >= MAX_PHONES {
                continue;
            }
            let report = provisioner.report(*mac, phone, &state, now);
            let what = Said::of(phone, &report);
            let before = self.said.insert(*mac, what.clone()).unwrap_or_default();
            if before != what {
                news.push((
                    phone.boot.last_at,
                    format!("{}{}", what.line(*mac, now), what.more(&before)),
                ));
            }
        }
        news.sort();
        news.into_iter().map(|(_, line)| line).collect()
    }
}

impl Said {
    fn of(phone: &Phone, report: &Report) -> Self {
        let listed = phone.entry.as_deref();
        let known =
            report.identity.model.clone().or_else(|| listed.map(|entry| entry.model.clone()));
        let vendor = report.identity.vendor.clone().unwrap_or_default();
        let model = format!("{vendor} {}", known.unwrap_or_default());
        let number = listed.and_then(|entry| entry.lines.first()).map(|line| line.number.clone());
        // A diagnosis of a phone that is getting on is a guess about its next step; the page has it.
        let stuck = report.diagnosis.as_ref().filter(|_| report.stuck || report.looping);
        let trouble = stuck.map(|why| format!("{}\n            {}", why.text, why.remedy));
        Self {
            stage: phone.boot.stage(),
            model: model.trim().to_owned(),
            number: number.unwrap_or_default(),
            address: phone.boot.address.map(|address| address.to_string()).unwrap_or_default(),
            trouble: trouble.unwrap_or_default(),
        }
    }

    fn line(&self, mac: Mac, now: Timestamp) -> String {
        let time = now.to_zoned(TimeZone::system()).strftime("%H:%M:%S");
        let Self { stage, model, number, address, .. } = self;
        let stage = stage.as_str();
        format!("{time}  {mac}  {stage:<11} {address:<15} {number:<6} {model}")
    }

    /// What else is new, on lines of its own.
    fn more(&self, before: &Self) -> String {
        if self.trouble.is_empty() || self.trouble == before.trouble {
            return String::new();
        }
        format!("\n          {}", self.trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        appliance::Core,
        config::Settings,
        domain::{Change, Event, Granted, What},
    };

    #[tokio::test]
    async fn a_line_for_what_is_new_and_few_for_made_up_phones() {
        let home = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.appliance.state = home.path().join("state");
        let core = Core::open(settings).unwrap();
        let at = "2026-11-20T09:00:00Z".parse().unwrap();
        let happens = async |number: u16, what: What| {
            let [high, low] = number.to_be_bytes();
            let mac = Mac::new([0, 0x15, 0x65, 0, high, low]).unwrap();
            core.service.commit(Change::Happened(mac, Event { at, what }).into()).await.unwrap();
        };
        happens(1, What::discovered(None)).await;
        let mut screen = Screen::new(Arc::clone(&core.service), at);
        assert_eq!(screen.look(at), Vec::<String>::new(), "told at the last bench");
        let (address, granted) = ([10, 99, 0, 7].into(), Granted::Selected);
        happens(1, What::Leased { address, until: at, granted }).await;
        let lines = screen.look(at);
        assert!(
            lines.len() == 1 && lines[0].contains("00:15:65:00:00:01  leased      10.99.0.7"),
            "{lines:?}"
        );
        assert_eq!(screen.look(at), Vec::<String>::new());
        // Later it is stuck, which is said once, with the cure.
        let later = at + Duration::from_hours(1);
        let lines = screen.look(later);
        assert!(lines.len() == 1 && lines[0].lines().count() >= 3, "{lines:?}");
        assert_eq!(screen.look(later), Vec::<String>::new());
        for number in 0..700 {
            happens(number, What::discovered(None)).await;
        }
        let lines = screen.look(at);
        assert!(lines.len() <= MAX_PHONES, "{} lines", lines.len());
        happens(900, What::discovered(None)).await;
        assert!(!screen.look(at).iter().any(|line| line.contains("00:15:65:00:03:84")));
        core.service.journal.close();
    }
}
