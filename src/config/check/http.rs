//! `[http]`: where phones and operators are served, and that nobody gets in without being asked.

use std::net::SocketAddr;

use super::{
    super::{
        Http,
        tables::{At, HttpTable},
    },
    Check, value,
};

/// The whole table.
pub fn http(check: &mut Check<'_>, table: &HttpTable) -> Http {
    let default = Http::default();
    let phones = check.list(table.phones.as_deref(), value::listen).unwrap_or(default.phones);
    let operators =
        check.list(table.operators.as_deref(), value::listen).unwrap_or(default.operators);
    conflicts(check, table.operators.as_deref(), &phones);
    // Told once, at whichever of the two lists was written; at the operators' if both were.
    conflicts(check, table.phones.as_deref().filter(|_| table.operators.is_none()), &operators);
    guarded(check, table);
    let hash = check.secret(
        "password-hash",
        table.password_hash.as_ref(),
        table.password_hash_file.as_ref(),
    );
    if hash.as_ref().is_some_and(|hash| !is_argon2id(hash.reveal())) {
        let given = table.password_hash.as_ref().or(table.password_hash_file.as_ref());
        let at = given.map_or(0, |given| given.span().start);
        check.error(at, "`password-hash` is no argon2id hash", "`ringup password` makes one");
    }
    Http {
        phones,
        operators,
        password_hash: hash,
        token: check.secret("token", table.token.as_ref(), table.token_file.as_ref()),
        hosts: check.list(table.hosts.as_deref(), value::host).unwrap_or_default(),
    }
}

/// Whoever reaches the operators' port can change every phone: other machines need a password or token.
fn guarded(check: &mut Check<'_>, table: &HttpTable) {
    let keys = [&table.password_hash, &table.password_hash_file, &table.token, &table.token_file];
    if keys.iter().any(|key| key.is_some()) {
        return;
    }
    for given in table.operators.as_deref().unwrap_or_default() {
        let reachable = |address: SocketAddr| !address.ip().is_loopback();
        if given.get_ref().parse().is_ok_and(reachable) {
            let text = format!(
                "operators at {} can be reached from other machines, and there is no password",
                given.get_ref()
            );
            let help = "put the output of `ringup password` into [http] as password-hash, or set a token; \
                        else listen on 127.0.0.1";
            check.missing(given.span().start, text, help);
        }
    }
}

/// One port can't be both the phones' and the operators'.
fn conflicts(check: &mut Check<'_>, given: Option<&[At<String>]>, others: &[SocketAddr]) {
    for value in given.unwrap_or_default() {
        let Ok(address) = value.get_ref().parse::<SocketAddr>() else { continue };
        let same = |other: &&SocketAddr| {
            let any = other.ip().is_unspecified() || address.ip().is_unspecified();
            other.port() == address.port() && (any || other.ip() == address.ip())
        };
        if let Some(other) = others.iter().find(same) {
            let text = format!("{address} is where {other} listens already");
            let help = "phones and operators need a port each: operators can do more than phones";
            check.error(value.span().start, text, help);
        }
    }
}

/// The outer form of RFC 9106's hash in PHC text: variant, version, parameters, salt, hash.
fn is_argon2id(hash: &str) -> bool {
    let parts: Vec<&str> = hash.split('$').collect();
    let filled = parts.iter().skip(1).all(|part| !part.is_empty());
    hash.starts_with("$argon2id$v=19$m=") && parts.len() == 6 && filled
}
