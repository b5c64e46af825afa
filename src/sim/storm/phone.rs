//! One phone of a storm: its script on shared sockets, with the timers that real phones have.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use super::{
    super::{
        Subject,
        client::{self, Answer, Grant},
        fetch::{self, Fetched, Line},
        make::Boot,
        script::{Happened, Reached, Script, Step},
    },
    Phone,
    ground::Borrowed,
    hub::Listening,
    pace::Dice,
    record::{Cause, Record},
    run::Ground,
};
use crate::wire::dhcp::code;

/// What a client waits for an answer, in seconds, each give or take one at random (RFC 2131 §4.1).
const BACK_OFF: [u64; 5] = [4, 8, 16, 32, 64];

/// The same for Cisco phones: a forum's traces show a new attempt about every 20 s once it takes long.
const CISCO_BACK_OFF: [u64; 5] = [4, 8, 16, 20, 20];

/// How often a phone lets a server take its offer back.
const NAKS: u32 = 4;

/// How long a phone waits for a TFTP packet, and how often. No vendor of these families tells; Mitel's phones wait 4 s.
const TFTP_PATIENCE: Duration = Duration::from_secs(4);
const TFTP_ATTEMPTS: u32 = 4;

/// What lies between two futile cycles: a Cisco phone without files begins again about every 20 s.
const PAUSE: Duration = Duration::from_secs(20);

/// How much of a file is kept to be read; loads are longer and only counted.
const KEEP: usize = 256 * 1024;

/// How soon after power-on `--faults cut=` pulls the plug at the latest, and how long it stays out.
const CUT_WITHIN: Duration = Duration::from_secs(2);
const CUT_FOR: Duration = Duration::from_secs(5);

/// From which address phones ask for files.
#[derive(Debug)]
pub(super) enum Source {
    /// From the one that they leased: on loopback every address is ours.
    Leased,
    /// From the one that they leased, which the interface takes for that time.
    Borrowed(Borrowed),
    /// All of them from this one.
    Own(Ipv4Addr),
}

/// One phone's life in a storm.
pub(super) struct Life<'g> {
    pub at: usize,
    pub phone: Phone,
    pub ground: &'g Ground,
    pub dice: Dice,
    /// The address that it had before its power was cut or before it restarted.
    pub kept: Option<Ipv4Addr>,
}

impl Life<'_> {
    /// Lives: from power-on to as far as it comes, with a power cut in between if there is to be one.
    pub async fn live(mut self) {
        let on = self.ground.began.elapsed();
        self.note(|record| record.on = Some(on));
        if self.phone.cut {
            let until = self.dice.time(CUT_WITHIN);
            // What it was about to do is dropped where it stands: as when its power is cut.
            if timeout(until, self.boot()).await.is_ok() {
                return;
            }
            sleep(CUT_FOR).await;
        }
        self.boot().await;
    }

    async fn boot(&mut self) {
        let subject = self.phone.subject.clone();
        let mut script = Script::new(subject, PAUSE).with_parts();
        let first = script.running().to_owned();
        let mut from = Ipv4Addr::UNSPECIFIED;
        // Why the last file did not come, if it failed: a silent server is another fault than an empty one.
        let mut silent = false;
        let mut step = script.next(Happened::Began);
        loop {
            step = match step {
                Step::Done(reached) => return self.end(cause_of(reached, silent)),
                Step::Wait(_) if self.phone.once && !silent => {
                    return self.end(cause_of(script.reached(), silent));
                }
                Step::Wait(pause) => {
                    sleep(pause).await;
                    script.next(Happened::Waited)
                }
                Step::Discover => {
                    if script.running() != first {
                        let now = self.now();
                        self.note(|record| {
                            record.upgraded.get_or_insert(now);
                        });
                    }
                    let leased =
                        self.lease().await.and_then(|grant| Ok((self.take(&grant)?, grant)));
                    match leased {
                        Ok((address, grant)) => {
                            from = address;
                            script.next(Happened::Leased(&grant))
                        }
                        Err(cause) => return self.end(Some(cause)),
                    }
                }
                asking @ (Step::Tftp { .. } | Step::Http { .. }) => {
                    let Some(fetched) = self.fetch(from, &asking).await else {
                        return self.end(Some(Cause::ForeignServer));
                    };
                    silent = fetched == Fetched::Failed;
                    script.next(match &fetched {
                        Fetched::Got(bytes) => Happened::Got(bytes),
                        Fetched::Missed => Happened::Missed,
                        Fetched::Failed => Happened::Failed,
                    })
                }
            };
            if script.reached() == Reached::Configured {
                let now = self.now();
                self.note(|record| {
                    record.configured.get_or_insert(now);
                });
            }
        }
    }

    fn now(&self) -> Duration {
        self.ground.began.elapsed()
    }

    fn note(&self, change: impl FnOnce(&mut Record)) {
        self.ground.note(self.at, change);
    }

    fn end(&self, cause: Option<Cause>) {
        let now = self.now();
        self.note(|record| (record.done, record.cause) = (Some(now), cause));
    }

    /// Asks for one file; `None` if its server may not be asked.
    async fn fetch(&self, from: Ipv4Addr, step: &Step) -> Option<Fetched> {
        let (ground, ports) = (self.ground, &self.ground.ports);
        let (host, port, name) = match step {
            Step::Tftp { host, name, .. } => (*host, ports.tftp, name),
            Step::Http { host, port, path, .. } => (*host, ports.http_port(*port), path),
            Step::Discover | Step::Wait(_) | Step::Done(_) => return Some(Fetched::Failed),
        };
        if !ground.reach.allows(host) {
            return None;
        }
        let line = Line {
            patience: TFTP_PATIENCE,
            attempts: TFTP_ATTEMPTS,
            keep: KEEP,
            loss: ground.loss,
            ..Line::near(from, SocketAddr::from((host, port)))
        };
        let permit = ground.pace.transfer().await;
        ground.pace.turn().await;
        let fetched = match step {
            Step::Tftp { block, read, .. } => fetch::by_tftp(&line, name, *block, *read).await,
            Step::Http { method, agent, read, .. } => {
                fetch::by_http(&line, *method, name, agent, *read).await
            }
            Step::Discover | Step::Wait(_) | Step::Done(_) => Fetched::Failed,
        };
        drop(permit);
        ground.count(&fetched);
        self.look_into(name, &fetched);
        Some(fetched)
    }

    /// Remembers what did not come, and whether its own files hold the number that it is listed with.
    fn look_into(&self, name: &str, fetched: &Fetched) {
        let Fetched::Got(bytes) = fetched else {
            let name: String = name.chars().take(80).collect();
            return self.note(|record| record.missed = name);
        };
        let number = self.phone.number.as_bytes();
        let own = name.to_ascii_lowercase().contains(&self.phone.subject.mac.lower());
        if own && !number.is_empty() {
            let found = bytes.windows(number.len()).any(|part| part == number);
            self.note(|record| record.numbered = Some(found || record.numbered == Some(true)));
        }
    }

    /// Makes the leased address usable, and tells from which one to ask.
    fn take(&mut self, grant: &Grant) -> Result<Ipv4Addr, Cause> {
        let (address, now) = (grant.address, self.now());
        self.kept = Some(address);
        self.note(|record| {
            record.leased.get_or_insert(now);
            record.address = Some(address);
        });
        match &self.ground.source {
            Source::Own(own) => Ok(*own),
            Source::Leased => Ok(address),
            Source::Borrowed(borrowed) => {
                let mask = grant.address_of(code::MASK).unwrap_or(Ipv4Addr::BROADCAST);
                let prefix = u8::try_from(u32::from(mask).leading_ones()).unwrap_or(32);
                borrowed.take(address, prefix).map_err(|_| Cause::NoAddress)?;
                self.ground.reach.attach(address, prefix);
                Ok(address)
            }
        }
    }

    /// An address: the one it had, if the server lets it, else a new one.
    async fn lease(&mut self) -> Result<Grant, Cause> {
        let subject = self.phone.subject.clone();
        if let Some(address) = self.kept {
            let xid = rand::random();
            let mut listening = self.ground.hub.listen(xid);
            let message = client::reboot(&subject, xid, address);
            let asked = self.exchange(&subject, &mut listening, &message, is_verdict).await;
            match asked {
                Some((Answer::Ack(grant), _)) => return Ok(grant),
                Some((Answer::Nak, _)) => self.ground.nak(),
                Some((Answer::Offer(_), _)) | None => {}
            }
        }
        for _ in 0..NAKS {
            let xid = rand::random();
            let mut listening = self.ground.hub.listen(xid);
            let message = client::discover(&subject, xid);
            let offered = self.exchange(&subject, &mut listening, &message, is_offer).await;
            let Some((Answer::Offer(offer), took)) = offered else { return Err(Cause::NoOffer) };
            self.note(|record| {
                record.offer.get_or_insert(took);
            });
            let message = client::request(&subject, xid, &offer);
            match self.exchange(&subject, &mut listening, &message, is_verdict).await {
                Some((Answer::Ack(grant), took)) => {
                    self.note(|record| {
                        record.ack.get_or_insert(took);
                    });
                    return Ok(grant);
                }
                Some((Answer::Offer(_) | Answer::Nak, _)) => self.ground.nak(),
                None => return Err(Cause::NoAck),
            }
        }
        Err(Cause::Nak)
    }

    /// Sends until the answer comes or the patience ends; the answer, and how long it took from the first send.
    async fn exchange(
        &mut self,
        subject: &Subject,
        listening: &mut Listening<'_>,
        message: &[u8],
        wanted: fn(&Answer) -> bool,
    ) -> Option<(Answer, Duration)> {
        let back_off = match subject.make.boot {
            Boot::Poly { .. } | Boot::Yealink { .. } => BACK_OFF,
            Boot::CiscoLegacy
            | Boot::Cisco7960Skinny
            | Boot::Cisco7960Sip
            | Boot::CiscoXml { .. } => CISCO_BACK_OFF,
        };
        self.ground.pace.turn().await;
        let began = Instant::now();
        for (attempt, seconds) in back_off.into_iter().enumerate() {
            let since = u16::try_from(began.elapsed().as_secs()).unwrap_or(u16::MAX);
            self.ground.dhcp(attempt > 0);
            // A full queue of the interface loses it, as a wire would.
            let _ = self.ground.hub.send(subject, message, since).await;
            let patience =
                Duration::from_secs(seconds - 1) + self.dice.time(Duration::from_secs(2));
            let answer = async {
                loop {
                    let answer = listening.answer(subject).await?;
                    if wanted(&answer) {
                        return Some(answer);
                    }
                }
            };
            // Dropping `answer` at the limit loses nothing: answers are taken whole or stay queued.
            if let Ok(answer) = timeout(patience, answer).await {
                return answer.map(|answer| (answer, began.elapsed()));
            }
        }
        None
    }
}

const fn is_offer(answer: &Answer) -> bool {
    matches!(answer, Answer::Offer(_))
}

const fn is_verdict(answer: &Answer) -> bool {
    matches!(answer, Answer::Ack(_) | Answer::Nak)
}

/// Why a phone that came this far came no further; `None` for one that is where it should be.
fn cause_of(reached: Reached, silent: bool) -> Option<Cause> {
    match reached {
        Reached::Configured => None,
        Reached::NoAddress => Some(Cause::NoOffer),
        Reached::NoServer => Some(Cause::NoServer),
        Reached::Leased | Reached::Asked if silent => Some(Cause::NoAnswer),
        Reached::Leased | Reached::Asked => Some(Cause::NoFile),
        Reached::Defaulted => Some(Cause::DefaultOnly),
    }
}
