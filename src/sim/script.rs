//! What a simulated phone does next, given what happened: no I/O, no clock.

mod cisco;
mod poly;
mod yealink;

use std::{collections::VecDeque, net::Ipv4Addr, time::Duration};

use super::{
    Habit, Subject,
    client::{Grant, Server},
    make::Boot,
};

/// How often a phone goes through its cycle before this script calls it stuck.
const MAX_CYCLES: u32 = 3;

/// How many files one cycle may ask for: a master that names hundreds does not keep a script busy for ever.
const MAX_ASKS: usize = 64;

/// How often a phone restarts by itself to run a load that it took.
const MAX_RESTARTS: u32 = 3;

/// What happened since the last step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Happened<'a> {
    /// Power was applied.
    Began,
    /// It has an address, with these options.
    Leased(&'a Grant),
    /// Nobody gave it one.
    NoAddress,
    /// The file came, or as much of it as it wanted.
    Got(&'a [u8]),
    /// File Not Found, or an HTTP status that is no success.
    Missed,
    /// No answer, or one that broke off.
    Failed,
    /// The wait is over.
    Waited,
}

/// The HTTP methods that phones use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Read.
    Get,
    /// Look.
    Head,
    /// Upload.
    Put,
}

/// How much of a file the phone reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Read {
    /// All of it.
    Whole,
    /// So many bytes; then it closes its port, because it has seen that nothing changed.
    Start(usize),
    /// None: it hears what comes and acknowledges nothing.
    Nothing,
    /// The first block; then it says that it will not have the rest.
    Refused,
}

/// What the phone does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Looks for an address and a server.
    Discover,
    /// Asks for a file by TFTP.
    Tftp {
        /// Of whom.
        host: Ipv4Addr,
        /// The name as it goes out.
        name: String,
        /// The block size that it asks for; `None` leaves it at 512.
        block: Option<u16>,
        /// How much it reads.
        read: Read,
    },
    /// Asks by HTTP.
    Http {
        /// Of whom.
        host: Ipv4Addr,
        /// Which port; `None` is the scheme's own.
        port: Option<u16>,
        /// How.
        method: Method,
        /// Path, percent-encoded.
        path: String,
        /// User-Agent; empty for none.
        agent: String,
        /// How much it reads.
        read: Read,
    },
    /// Does nothing for a while.
    Wait(Duration),
    /// It has come as far as it will.
    Done(Reached),
}

/// How far the phone believes that it came.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reached {
    /// No address.
    NoAddress,
    /// An address, and nothing in the options that tells this family where its files are.
    NoServer,
    /// An address; it never asked for a file.
    Leased,
    /// It asked and got neither its own file nor a fallback.
    Asked,
    /// A fallback file.
    Defaulted,
    /// Its own file.
    Configured,
}

/// One thing to ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Ask {
    name: String,
    purpose: Purpose,
    method: Method,
    read: Read,
    /// On port 6970 of the same host, whatever the server's scheme.
    cisco_http: bool,
}

/// What the phone wants the file for: decides what it does with a hit and with a miss.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// Nice to have: a miss changes nothing.
    Optional,
    /// Its own configuration.
    Own,
    /// What there is for phones without their own.
    Fallback,
    /// A load that its configuration names.
    Load,
    /// Poly's list of further files.
    Master,
    /// Yealink's list of further files.
    BootFile,
}

impl Ask {
    fn new(name: impl Into<String>, purpose: Purpose) -> Self {
        let (name, method, read) = (name.into(), Method::Get, Read::Whole);
        Self { name, purpose, method, read, cisco_http: false }
    }

    fn optional(name: impl Into<String>) -> Self {
        Self::new(name, Purpose::Optional)
    }
}

/// One phone's way through its boot.
#[derive(Debug)]
pub struct Script {
    subject: Subject,
    server: Option<Server>,
    queue: VecDeque<Ask>,
    asking: Option<Ask>,
    asked: usize,
    cycles: u32,
    reached: Reached,
    running: String,
    /// A load that it took in this boot and runs after the next.
    written: Option<String>,
    /// How often it restarted because of a load.
    restarts: u32,
    /// Poly: the second half of the boot, after the updater.
    application: bool,
    /// It fetches what the list of a load names, and runs the load only if all of it came.
    takes_parts: bool,
    /// How long it waits before it starts its cycle again.
    pause: Duration,
}

impl Script {
    /// The script of a phone that is about to be powered on; `pause` lies between two futile cycles.
    #[must_use]
    pub fn new(mut subject: Subject, pause: Duration) -> Self {
        if let Habit::Cloned { of } = subject.habit {
            subject.mac = subject.make.mac(of).unwrap_or(subject.mac);
        }
        let running = subject.make.load.to_owned();
        Self {
            subject,
            server: None,
            queue: VecDeque::new(),
            asking: None,
            asked: 0,
            cycles: 0,
            reached: Reached::NoAddress,
            running,
            written: None,
            restarts: 0,
            application: false,
            takes_parts: false,
            pause,
        }
    }

    /// The same with a load that the phone took in an earlier boot.
    #[must_use]
    pub fn with_load(self, load: Option<String>) -> Self {
        let running = load.unwrap_or_else(|| self.running.clone());
        Self { running, ..self }
    }

    /// The same with every part of a load fetched, as much as that is, before the phone runs it.
    #[must_use]
    pub fn with_parts(self) -> Self {
        Self { takes_parts: true, ..self }
    }

    /// How far it came.
    #[must_use]
    pub const fn reached(&self) -> Reached {
        self.reached
    }

    /// The load that it runs.
    #[must_use]
    pub fn running(&self) -> &str {
        &self.running
    }

    /// Decides the next step.
    pub fn next(&mut self, happened: Happened<'_>) -> Step {
        match happened {
            Happened::Began => self.power_on(),
            Happened::Leased(grant) => self.leased(grant),
            Happened::NoAddress => Step::Done(Reached::NoAddress),
            Happened::Waited => self.cycle(),
            Happened::Got(bytes) => self.answered(Some(bytes)),
            Happened::Missed => self.answered(None),
            // Nobody on port 6970 is no fault: the next way is TFTP.
            Happened::Failed if self.asking.as_ref().is_some_and(|ask| ask.cisco_http) => {
                self.answered(None)
            }
            Happened::Failed => self.again(),
        }
    }

    fn power_on(&mut self) -> Step {
        match self.subject.habit {
            Habit::Healthy
            | Habit::NeverAsks
            | Habit::NeverRunsItsLoad
            | Habit::TrustsNobody
            | Habit::NeverAcknowledges
            | Habit::Literal { .. }
            | Habit::Cloned { .. }
            | Habit::Acts(_) => Step::Discover,
            Habit::Fixed { server, .. } => {
                self.server = Some(Server::Tftp(server));
                self.cycle()
            }
        }
    }

    fn leased(&mut self, grant: &Grant) -> Step {
        if self.subject.habit == Habit::NeverAsks {
            return Step::Done(Reached::Leased);
        }
        self.server = match self.subject.make.boot {
            Boot::CiscoLegacy
            | Boot::Cisco7960Skinny
            | Boot::Cisco7960Sip
            | Boot::CiscoXml { .. } => grant.cisco_server(),
            Boot::Poly { .. } => grant.poly_server(),
            Boot::Yealink { .. } => grant.yealink_server(),
        };
        match self.server {
            None | Some(Server::Ftp(_)) => Step::Done(Reached::NoServer),
            Some(Server::Tftp(_) | Server::Http { .. }) => self.cycle(),
        }
    }

    /// Starts to ask from the first file on.
    fn cycle(&mut self) -> Step {
        self.cycles += 1;
        self.asked = 0;
        self.reached = self.reached.max(Reached::Asked);
        self.application = false;
        self.queue = self.plan().into();
        self.proceed()
    }

    fn plan(&self) -> Vec<Ask> {
        let mac = self.subject.mac;
        match (self.subject.habit, self.subject.make.boot) {
            (Habit::TrustsNobody, _) => return cisco::trust_lists(mac),
            (Habit::Literal { name }, _) => return vec![Ask::optional(name)],
            _ => {}
        }
        match self.subject.make.boot {
            Boot::CiscoLegacy => cisco::legacy(mac),
            Boot::Cisco7960Skinny => cisco::skinny_7960(mac),
            Boot::Cisco7960Sip => cisco::sip_7960(mac),
            Boot::CiscoXml { http_first, locale } => cisco::xml(mac, http_first, locale),
            Boot::Poly { .. } => poly::begin(mac, self.application),
            Boot::Yealink { .. } => yealink::begin(mac),
        }
    }

    /// Takes in an answer and goes on.
    fn answered(&mut self, bytes: Option<&[u8]>) -> Step {
        let Some(ask) = self.asking.take() else { return Step::Done(self.reached) };
        match self.subject.make.boot {
            Boot::CiscoLegacy
            | Boot::Cisco7960Skinny
            | Boot::Cisco7960Sip
            | Boot::CiscoXml { .. } => self.cisco(&ask, bytes),
            Boot::Poly { part } => self.poly(&ask, bytes, part),
            Boot::Yealink { code } => self.yealink(&ask, bytes, code),
        }
    }

    /// Puts these in front of what else is to be asked.
    fn first(&mut self, asks: Vec<Ask>) {
        asks.into_iter().rev().for_each(|ask| self.queue.push_front(ask));
    }

    fn reach(&mut self, reached: Reached) {
        self.reached = self.reached.max(reached);
    }

    /// The next file, or the end.
    fn proceed(&mut self) -> Step {
        let next = self.queue.pop_front().filter(|_| self.asked < MAX_ASKS);
        let Some(ask) = next else { return self.end() };
        self.asked += 1;
        let step = self.step(&ask);
        self.asking = Some(ask);
        step
    }

    /// All is asked for: it restarts into a load that it took, or stays up.
    fn end(&mut self) -> Step {
        match self.written.take().filter(|_| self.restarts < MAX_RESTARTS) {
            Some(load) => {
                if self.subject.habit != Habit::NeverRunsItsLoad {
                    self.running = load;
                }
                self.restarts += 1;
                Step::Discover
            }
            None => Step::Done(self.reached),
        }
    }

    /// Nothing came of this cycle: a pause and all over again, or the end of its patience.
    fn again(&mut self) -> Step {
        self.asking = None;
        if self.cycles < MAX_CYCLES { Step::Wait(self.pause) } else { Step::Done(self.reached) }
    }

    fn step(&self, ask: &Ask) -> Step {
        let Ask { name, method, mut read, .. } = ask.clone();
        if self.subject.habit == Habit::NeverAcknowledges {
            read = Read::Nothing;
        }
        let stage = if self.application { "Application" } else { "Updater" };
        let agent = self.subject.make.user_agent(self.subject.mac, stage);
        match &self.server {
            Some(Server::Tftp(host) | Server::Ftp(host)) if ask.cisco_http => {
                let (port, path) = (Some(6970), format!("/{}", encode(&name)));
                Step::Http { host: *host, port, method, path, agent, read }
            }
            Some(Server::Http { host, port, path }) => {
                let path = format!("{path}{}", encode(name.trim_start_matches('/')));
                Step::Http { host: *host, port: *port, method, path, agent, read }
            }
            Some(Server::Tftp(host) | Server::Ftp(host)) => {
                // Poly loads ask for larger blocks; old Cisco loads know none but 512 (RFC 1350).
                let block = matches!(self.subject.make.boot, Boot::Poly { .. }).then_some(1428);
                Step::Tftp { host: *host, name, block, read }
            }
            None => Step::Done(self.reached),
        }
    }
}

/// A file name in a path: phones encode what RFC 3986 does not allow there.
fn encode(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, PATH).to_string()
}

const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'/');

#[cfg(test)]
mod tests;
