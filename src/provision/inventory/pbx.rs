//! Accounts in the forms of PBXs, so that they know what the phones register as.

use std::fmt::Write;

use csv::WriterBuilder;

use crate::{
    config::{Settings, Srtp, Transport},
    domain::{Entry, Mac},
    profile::Catalog,
    store::State,
};

use super::{
    Fault,
    account::{Account, Open, accounts},
    cell,
};

/// Whose form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pbx {
    /// `pjsip.conf` of Asterisk: endpoint, auth and aor of each account.
    Asterisk,
    /// A file for `directory/default/` of FreeSWITCH.
    FreeSwitch,
    /// The extensions CSV of 3CX.
    ThreeCx,
}

/// Accounts as a PBX takes them, without mailboxes. Lines without a SIP password are left out, and said to be.
///
/// Without `secrets`, `pjsip.conf` lacks its auth sections, so that Asterisk turns everybody away until they are there,
/// and the CSV lacks its passwords. FreeSWITCH lets anybody in who claims to be a user without a password: its
/// directory is written with passwords or not at all.
///
/// # Errors
///
/// Everything that the form can't carry, or should not.
pub fn export_pbx(
    pbx: Pbx,
    state: &State,
    (settings, catalog): (&Settings, &Catalog),
    filter: &dyn Fn(Mac, &Entry) -> bool,
    secrets: bool,
) -> Result<String, Vec<Fault>> {
    let (accounts, open) = accounts(state, settings, filter)?;
    let faults: Vec<Fault> =
        accounts.iter().flat_map(|account| unfit(pbx, account, secrets)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    match pbx {
        Pbx::Asterisk => Ok(pjsip(&accounts, &open, secrets)),
        Pbx::FreeSwitch if secrets => Ok(directory(&accounts, &open)),
        Pbx::FreeSwitch => {
            let reason = "FreeSWITCH lets anybody in who claims to be a user without a password";
            Err(vec![Fault::new("sip-password", reason).repair("export with --secrets")])
        }
        Pbx::ThreeCx => Ok(three_cx(&accounts, catalog, secrets)),
    }
}

/// What of an account a form can't carry.
fn unfit(pbx: Pbx, account: &Account<'_>, secrets: bool) -> Vec<Fault> {
    let phone = account.phones.first().map(|(mac, _)| mac.to_string()).unwrap_or_default();
    let fault = |column: &str, reason: &str| Fault::new(format!("{phone} {column}"), reason);
    let mut faults = Vec::new();
    let password = if secrets { account.password.reveal() } else { "" };
    let reads_formula = |text: &str| {
        cell::neutral(text) != text
            && !text.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())
    };
    match pbx {
        Pbx::Asterisk => {
            // The name of a section, and part of the lists `aors` and `auth`.
            if account.user.chars().any(|c| c.is_whitespace() || "[](),;\"<>@=".contains(c)) {
                faults
                    .push(fault("sip-user", "pjsip.conf can't have this as the name of a section"));
            }
            if password.trim() != password {
                faults.push(fault("sip-password", "pjsip.conf drops blanks at its ends"));
            }
        }
        Pbx::FreeSwitch => {
            // Expanded as variables, and in a name even as calls of functions.
            for (column, text) in [
                ("sip-user", account.user),
                ("name", account.name),
                ("number", account.number),
                ("sip-password", password),
            ] {
                if text.contains("${") {
                    faults.push(fault(column, "FreeSWITCH would take `${` in it for a variable"));
                }
            }
        }
        Pbx::ThreeCx => {
            if !account.number.bytes().all(|octet| octet.is_ascii_digit()) {
                faults.push(fault("number", "3CX takes digits only for an extension"));
            }
            // An apostrophe in front, as names get, would make another account of it.
            for (column, text) in [("sip-user", account.user), ("sip-password", password)] {
                if reads_formula(text) {
                    faults.push(fault(column, "a spreadsheet would run it as a formula"));
                }
            }
        }
    }
    faults
}

/// Sections as the documentation of `res_pjsip` has them (docs.asterisk.org, "`res_pjsip`: SIP Resource using
/// `PJProject`"). An endpoint is found by the user that a request comes from, and a registration goes to the aor of the
/// user that it is for, so all three have that name; they differ by `type`.
fn pjsip(accounts: &[Account<'_>], open: &[Open], secrets: bool) -> String {
    let mut out = String::from(
        "; Accounts of phones, by ringup. To be included in pjsip.conf, which has the transports.\n",
    );
    if !secrets {
        out.push_str("; Without auth sections, so nobody can register: export with --secrets.\n");
    }
    for Open { phone, line } in open {
        let _ = writeln!(out, "; {phone}: line {line} has no SIP password and is left out.");
    }
    for account in accounts {
        let user = account.user;
        let caller = plain(account.name);
        let _ = write!(
            out,
            "\n[{user}]\ntype = endpoint\ncontext = from-internal\ndisallow = all\nallow = g722,alaw,ulaw\n\
             auth = {user}\naors = {user}\ncallerid = {}\n",
            escaped(&format!("\"{caller}\" <{}>", plain(account.number))),
        );
        out.push_str(media(account));
        if secrets {
            let _ = write!(
                out,
                "\n[{user}]\ntype = auth\nauth_type = userpass\nusername = {user}\npassword = {}\n",
                escaped(account.password.reveal()),
            );
        }
        // A phone that was restarted takes the place of its own old contact.
        let _ = write!(
            out,
            "\n[{user}]\ntype = aor\nmax_contacts = {}\nremove_existing = yes\n",
            account.phones.len()
        );
    }
    out
}

/// What a site says of media, in the words of an endpoint.
fn media(account: &Account<'_>) -> &'static str {
    match account.site.map(|site| site.srtp).unwrap_or_default() {
        Srtp::Off => "",
        Srtp::Offered => "media_encryption = sdes\nmedia_encryption_optimistic = yes\n",
        Srtp::Required => "media_encryption = sdes\n",
    }
}

/// Text that fits between quotes and angle brackets of a caller id.
fn plain(text: &str) -> String {
    text.replace('"', "'").replace('<', "(").replace('>', ")").replace('\\', "/")
}

/// A value in which a semicolon begins no comment.
fn escaped(text: &str) -> String {
    text.replace(';', "\\;")
}

/// Users as FreeSWITCH's documentation has them (developer.signalwire.com, "XML User Directory"). Its shipped
/// `directory/default.xml` includes every file of `directory/default/`, so the domain is that of its settings.
fn directory(accounts: &[Account<'_>], open: &[Open]) -> String {
    let mut out = String::from("<include>\n  <!-- Accounts of phones, by ringup. -->\n");
    for Open { phone, line } in open {
        let _ =
            writeln!(out, "  <!-- {phone}: line {line} has no SIP password and is left out. -->");
    }
    for account in accounts {
        let alias = if account.number == account.user {
            String::new()
        } else {
            format!(" number-alias=\"{}\"", xml(account.number))
        };
        let _ = writeln!(out, "  <user id=\"{}\"{alias}>\n    <params>", xml(account.user));
        let _ = writeln!(
            out,
            "      <param name=\"password\" value=\"{}\"/>\n    </params>\n    <variables>",
            xml(account.password.reveal())
        );
        for (name, value) in [
            ("user_context", "default"),
            ("accountcode", account.number),
            ("effective_caller_id_name", account.name),
            ("effective_caller_id_number", account.number),
        ] {
            let _ = writeln!(out, "      <variable name=\"{name}\" value=\"{}\"/>", xml(value));
        }
        out.push_str("    </variables>\n  </user>\n");
    }
    out.push_str("</include>\n");
    out
}

/// Text inside a quoted attribute.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

/// The columns of 3CX's extensions CSV, whose places are fixed, with what a plain extension has in each. Switches that
/// carry no account stay off: no voice mail, no web meetings, no tunnel.
const COLUMNS: [(&str, &str); 62] = [
    ("Number", ""),
    ("FirstName", ""),
    ("LastName", ""),
    ("EmailAddress", ""),
    ("MobileNumber", ""),
    ("AuthID", ""),
    ("AuthPassword", ""),
    ("WebMeetingFriendlyName", ""),
    ("WebMeetingPrivateRoom", "0"),
    ("ClickToCall", "0"),
    ("ClickToCallFriendlyName", ""),
    ("WebMeetingAcceptReject", "0"),
    ("EnableVoicemail", "0"),
    ("VMNoPin", "0"),
    ("VMPlayCallerID", "0"),
    ("PIN", ""),
    ("VMPlayMsgDateTime", "0"),
    ("VMEmailOptions", "0"),
    ("QueueStatus", "0"),
    ("OutboundCallerID", ""),
    ("SIPID", ""),
    ("DeliverAudio", "0"),
    ("SupportReinvite", "1"),
    ("SupportReplaces", "1"),
    ("EnableSRTP", "0"),
    ("ManagementAccess", "0"),
    ("ReporterAccess", "0"),
    ("WallboardAccess", "0"),
    ("TurnOffMyPhone", "0"),
    ("HideFWrules", "0"),
    ("CanSeeRecordings", "0"),
    ("CanDeleteRecordings", "0"),
    ("RecordCalls", "0"),
    ("CallScreening", "0"),
    ("EmailMissedCalls", "0"),
    ("Disabled", "0"),
    ("DisableExternalCalls", "0"),
    ("AllowLanOnly", "0"),
    ("BlockRemoteTunnel", "0"),
    ("PinProtect", "0"),
    ("MAC_0", ""),
    ("InterfaceIP_0", ""),
    ("UseTunnel", "0"),
    ("DND", "0"),
    ("UseCTI", "0"),
    ("StartupScreen", "0"),
    ("HotelModuleAccess", "0"),
    ("DontShowExtInPHBK", "0"),
    ("DeskphoneWebPass", ""),
    ("SrvcAccessPwd", ""),
    ("VoipAdmin", "0"),
    ("SysAdmin", "0"),
    ("SecureSIP", "0"),
    ("PhoneModel14", ""),
    ("PhoneTemplate14", ""),
    ("CustomTemplate", ""),
    ("PhoneSettings", ""),
    ("AllowAllRecordings", "0"),
    ("PushExtension", "1"),
    ("Integration", "0"),
    ("AllowOwnRecordings", "0"),
    ("RecordExternalCallsOnly", "0"),
];

/// The CSV that 3CX imports under Users (3cx.com/blog/docs/bulk-extension-import). The phone of an extension is its
/// first; a template is not named, because the phones get their files here.
fn three_cx(accounts: &[Account<'_>], catalog: &Catalog, secrets: bool) -> String {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    // Writing to memory can't fail, and every row has as many cells as the header.
    let _ = writer.write_record(COLUMNS.map(|(name, _)| name));
    for account in accounts {
        let (first, last) = account.name.split_once(' ').unwrap_or((account.name, ""));
        let (mac, model) =
            account.phones.first().map_or((String::new(), String::new()), |(mac, model)| {
                let vendor = catalog.model(model).map(|(family, _)| format!("{} ", family.vendor));
                (mac.upper(), format!("{}{model}", vendor.unwrap_or_default()))
            });
        let site = account.site;
        let srtp = site.is_some_and(|site| site.srtp != Srtp::Off);
        let tls = site.is_some_and(|site| site.sip_transport == Transport::Tls);
        let on = |yes: bool| if yes { "1" } else { "0" }.to_owned();
        let record = COLUMNS.map(|(name, usual)| match name {
            "Number" => account.number.to_owned(),
            "FirstName" => cell::neutral(first),
            "LastName" => cell::neutral(last),
            "AuthID" => account.user.to_owned(),
            "AuthPassword" if secrets => account.password.reveal().to_owned(),
            "EnableSRTP" => on(srtp),
            "SecureSIP" => on(tls),
            "MAC_0" => mac.clone(),
            "PhoneModel14" => cell::neutral(&model),
            _ => usual.to_owned(),
        });
        let _ = writer.write_record(record);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
