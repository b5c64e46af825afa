//! DHCP explained: what a phone asked for, what it is told, which option its family honours first and so uses.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    config::{Admit, Subnet},
    domain::{Entry, Mac, Origin, Timestamp},
    profile::{DhcpRule, ServerOption},
    wire::dhcp::{code, names},
};

use super::{
    Client, ClientKind, DhcpMode, Provisioner,
    bootstrap::{self, registrars, server_content},
    identify::subnet_of,
    layers::DEFAULT,
    values::http_base,
};

/// What a phone learns by DHCP, and what it makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Who answers it.
    pub mode: DhcpMode,
    /// Its option 55, in its own order; `None` if it has shown none.
    pub asked: Option<Vec<u8>>,
    /// The subnet whose settings count, `10.20.0.0/22`.
    pub subnet: Option<String>,
    /// What ringup sends it, or would if it were to answer, in order of sending.
    pub options: Vec<ToldOption>,
    /// Where its family looks for its servers, in its order; empty where no family (or vendor) is known.
    pub honours: Vec<ToldOption>,
    /// The place in `honours` of what it takes of that.
    pub uses: Option<usize>,
    /// All of it in one or two plain sentences.
    pub text: String,
}

/// One option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToldOption {
    /// Its code.
    pub code: u8,
    /// Sub-option inside option 43, where the family reads one.
    pub sub: Option<u8>,
    /// What it is called.
    pub name: &'static str,
    /// Its content, as an engineer reads it; empty for one that it is not sent.
    pub text: String,
    /// True if its option 55 asks for it.
    pub asked: bool,
}

/// What somebody else's server was heard to say: options 66, 150 and 160 as text, by code.
pub type Heard<'a> = Option<(Ipv4Addr, &'a [(u8, String)])>;

/// Options as they travel, in order.
type Sent = Vec<(u8, Vec<u8>)>;

impl Provisioner {
    /// Explains DHCP to whoever looks after a phone. `own` is our address as the phone sees it; `heard` what another
    /// server told it last, where we only listen. Reads the state; hold no guard of it meanwhile.
    ///
    /// What is sent is worked out as the DHCP server does it. Only the voice VLAN may be less in fact: a phone that is
    /// in it already is not sent there again.
    #[must_use]
    pub fn told(&self, phone: Mac, own: Ipv4Addr, heard: Heard<'_>, now: Timestamp) -> Told {
        let client = self.client(phone, &[], now);
        let (asked, address) = self.asked(phone);
        let subnet = self.subnet_for(&client, address);
        let list = asked.clone().unwrap_or_default();
        let mode = self.settings().dhcp.mode;
        let sent = match subnet {
            Some(subnet) => Some(self.sent(&client, subnet, own, &list)),
            // Whoever stands in no subnet of ours is sent nothing.
            None => (mode == DhcpMode::Serve).then(Sent::new),
        };
        let honours = self.honours(&client, own, (&list, sent.as_ref()));
        let shown =
            |(code, content): &(u8, Vec<u8>)| one(*code, None, names::text(*code, content), &list);
        let options: Vec<_> = sent.iter().flatten().map(shown).collect();
        let uses = match (mode, heard) {
            (DhcpMode::Serve, _) => honours.iter().position(|one| !one.text.is_empty()),
            (_, Some((_, told))) => {
                honours.iter().position(|one| told.iter().any(|(code, _)| *code == one.code))
            }
            (_, None) => None,
        };
        let mut told = Told {
            mode,
            asked,
            subnet: subnet.map(named),
            options,
            honours,
            uses,
            text: String::new(),
        };
        told.text = Self::in_words(&told, &client, subnet, heard);
        told
    }

    /// Its option 55, and the address that it was seen with or is to have.
    fn asked(&self, phone: Mac) -> (Option<Vec<u8>>, Option<Ipv4Addr>) {
        let state = self.view().read();
        let Some(record) = state.phones.get(&phone) else { return (None, None) };
        let ground = record.grounds.iter().find(|ground| ground.from == Origin::Option55);
        let codes =
            ground.map(|it| it.value.split(',').filter_map(|code| code.parse().ok()).collect());
        let reserved = record.entry.as_deref().and_then(|entry: &Entry| entry.address);
        (codes, record.boot.address.or(reserved))
    }

    /// The subnet that it stands in; before it has an address the only one, if there is but one.
    fn subnet_for(&self, client: &Client, address: Option<Ipv4Addr>) -> Option<&Subnet> {
        let address = address.or(client.reserved);
        match (address, &*self.settings().dhcp.subnets) {
            (Some(address), _) => subnet_of(self.settings(), IpAddr::V4(address)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// What the DHCP server sends, in its order and as it travels.
    fn sent(&self, client: &Client, subnet: &Subnet, own: Ipv4Addr, asked: &[u8]) -> Sent {
        if !is_admitted(subnet, client) {
            return Sent::new();
        }
        let time = u32::try_from(subnet.lease_time.as_secs()).unwrap_or(u32::MAX);
        let head = [
            (code::SERVER_ID, own.octets().to_vec()),
            (code::LEASE_TIME, time.to_be_bytes().to_vec()),
        ];
        head.into_iter().chain(self.options(client, subnet, own, asked)).collect()
    }

    /// What another server would have to send to a family, where no subnet of ours says more.
    fn apart(&self, rule: &DhcpRule, own: Ipv4Addr) -> Sent {
        let values = bootstrap::Told {
            servers: &[own],
            http: &http_base(self.settings(), own.into()),
            registrars: registrars(self.settings(), DEFAULT),
            vlan: String::new(),
        };
        server_content(Some(rule), &values)
    }

    /// Where its family looks, each with what it finds there.
    fn honours(
        &self,
        client: &Client,
        own: Ipv4Addr,
        (asked, sent): (&[u8], Option<&Sent>),
    ) -> Vec<ToldOption> {
        let Some(rule) = self.rule(client) else { return Vec::new() };
        let apart = if sent.is_none() { self.apart(rule, own) } else { Sent::new() };
        let found = sent.unwrap_or(&apart);
        let text = |server: &ServerOption| {
            let (_, content) = found.iter().find(|(code, _)| *code == server.code)?;
            match server.sub {
                None => Some(names::text(server.code, content)),
                Some(sub) => names::part(server.code, content, sub).map(names::plain),
            }
        };
        let honoured = |server: &ServerOption| {
            one(server.code, server.sub, text(server).unwrap_or_default(), asked)
        };
        rule.servers.iter().map(honoured).collect()
    }

    fn in_words(told: &Told, client: &Client, subnet: Option<&Subnet>, heard: Heard<'_>) -> String {
        let order = told.honours.iter().map(ToldOption::called).collect::<Vec<_>>().join(", then ");
        let first = match order.as_str() {
            "" if client.vendor.is_none() => {
                "What it is made by is not known yet, so neither is what it reads.".to_owned()
            }
            "" => "Which option its family reads is not known here.".to_owned(),
            order => format!("It looks for its server in {order}."),
        };
        let taken = told.uses.and_then(|at| told.honours.get(at));
        let then = match (told.mode, heard, taken) {
            (DhcpMode::Serve, _, _) if subnet.is_none() => {
                "No subnet in the settings is known to be its own yet.".to_owned()
            }
            (DhcpMode::Serve, ..) if told.options.is_empty() => {
                "It gets no address here: `admit` leaves it out.".to_owned()
            }
            (DhcpMode::Serve, _, Some(taken)) => {
                format!("It is sent {}, so it goes to {}.", taken.called(), taken.text)
            }
            (DhcpMode::Serve, _, None)
                if client.kind == ClientKind::Unknown || order.is_empty() =>
            {
                "It is sent what most phones understand.".to_owned()
            }
            (DhcpMode::Serve, _, None) => "It is sent none of these.".to_owned(),
            (_, Some((by, servers)), Some(taken)) => {
                let text = servers.iter().find(|(code, _)| *code == taken.code);
                let text = text.map_or("", |(_, text)| text);
                format!("{by} sends it {}, so it goes to {text}.", taken.called())
            }
            (_, Some((by, _)), None) => {
                format!("{by}, which answers here, sends it none of these.")
            }
            (DhcpMode::Observe, None, _) => {
                "Another server answers here; it was not heard yet.".to_owned()
            }
            (DhcpMode::Off, None, _) => {
                "Another server gives addresses here, and what it sends is not known.".to_owned()
            }
        };
        format!("{first} {then}")
    }
}

impl ToldOption {
    /// `option 160`, `option 43.1`.
    #[must_use]
    pub fn called(&self) -> String {
        match self.sub {
            None => format!("option {}", self.code),
            Some(sub) => format!("option {}.{sub}", self.code),
        }
    }
}

fn one(code: u8, sub: Option<u8>, text: String, asked: &[u8]) -> ToldOption {
    ToldOption { code, sub, name: names::name(code), text, asked: asked.contains(&code) }
}

fn named(subnet: &Subnet) -> String {
    format!("{}/{}", subnet.network, subnet.prefix)
}

/// The rule of the DHCP server about who gets an address.
fn is_admitted(subnet: &Subnet, client: &Client) -> bool {
    match subnet.admit {
        Admit::All => true,
        Admit::Phones => client.listed || client.kind == ClientKind::Phone,
        Admit::Listed => client.listed,
    }
}
