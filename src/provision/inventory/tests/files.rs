//! Files as they come: encodings, separators, foreign columns, and what is no list at all.

use std::fmt::Write;

use super::*;

#[test]
fn files_that_are_none() {
    let help = "\n  help: the first row names the columns, such as mac,model,number,name";
    check("", &[&format!("phones.csv: there is nothing in it{help}")]);
    check("\n\n", &[&format!("phones.csv: there is nothing in it{help}")]);
    check("number,name\n1,x\n", &[&format!("phones.csv:1: no column is called `mac`{help}")]);
    check(
        "MAC Address,numer,mac,mac\n",
        &[
            "phones.csv:1: nobody knows `MAC Address`; did you mean `mac`?\n  help: --map 'MAC Address=mac' names it, \
         --ignore-unknown leaves it out",
            "phones.csv:1: nobody knows `numer`; did you mean `number`?\n  help: --map 'numer=number' names it, \
         --ignore-unknown leaves it out",
            "phones.csv:1: the column `mac` is there twice",
        ],
    );
    check(
        "mac,line.99.number\n",
        &[
            "phones.csv:1: a line has a number from 1 to 48\n  help: --map 'line.99.number=line.2.number' names it, \
         --ignore-unknown leaves it out",
        ],
    );
    let mut long = "mac\n".to_owned();
    for n in 0..=MAX_ROWS {
        writeln!(long, "02{n:010x}").unwrap();
    }
    check(&long, &["phones.csv: there are more than 100000 rows\n  help: import it in parts"]);
    // A million of them would be compared each with each, for hours.
    let wide = (0..1_000_000).map(|n| format!(",var.V{n}")).collect::<Vec<_>>().concat();
    let text = "phones.csv:1: there are more than 4096 columns\n  help: is it a list of phones?";
    check(&format!("mac{wide}\n"), &[text]);
}

#[test]
fn foreign_files() {
    let options = ImportOptions {
        ignore_unknown: true,
        map: vec![
            ("mac address".to_owned(), "mac".to_owned()),
            ("Ext".to_owned(), "number".to_owned()),
        ],
        ..ImportOptions::default()
    };
    let file = "MAC Address;Ext;Serial;\n001565aabb01;4012;X1;\n";
    let import = read(file.as_bytes(), &State::default(), &settings(), &options);
    assert_eq!(
        told(&import),
        ["phones.csv:1: warning: nobody knows `Serial`: left out", "2 00:15:65:aa:bb:01 added",]
    );
}

#[test]
fn encodings_and_separators() {
    let check = |bytes: &[u8]| {
        let import = read(bytes, &State::default(), &settings(), &ImportOptions::default());
        let mut state = State::default();
        apply(&mut state, import);
        let entry = entry(&state, MAC1);
        assert_eq!((entry.name(), entry.number()), ("Zoé", "04012"), "{bytes:?}");
    };
    let text = "mac,number,name\r\n001565aabb01,04012,Zoé\r\n";
    check(text.as_bytes());
    check(text.replace(',', ";").as_bytes());
    check(text.replace(',', "\t").as_bytes());
    check(text.replace("\r\n", "\r").as_bytes());
    check(
        text.replace(',', "\",\"")
            .replace("\r\n", "\"\r\n")
            .replace("mac\"", "\"mac\"")
            .replace("001565aabb01\"", "\"001565aabb01\"")
            .as_bytes(),
    );
    check(format!("sep=;\r\n{}", text.replace(',', ";")).as_bytes());
    check(format!("\u{feff}{text}").as_bytes());
    check(&text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>());
    let units = |mark: &str, octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(octets).collect()
    };
    for mark in ["\u{feff}", ""] {
        check(&units(mark, u16::to_le_bytes));
        check(&units(mark, u16::to_be_bytes));
    }
}

#[test]
fn lines_are_counted_as_editors_do() {
    let lines = |file: &str| -> Vec<usize> {
        let import =
            read(file.as_bytes(), &State::default(), &settings(), &ImportOptions::default());
        import.rows.iter().map(|row| row.line).collect()
    };
    let file = "mac,name\n001565aabb01,Anna\n\n001565aabb02,\"Be\nrt\"\n001565aabb03,Cara\n";
    assert_eq!(lines(file), [2, 4, 6]);
    assert_eq!(lines(&file.replace('\n', "\r\n")), [2, 4, 6]);
    assert_eq!(lines(&file.replace('\n', "\r")), [2, 4, 6]);
    assert_eq!(lines(&format!("sep=,\r\n{}", file.replace('\n', "\r\n"))), [3, 5, 7]);
}

/// What no UTF-8 is and no mark says is Windows-1252, also behind a mark of UTF-8 that somebody glued in front.
#[test]
fn the_rest_is_windows_1252() {
    let check = |mark: &[u8]| {
        let bytes = [mark, b"mac,name\n001565aabb01,Zo\xeb \x80\x9f\n"].concat();
        let import = read(&bytes, &State::default(), &settings(), &ImportOptions::default());
        let mut state = State::default();
        apply(&mut state, import);
        assert_eq!(entry(&state, MAC1).name(), "Zoë €Ÿ");
    };
    check(b"");
    check(b"\xef\xbb\xbf");
}
