//! Scans as they come: a line is a text and what is said of it.

use proptest::prelude::*;

use super::{super::tests::catalog, *};

const POLY: &str = "00:04:f2:aa:bb:cc";

/// What a text says, in few words: MACs with their notes, else the kind and what is proposed.
fn told(text: &str) -> String {
    let scan = Scan::read(text, &catalog());
    let found = scan.found().iter().map(|one| {
        let notes: Vec<&str> = one.notes.iter().map(|note| note.as_str()).collect();
        format!("{} {}", one.mac, notes.join(" ")).trim_end().to_owned()
    });
    let found: Vec<String> = found.collect();
    let meant = scan.meant().map(|mac| format!(" {mac}")).unwrap_or_default();
    let model = scan.model().map(|model| format!(" {model}")).unwrap_or_default();
    if found.is_empty() { format!("{}{meant}{model}", scan.kind()) } else { found.join(", ") }
}

#[test]
fn addresses_in_every_spelling() {
    for text in [
        "0004F2AABBCC",
        "0004f2aabbcc",
        "00:04:F2:AA:BB:CC",
        "00-04-f2-aa-bb-cc",
        "0004.f2aa.bbcc",
        "0004:f2aa:bbcc",
        "000-4f2-aab-bcc",
        "0004F2-AABBCC",
        "0004F2 AABBCC",
        "00 04 F2 AA BB CC",
        "00_04_f2_aa_bb_cc",
        "0:4:f2:aa:bb:cc",
        "00\u{2013}04\u{2013}f2\u{2013}aa\u{2013}bb\u{2013}cc",
        "  0004F2AABBCC\r\n",
        "\t0004F2AABBCC\t",
        "\u{feff}0004F2AABBCC",
        "MAC:0004F2AABBCC",
        "MAC 0004F2AABBCC",
        "MAC0004F2AABBCC",
        "MAC: 00 04 F2 AA BB CC",
        "MAC ID 00 04 F2 AA BB CC",
        "MAC ID:0004F2AABBCC",
        "MAC-ID: 0004F2AABBCC",
        "MAC ADDR: 0004F2AABBCC",
        "MAC Address (LAN): 00:04:F2:AA:BB:CC",
        "mac address=0004f2aabbcc",
        "ETH: 0004F2AABBCC",
        "ETH0-0004F2AABBCC",
        "Ethernet MAC 0004.f2aa.bbcc",
        "SEP0004F2AABBCC",
        "SEP0004F2AABBCC.cnf.xml",
        "ATA0004F2AABBCC",
        "0004f2aabbcc.cfg",
        "]C10004F2AABBCC",
        "]d20004F2AABBCC",
        "]Q3\u{1d}0004F2AABBCC\u{4}",
        "(21)0004F2AABBCC",
        "(01)09312345678907(21)0004F2AABBCC",
        "http://10.0.0.1/0004f2aabbcc.cfg",
        "https://example.com/setup?mac=0004F2AABBCC&v=1",
        "https://example.com/?m=00%3A04%3AF2%3AAA%3ABB%3ACC",
        "{\"mac\":\"00:04:f2:aa:bb:cc\",\"model\":\"VVX 401\"}",
        "MAC=0004F2AABBCC|FW=5.9.0",
        "FCH2443D9R4 0004F2AABBCC",
        "S/N: FCH2443D9R4; MAC: 0004F2AABBCC",
        "P/N 2200-48400-025 MAC 0004F2AABBCC",
        "MODEL: VVX 401 MAC: 0004F2AABBCC",
        "0004F2AABBCC 00:04:f2:aa:bb:cc",
    ] {
        assert_eq!(told(text), POLY, "{text:?}");
    }
}

#[test]
fn what_is_to_know_of_an_address() {
    let check = |text: &str, expected: &str| assert_eq!(told(text), expected, "{text:?}");
    check("WLAN MAC: 0004F2AABBCC", "00:04:f2:aa:bb:cc wireless");
    check("Wi-Fi 0004F2AABBCC", "00:04:f2:aa:bb:cc wireless");
    check("MAC Address (WLAN): 0004F2AABBCC", "00:04:f2:aa:bb:cc wireless");
    check("WLAN: 0004F2AABBCD LAN: 0004F2AABBCC", "00:04:f2:aa:bb:cc, 00:04:f2:aa:bb:cd wireless");
    check("0004F2AABBCC 0004F2AABBCD", "00:04:f2:aa:bb:cc, 00:04:f2:aa:bb:cd second-port");
    check("001E7AC41022 1E7AC4102201", "00:1e:7a:c4:10:22, 1e:7a:c4:10:22:01 locally-administered");
    check("ETH1: 0004F2AABBCC", "00:04:f2:aa:bb:cc second-port");
    check("SN: 64167FAABBCC", "64:16:7f:aa:bb:cc serial-too");
    check("SN: 64167FAABBCC MAC: 64167FAABBCC", "64:16:7f:aa:bb:cc");
    check("02:04:f2:aa:bb:cc", "02:04:f2:aa:bb:cc locally-administered");
    check("0004F2AABBCC, 001565AABBCC", "00:04:f2:aa:bb:cc, 00:15:65:aa:bb:cc");
}

#[test]
fn what_is_no_address() {
    let check = |text: &str, expected: &str| assert_eq!(told(text), expected, "{text:?}");
    check("", "empty");
    check(" \t\r\n", "empty");
    check("FCH2443D9R4", "serial");
    check("CBT141400UK", "serial");
    check("S/N FCH2443D9R4", "serial");
    check("SERIAL NUMBER: 3145018080001234", "serial");
    // Linksys: twelve characters that may all be digits, behind a prefix that is nobody's.
    check("SN: CF0123456789", "serial");
    check("2200-48400-025", "part VVX401");
    check("P/N: 2200-48400-025", "part VVX401");
    check("2200-99999-025", "part");
    check("CP-7961G-GE", "part 7961G-GE");
    check("CP-9999-K9", "part");
    check("VVX 401", "part VVX401");
    check("SIP-T46S", "part T46S");
    check("4006381333931", "article");
    check("036000291452", "article");
    check("882658123456", "88:26:58:12:34:56");
    check("O004F2AABBCC", "look-alike 00:04:f2:aa:bb:cc");
    check("0004F2AABBCI", "look-alike 00:04:f2:aa:bb:c1");
    check("MAC: OO:O4:F2:AA:BB:CC", "look-alike 00:04:f2:aa:bb:cc");
    check("00 04 F2 AA BB SZ", "look-alike 00:04:f2:aa:bb:52");
    check("SEPGG1E7AC41022", "look-alike 66:1e:7a:c4:10:22");
    check("004F2AABBCC", "look-alike 00:04:f2:aa:bb:cc");
    check("99F2AABBC12", "length");
    check("0004F2AABBCCD", "length");
    check("00156512344CD", "look-alike 00:15:65:12:34:cd");
    // Which of the two pairs it was, nobody can tell.
    check("0004F2AABB7CD", "length");
    check("MAC: 0004F2", "length");
    check("01:00:5e:00:00:fb", "multicast");
    check("000000000000", "placeholder");
    check("FF:FF:FF:FF:FF:FF", "placeholder");
    check("0004F2000000", "placeholder");
    check("4012", "unknown");
    check("Front desk", "unknown");
    check("https://example.com/support", "unknown");
    check("Serial Nr.", "unknown");
}

#[test]
fn a_cell_that_is_meant_to_be_an_address() {
    let check = |text: &str, expected: &str| {
        let scan = Scan::read_mac(text);
        let said = scan.mac().or(scan.meant()).map(|mac| mac.to_string());
        assert_eq!(said.unwrap_or_else(|| scan.to_string()), expected, "{text:?}");
    };
    check("WLAN 0004F2AABBCC", POLY);
    check("WLAN 0004F2AABBCD, LAN 0004F2AABBCC", POLY);
    check("OOO4F2AABBCC", POLY);
    check("SEP00l565aabbcc", "00:15:65:aa:bb:cc");
    check("FCH2443D9R4", "FCH2443D9R4 is the serial number; the MAC is another line of the label");
    check("0004F2AABC", "10 digits where a MAC address has 12");
    check("99F2AABBC12", "11 digits where a MAC address has 12: one was dropped");
    check("0004F2AABBCC 001565AABBCC", "00:04:f2:aa:bb:cc; 00:15:65:aa:bb:cc");
    let said = Scan::read_mac("0004F2AABBCO").to_string();
    assert_eq!(said, "0004F2AABBCO is no MAC address: O stands for 0 (is it 00:04:f2:aa:bb:c0?)");
}

proptest! {
    /// Whatever is scanned, there is an answer, and what was found is found again by itself.
    #[test]
    fn any_text_has_an_answer(text in "(?s).{0,80}") {
        let scan = Scan::read(&text, &catalog());
        for found in scan.found() {
            let again = Scan::read(&found.mac.to_string(), &catalog());
            prop_assert_eq!(again.mac(), Some(found.mac));
        }
        let _ = (scan.to_string(), Scan::read_mac(&text).to_string());
    }

    /// Texts that look like labels.
    #[test]
    fn any_label_has_an_answer(text in "(SN|MAC|WLAN|SEP|S/N|\\(21\\)|\\]C1|[:=;,./% -]|[0-9A-F]{1,4}|[OILSZGQ]){0,16}") {
        for scan in [Scan::read(&text, &catalog()), Scan::read_mac(&text)] {
            for found in scan.found() {
                prop_assert_eq!(Scan::read(&found.mac.to_string(), &catalog()).mac(), Some(found.mac));
            }
            let _ = scan.to_string();
        }
    }
}

/// What a scanner says that types on one layout while the computer reads another.
fn typed(text: &str, here: Layout, scanner: Layout) -> Option<String> {
    layout::decoded(text, scanner, here)
}

#[test]
fn scanners_on_another_keyboard() {
    let catalog = catalog();
    let check = |text: &str, expected: &str| {
        let (scan, misread) = Scan::read_typed(text, None, &catalog);
        let what = scan.mac().map(|mac| mac.to_string());
        let what = what.or(scan.model().map(str::to_owned)).unwrap_or(scan.kind().to_owned());
        let on = misread.map(|it| format!(" {}/{}", it.here.id(), it.scanner.id()));
        assert_eq!(format!("{what}{}", on.unwrap_or_default()), expected, "{text}");
    };
    // As they come out of a real keyboard: `:` of a US scanner is the key of Ö, `-` that of ß.
    check("00Ö04ÖF2ÖAAÖBBÖCC", "00:04:f2:aa:bb:cc de/us");
    check("00ß04ßF2ßAAßBBßCC", "00:04:f2:aa:bb:cc de/us");
    check("00>04>F2>AA>BB>CC", "00:04:f2:aa:bb:cc us/de");
    check("ààà'F2QQBBCC", "unknown");
    check("ààà'FéQQBBCC", "00:04:f2:aa:bb:cc fr/us");
    check("ààMà'MFéMQQMBBMCC", "00:04:f2:aa:bb:cc fr/us");
    check(")))$F@QQBBCC", "00:04:f2:aa:bb:cc us/fr");
    check("2200ß48400ß025", "VVX401 de/us");
    check("RINGUP UNDO", "command");
    check("ringup  next slot", "command");
    check("RINGUP REPLQCE", "command");
    // What makes sense as it is, and what makes none anywhere.
    check("00:04:F2:AA:BB:CC", "00:04:f2:aa:bb:cc");
    check("0004F2AABBCC", "00:04:f2:aa:bb:cc");
    check("4012", "unknown");
    check("Müller & Söhne", "unknown");
    check("", "empty");
    // A number tells nothing by itself; what is known of the scanner does.
    let known = Some((Layout::French, Layout::American));
    let (_, misread) = Scan::read_typed("'à&é", known, &catalog);
    assert_eq!(misread.unwrap().text, "4012");
    assert!(Scan::read_typed("4012", None, &catalog).1.is_none());
    assert_eq!(Command::ALL.map(|it| Command::read(&it.printed())), Command::ALL.map(Some));
}

proptest! {
    /// Whatever phone's MAC in whatever spelling, on whatever pair of keyboards: it is read right, or not at all.
    #[test]
    fn any_mac_on_any_keyboard(
        tail in any::<[u8; 3]>(), separator in "[:.-]?", upper: bool, here in 0..3_usize, scanner in 0..3_usize,
    ) {
        let layouts = [Layout::American, Layout::German, Layout::French];
        let (here, scanner) = (layouts[here], layouts[scanner]);
        let octets = [&[0, 4, 0xf2], &tail[..]].concat().iter().map(|it| format!("{it:02x}")).collect::<Vec<_>>();
        let label = octets.join(&separator);
        let label = if upper { label.to_uppercase() } else { label };
        prop_assert_eq!(layout::decoded(&label, here, here), Some(label.clone()));
        let Some(typed) = typed(&label, here, scanner) else { return Ok(()) };
        let (scan, misread) = Scan::read_typed(&typed, None, &catalog());
        if let Some(mac) = scan.mac() {
            prop_assert_eq!(mac.to_string(), octets.join(":"), "{} as {:?}", typed, misread);
        } else {
            // Only where several readings contradict each other, or dots and digits changed places.
            prop_assert!(here != scanner);
        }
        if here != scanner && separator == ":" && tail != [0; 3] && tail != [0xff; 3] {
            prop_assert!(scan.mac().is_some(), "{} is {:?}", typed, scan);
        }
    }
}
