//! What is understood and what is granted, by RFC.

use super::*;

/// A way with room for any block.
const WIDE: Limits = Limits { block: u16::MAX, window: WINDOW_LIMIT };

/// `OPTION=VALUE …` of an RRQ → `block window timeout | OACK` or the ERROR, for a file of 100,000 bytes.
fn granted(mode: &[u8], options: &str, limits: Limits) -> String {
    let settings = options
        .split_whitespace()
        .filter_map(|option| option.split_once('='))
        .map(|(name, value)| Setting { name: name.as_bytes(), value: value.as_bytes() })
        .collect();
    let request = Request { name: b"load.bin", mode: Mode::from(mode), options: settings };
    let terms = match Ask::read(&request) {
        Ok(ask) => ask.grant(100_000, limits),
        Err(no) => return format!("ERROR {}", no.code.0),
    };
    let timeout = terms.timeout.map_or(0, |timeout| timeout.as_secs());
    let offer = terms.offer.map_or("no OACK".into(), |offer| match Packet::decode(&offer) {
        Ok(Packet::OptionsAck(settings)) => settings
            .iter()
            .map(|s| format!("{}={}", lossy(s.name), lossy(s.value)))
            .collect::<Vec<_>>()
            .join(" "),
        other => format!("{other:?}"),
    });
    format!("{} {} {timeout} | {offer}", terms.block_size, terms.window)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn check(asked: &str, terms: &str) {
    assert_eq!(granted(b"octet", asked, WIDE), terms, "{asked}");
}

#[test]
fn rfc_2347_an_option_is_acknowledged_only_if_it_is_known() {
    check("", "512 1 0 | no OACK");
    check("grandstream_MODEL=GXP1625 multicast=x", "512 1 0 | no OACK");
    check("rollover=0 blksize=1428", "1428 1 0 | blksize=1428");
    check("utimeout=100000", "512 1 0 | no OACK");
}

#[test]
fn rfc_2347_options_come_in_any_case_and_order_and_once() {
    check("BlkSize=1428", "1428 1 0 | BlkSize=1428");
    check("BLKSIZE=1428 TSIZE=0", "1428 1 0 | BLKSIZE=1428 TSIZE=100000");
    check("tsize=0 blksize=1428", "1428 1 0 | tsize=100000 blksize=1428");
    check("blksize=512 blksize=1428", "512 1 0 | blksize=512");
}

#[test]
fn rfc_2348_a_block_has_8_to_65464_octets_and_never_more_than_asked() {
    check("blksize=8", "8 1 0 | blksize=8");
    check("blksize=8192", "8192 1 0 | blksize=8192");
    check("blksize=65464", "65464 1 0 | blksize=65464");
    check("blksize=65535", "65464 1 0 | blksize=65464");
    check("blksize=7", "ERROR 8");
    check("blksize=0", "ERROR 8");
    check("blksize=-5", "ERROR 8");
    check("blksize=+512", "ERROR 8");
    check("blksize=big", "ERROR 8");
}

#[test]
fn rfc_2349_a_timeout_has_1_to_255_seconds_and_is_echoed() {
    check("timeout=1", "512 1 1 | timeout=1");
    check("timeout=255", "512 1 255 | timeout=255");
    check("timeout=0", "ERROR 8");
    check("timeout=256", "ERROR 8");
    check("timeout=300", "ERROR 8");
}

#[test]
fn rfc_2349_tsize_is_the_size_on_the_wire_whatever_is_asked() {
    check("tsize=0", "512 1 0 | tsize=100000");
    check("tsize=5", "512 1 0 | tsize=100000");
    check("tsize=x", "512 1 0 | tsize=100000");
    // Translated text has another size, and a wrong one is worse than none.
    assert_eq!(granted(b"netascii", "tsize=0", WIDE), "512 1 0 | no OACK");
}

#[test]
fn rfc_7440_a_window_is_never_more_than_asked_nor_than_64_blocks_or_64_kib() {
    check("windowsize=1", "512 1 0 | windowsize=1");
    check("windowsize=4", "512 4 0 | windowsize=4");
    check("windowsize=65535", "512 64 0 | windowsize=64");
    check("windowsize=16 blksize=1468", "1468 16 0 | windowsize=16 blksize=1468");
    check("windowsize=64 blksize=1468", "1468 44 0 | windowsize=44 blksize=1468");
    check("windowsize=16 blksize=8192", "8192 8 0 | windowsize=8 blksize=8192");
    check("windowsize=16 blksize=65464", "65464 1 0 | windowsize=1 blksize=65464");
    check("windowsize=0", "ERROR 8");
    check("windowsize=many", "ERROR 8");
}

#[test]
fn a_block_fits_the_way_unless_the_family_wants_more() {
    let rule = |text: &str| toml::from_str::<TransferRule>(text).unwrap();
    let check = |room, text: &str, asked: &str, terms: &str| {
        let limits = Limits::new(room, rule(text));
        assert_eq!(granted(b"octet", asked, limits), terms, "{asked} in {room} for {text:?}");
    };
    // Ethernet: 1,500 less 20 and 8 for IP and UDP.
    check(1472, "", "blksize=8192", "1468 1 0 | blksize=1468");
    check(1472, "", "blksize=1468", "1468 1 0 | blksize=1468");
    check(1472, "", "blksize=512", "512 1 0 | blksize=512");
    check(1372, "", "blksize=1428", "1368 1 0 | blksize=1368");
    check(1472, "block = 4096", "blksize=4096", "4096 1 0 | blksize=4096");
    check(1472, "block = 4096", "blksize=1024", "1024 1 0 | blksize=1024");
    check(1472, "block = 512", "blksize=1428", "512 1 0 | blksize=512");
    check(1472, "window = 4", "windowsize=16", "512 4 0 | windowsize=4");
    check(1472, "window = 1000", "windowsize=100", "512 64 0 | windowsize=64");
    // What every peer must take (RFC 1350) is not cut down further, nor a family's own word to nothing.
    check(100, "", "blksize=1428", "512 1 0 | blksize=512");
    check(1472, "block = 1", "blksize=1428", "8 1 0 | blksize=8");
    check(1472, "block = 1", "", "512 1 0 | no OACK");
}

#[test]
fn rfc_1350_modes_are_octet_and_netascii_in_any_case() {
    let check = |mode: &str, terms: &str| {
        assert_eq!(granted(mode.as_bytes(), "", WIDE), terms, "{mode}");
    };
    check("octet", "512 1 0 | no OACK");
    check("OCTET", "512 1 0 | no OACK");
    check("NetASCII", "512 1 0 | no OACK");
    // RFC 1123 §4.2.2.1: mail is obsolete and should not be there.
    check("mail", "ERROR 4");
    check("binary", "ERROR 4");
}

#[test]
fn a_name_that_is_not_utf8_is_not_found() {
    let request = Request { name: b"\xff\xfe", mode: Mode::Octet, options: Vec::new() };
    assert_eq!(Ask::read(&request).map_err(|no| no.code), Err(ErrorCode::FILE_NOT_FOUND));
}
