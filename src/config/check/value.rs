//! Readers of single values: from text to value, or what is wrong and what would be right.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::super::NumberRange;

/// Reads one value. The error is the problem's text and its remedy.
pub type Read<T> = fn(&str) -> Result<T, (String, String)>;

type Refused = (String, String);

fn refused<T>(text: impl Into<String>, help: impl Into<String>) -> Result<T, Refused> {
    Err((text.into(), help.into()))
}

/// The longest duration: what option 51 can carry and still is no "for ever".
const MAX_DURATION: u64 = u32::MAX as u64 - 1;

/// A duration of one or more parts: `90s`, `30m`, `24h`, `1h30m`, `90d`, `2w`.
pub fn duration(text: &str) -> Result<Duration, Refused> {
    let bad = || {
        let text = format!("`{text}` is no duration");
        (text, "a number with its unit, such as \"90s\", \"30m\", \"24h\" or \"90d\"".to_owned())
    };
    let mut rest = text.trim();
    let mut seconds = 0_u64;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = rest[..unit].parse().map_err(|_| bad())?;
        let factor = match rest.as_bytes()[unit] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return Err(bad()),
        };
        let part = number.checked_mul(factor).ok_or_else(bad)?;
        seconds = seconds.checked_add(part).ok_or_else(bad)?;
        rest = &rest[unit + 1..];
    }
    if seconds > MAX_DURATION {
        return refused(format!("`{text}` is too long"), "at most 49710 days");
    }
    Ok(Duration::from_secs(seconds))
}

/// A range of directory numbers, `4000-4199`.
pub fn numbers(text: &str) -> Result<NumberRange, Refused> {
    let example = "first and last, such as \"4000-4199\"";
    let digits = |part: &str| {
        let part = part.trim();
        let all = part.bytes().all(|byte| byte.is_ascii_digit()) && part.len() <= 18;
        all.then(|| Some((part.parse::<u64>().ok()?, part.len()))).flatten()
    };
    let parts = text.split_once('-').and_then(|(a, b)| Some((digits(a)?, digits(b)?)));
    let Some(((first, width), (last, other))) = parts else {
        return refused(format!("`{text}` is no range of numbers"), example);
    };
    if width != other {
        let help = "leading zeros count: write both with as many digits as the phones have";
        return refused(format!("the numbers {text} have {width} and {other} digits"), help);
    }
    if first > last {
        return refused(format!("the numbers {text} run backwards"), "the smaller number first");
    }
    Ok(NumberRange { first, last, width })
}

/// A route: a network and the router that leads there, `10.0.0.0/8 via 10.20.0.1`.
pub fn route(text: &str) -> Result<(Ipv4Addr, u8, Ipv4Addr), Refused> {
    let parts = text.split_once(" via ").and_then(|(to, via)| {
        let (to, prefix) = to.trim().split_once('/')?;
        let (to, prefix) = (to.parse::<Ipv4Addr>().ok()?, prefix.parse::<u8>().ok()?);
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix.into())?).unwrap_or(0);
        let is_start = u32::from(to) & !mask == 0;
        Some((to, prefix, via.trim().parse::<Ipv4Addr>().ok()?)).filter(|_| is_start)
    });
    let example = "network and router, such as \"10.0.0.0/8 via 10.20.0.1\"";
    parts.map_or_else(|| refused(format!("`{text}` is no route"), example), Ok)
}

/// An IPv4 address of one host.
pub fn address(text: &str) -> Result<Ipv4Addr, Refused> {
    match text.trim().parse::<Ipv4Addr>() {
        Ok(address) if address.is_unspecified() || address.is_broadcast() => {
            refused(format!("{address} is no host's address"), "")
        }
        Ok(address) if address.is_multicast() => {
            refused(format!("{address} is a multicast address"), "the address of one host")
        }
        Ok(address) => Ok(address),
        Err(_) => refused(
            format!("`{text}` is no IPv4 address"),
            "four numbers, such as \"10.20.0.1\"; DHCP options carry no host names",
        ),
    }
}

/// Addresses, first and last inclusive: `10.0.0.10-10.0.0.99`, or one alone.
pub fn range(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), Refused> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let parse = |part: &str| part.trim().parse::<Ipv4Addr>().ok();
    let (Some(first), Some(last)) = (parse(first), parse(last)) else {
        let help = "first and last address, such as \"10.20.0.50-10.20.3.250\"";
        return refused(format!("`{text}` is no range of addresses"), help);
    };
    if first > last {
        return refused(format!("the range {text} runs backwards"), format!("{last}-{first}"));
    }
    Ok((first, last))
}

/// A network and its prefix length, `10.20.0.0/22`.
pub fn network(text: &str) -> Result<(Ipv4Addr, u8), Refused> {
    let parts = text.split_once('/').and_then(|(a, p)| {
        Some((a.trim().parse::<Ipv4Addr>().ok()?, p.trim().parse::<u8>().ok()?))
    });
    let Some((network, prefix)) = parts else {
        let help = "network and prefix length, such as \"10.20.0.0/22\"";
        return refused(format!("`{text}` is no subnet"), help);
    };
    if !(1..=30).contains(&prefix) {
        let help =
            "a prefix length from /1 to /30: phones, ringup and a router need addresses in it";
        return refused(format!("the subnet {text} can't be used"), help);
    }
    let mask = u32::MAX << (32 - u32::from(prefix));
    let start = Ipv4Addr::from(u32::from(network) & mask);
    if start != network {
        let text = format!("{network} is an address inside a subnet, not its start");
        return refused(text, format!("\"{start}/{prefix}\""));
    }
    if network.is_multicast() || network.octets()[0] == 0 || network.octets()[0] >= 240 {
        return refused(format!("{text} holds no addresses for phones"), "");
    }
    Ok((network, prefix))
}

/// Where to listen: address and port.
pub fn listen(text: &str) -> Result<SocketAddr, Refused> {
    if let Ok(address) = text.trim().parse::<SocketAddr>() {
        if address.port() == 0 {
            return refused(format!("{text} has no port to listen on"), "a port from 1 to 65535");
        }
        return Ok(address);
    }
    let help = match text.trim().parse::<IpAddr>() {
        Ok(ip) => format!("with a port: \"{}\"", SocketAddr::new(ip, 8080)),
        Err(_) => "address and port, such as \"0.0.0.0:80\"".to_owned(),
    };
    refused(format!("`{text}` is no address to listen on"), help)
}

/// A host name or address as phones get it, without a port.
pub fn host(text: &str) -> Result<String, Refused> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if text.is_empty() || !text.chars().all(fits) {
        return refused(
            format!("`{}` is no host", text.escape_debug()),
            "a host name or an address",
        );
    }
    if text.contains(':') && text.parse::<IpAddr>().is_err() {
        let (host, port) = text.split_once(':').unwrap_or((text, ""));
        let help = format!("address = \"{host}\", port = {port}");
        return refused(format!("`{text}` is more than a host"), help);
    }
    Ok(text.to_owned())
}

/// A DNS domain for option 15.
pub fn domain(text: &str) -> Result<String, Refused> {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if text.len() > 253 || !text.trim_end_matches('.').split('.').all(label) {
        return refused(
            format!("`{}` is no domain name", text.escape_debug()),
            "such as \"voice.example\"",
        );
    }
    Ok(text.to_owned())
}

/// The name of a network interface, as the kernel allows it (IFNAMSIZ is 16 with its NUL).
pub fn interface(text: &str) -> Result<String, Refused> {
    let bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    if text.is_empty() || text.len() > 15 || text.contains(bad) {
        return refused(
            format!("`{}` is no interface", text.escape_debug()),
            "`ip link` lists them",
        );
    }
    Ok(text.to_owned())
}

/// An IANA time zone that the zone database knows.
pub fn time_zone(text: &str) -> Result<String, Refused> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => refused(
            format!("no time zone is called `{}`", text.escape_debug()),
            "a name of the IANA database, such as \"Europe/Paris\" or \"America/New_York\"",
        ),
    }
}

/// Text that every format can carry: no control characters, nothing that XML 1.0 has no place for.
pub fn text(text: &str) -> Result<String, Refused> {
    let bad = |c: char| c.is_control() && c != '\t' || matches!(c, '\u{fffe}' | '\u{ffff}');
    match text.chars().find(|c| bad(*c)) {
        Some(found) => refused(
            format!("`{}` has the character U+{:04X} in it", text.escape_debug(), found as u32),
            "phones' files can't carry it; remove it",
        ),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, seconds| {
            assert_eq!(duration(text).ok().map(|d| d.as_secs()), seconds, "{text}");
        };
        check("90s", Some(90));
        check("30m", Some(1800));
        check("24h", Some(86_400));
        check("90d", Some(7_776_000));
        check("1h30m", Some(5400));
        check("2w", Some(1_209_600));
        for bad in ["", "24", "h", "24 h", "1y", "-1h", "1.5h", "99999999999999999999s", "600000d"]
        {
            check(bad, None);
        }
    }

    #[test]
    fn number_ranges() {
        let check = |text: &str, expected: Option<(u64, u64, usize)>| {
            let range = numbers(text).ok().map(|r| (r.first, r.last, r.width));
            assert_eq!(range, expected, "{text}");
        };
        check("4000-4199", Some((4000, 4199, 4)));
        check("0100 - 0199", Some((100, 199, 4)));
        check("7-7", Some((7, 7, 1)));
        for bad in [
            "",
            "4000",
            "4000-",
            "-4199",
            "4199-4000",
            "400-4199",
            "4k-5k",
            "+4-+5",
            "1-9999999999999999999",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn hosts() {
        let check = |text: &str, fits| assert_eq!(host(text).is_ok(), fits, "{text}");
        check("10.20.0.5", true);
        check("pbx.voice.example", true);
        check("2001:db8::1", true);
        check("10.20.0.5:5060", false);
        check("sip:pbx", false);
        check("a b", false);
        check("", false);
    }

    proptest::proptest! {
        /// No text, however odd, makes a reader panic; what is read is within its bounds.
        #[test]
        fn any_text(typed in "\\PC{0,24}|[0-9./:hms-]{0,24}") {
            if let Ok(range) = numbers(&typed) {
                assert!(range.first <= range.last);
            }
            if let Ok((first, last)) = range(&typed) {
                assert!(first <= last);
            }
            if let Ok((_, prefix)) = network(&typed) {
                assert!((1..=30).contains(&prefix));
            }
            let _ = (duration(&typed), address(&typed), listen(&typed), host(&typed));
            let _ = (domain(&typed), interface(&typed), time_zone(&typed), text(&typed));
        }
    }
}
