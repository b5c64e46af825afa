//! Forms of what happened and of files on their way.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Asked, Carrier, Event, Granted, Load, Mac, Outcome, Recalled, Registration, Rejection, Reply,
    Required, Role, Step, Timestamp, Told, Transfer, Unserved, What,
};

use super::form;

form!(
    Event => EventForm,
    Load => LoadForm,
    Outcome => OutcomeForm,
    Recalled => RecalledForm,
    Registration => RegistrationForm,
    Required => RequiredForm,
    Told => ToldForm,
    Transfer => TransferForm,
);

#[derive(Deserialize, Serialize)]
#[serde(remote = "Event")]
struct EventForm {
    #[serde(with = "super::text")]
    at: Timestamp,
    #[serde(with = "WhatForm")]
    what: What,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Granted", rename_all = "kebab-case")]
enum GrantedForm {
    Selected,
    Rebooted,
    Renewed,
    Rebound,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Unserved", rename_all = "kebab-case")]
enum UnservedForm {
    PoolExhausted,
    NotAdmitted,
    NoSubnet,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "What", rename_all = "kebab-case")]
enum WhatForm {
    Discovered {
        relay: Option<Ipv4Addr>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        port: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        shows: String,
    },
    Rivalled {
        server: Ipv4Addr,
        #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
        hardware: Option<Mac>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beside: Option<Ipv4Addr>,
    },
    Mistaken {
        name: String,
        #[serde(with = "super::text")]
        of: Mac,
    },
    Offered {
        address: Ipv4Addr,
    },
    Requested {
        address: Ipv4Addr,
        server: Option<Ipv4Addr>,
    },
    Told {
        by: Ipv4Addr,
        servers: Vec<(u8, String)>,
    },
    Leased {
        address: Ipv4Addr,
        #[serde(with = "super::text")]
        until: Timestamp,
        #[serde(with = "GrantedForm")]
        granted: Granted,
    },
    Nak {
        address: Ipv4Addr,
        why: String,
    },
    Unserved(#[serde(with = "UnservedForm")] Unserved),
    Declined {
        address: Ipv4Addr,
    },
    Released {
        address: Ipv4Addr,
    },
    Informed {
        address: Ipv4Addr,
    },
    Appeared {
        address: Ipv4Addr,
    },
    Opened {
        #[serde(with = "AskedForm")]
        asked: Asked,
        length: u64,
    },
    Progress {
        name: String,
        bytes: u64,
        length: u64,
    },
    Ended {
        #[serde(with = "AskedForm")]
        asked: Asked,
        bytes: u64,
        length: u64,
        #[serde(with = "OutcomeForm")]
        outcome: Outcome,
        etag: String,
        normal: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        source: String,
    },
    Unchanged {
        #[serde(with = "AskedForm")]
        asked: Asked,
        etag: String,
    },
    Refused {
        #[serde(with = "AskedForm")]
        asked: Asked,
        why: String,
        normal: bool,
    },
    Admitted {
        number: String,
    },
    Registration {
        by: String,
        #[serde(with = "StepForm")]
        step: Step,
    },
    Recalled {
        event: String,
        #[serde(with = "ReplyForm")]
        reply: Reply,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Recalled")]
struct RecalledForm {
    #[serde(with = "super::text")]
    at: Timestamp,
    event: String,
    #[serde(with = "ReplyForm")]
    reply: Reply,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Reply", rename_all = "kebab-case")]
enum ReplyForm {
    Accepted { code: u16 },
    Refused { code: u16, text: String, signed: bool },
    Silent,
    Unsent { text: String },
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Step", rename_all = "kebab-case")]
enum StepForm {
    Asked,
    Accepted,
    Rejected {
        #[serde(with = "RejectionForm")]
        why: Rejection,
        text: String,
    },
    Ended {
        text: String,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Rejection", rename_all = "kebab-case")]
enum RejectionForm {
    Challenged,
    Forbidden,
    Unknown,
    Version,
    Security,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Registration")]
struct RegistrationForm {
    #[serde(with = "super::text")]
    at: Timestamp,
    by: String,
    #[serde(with = "StepForm")]
    step: Step,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Load")]
struct LoadForm {
    name: String,
    #[serde(with = "CarrierForm")]
    carrier: Carrier,
    times: u32,
    round: u32,
    #[serde(with = "super::text")]
    at: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Told")]
struct ToldForm {
    by: Ipv4Addr,
    servers: Vec<(u8, String)>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Carrier", rename_all = "kebab-case")]
enum CarrierForm {
    Tftp,
    Http,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Role", rename_all = "kebab-case")]
enum RoleForm {
    Own,
    Common,
    Fallback,
    Trust,
    Firmware,
    Extra,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Required")]
struct RequiredForm {
    slot: u8,
    of: u8,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Asked")]
struct AskedForm {
    name: String,
    #[serde(with = "CarrierForm")]
    carrier: Carrier,
    #[serde(with = "RoleForm")]
    role: Role,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    required: Option<Required>,
    first: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Outcome", rename_all = "kebab-case")]
enum OutcomeForm {
    Complete,
    Aborted { text: String },
    TimedOut,
    Failed { text: String },
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Transfer")]
struct TransferForm {
    name: String,
    #[serde(with = "CarrierForm")]
    carrier: Carrier,
    #[serde(with = "RoleForm")]
    role: Role,
    bytes: u64,
    length: u64,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    normal: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source: String,
    #[serde(with = "super::text")]
    at: Timestamp,
}
