//! What spreadsheets destroyed: refused by that name, each with its cure; and what only looks so.

use super::*;

/// What becomes of a number; `-` where nothing is said.
fn number(text: &str) -> String {
    let import = read(
        format!("mac;number\n001565aabb01;{text}\n").as_bytes(),
        &State::default(),
        &settings(),
        &ImportOptions::default(),
    );
    match &import.rows[0].verdict {
        Verdict::Refused { faults } => faults[0].to_string(),
        _ => "-".to_owned(),
    }
}

#[test]
fn numbers_by_the_name_of_what_happened() {
    let check = |text: &str, reason: &str, repair: &str| {
        assert_eq!(
            number(text),
            format!("number: a spreadsheet turned it into the {reason} ({repair})")
        );
    };
    let anew = "make the column text, and enter it again";
    for float in ["1.57E+11", "1,57e+11", "4E+3"] {
        check(float, &format!("number {float}"), anew);
    }
    for date in [
        "Jan 04",
        "04-Jan",
        "4. Mär",
        "12. déc. 2026",
        "Oct-2012",
        "04/01/2026",
        "2026-01-04",
        "4.1.2026",
    ] {
        check(date, &format!("date {date}"), anew);
    }
    for (grouped, digits) in [
        ("4.012,00", "4012"),
        ("4,012.00", "4012"),
        ("4,012", "4012"),
        ("4'012", "4012"),
        ("1.234.567,0", "1234567"),
        ("4012,00", "4012"),
        ("4012.0", "4012"),
    ] {
        let repair = format!("is it {digits}? make the column text");
        check(grouped, &format!("number {grouped}"), &repair);
    }
}

#[test]
fn numbers_that_only_look_so() {
    for text in [
        "4012", "0123", "*97", "01-04", "12-34-56", "06.12.34", "0123.456", "+33123", "a.b",
        "1.2.3.4", "4.01", "mar",
    ] {
        assert_eq!(number(text), "-", "{text}");
    }
}

#[test]
fn addresses_by_the_name_of_what_happened() {
    let check = |text: &str, reason: &str| {
        let fault = mac(text).unwrap_err().to_string();
        assert!(fault.starts_with(&format!("mac: {reason}")), "{fault}");
    };
    check(
        "1.565.112.233",
        "a spreadsheet turned it into the number 1.565.112.233 (make the column text",
    );
    check("1565112233,00", "a spreadsheet turned it into the number 1565112233,00");
    check("Jan 04", "a spreadsheet turned it into the date Jan 04");
    check(
        "41312345678",
        "11 digits: a spreadsheet dropped the zeros in front (is it 04:13:12:34:56:78?)",
    );
}

#[test]
fn lost_zeros_are_told_by_the_others() {
    let check = |numbers: &[&str], expected: &[&str]| {
        let rows = (1..).zip(numbers).map(|(n, number)| format!("0015650000{n:02},{number}\n"));
        let file = format!("mac,number\n{}", rows.collect::<String>());
        let import =
            read(file.as_bytes(), &State::default(), &settings(), &ImportOptions::default());
        assert!(!import.has_refusals(), "a hint is no refusal");
        let hints: Vec<_> = import.rows.iter().flat_map(|row| &row.warnings).collect();
        assert_eq!(hints, expected, "{numbers:?}");
    };
    let hint = "402 may have lost a zero to a spreadsheet, as others are like 0401: is it 0402?";
    check(&["0401", "402", "1403"], &[hint]);
    check(&["401", "402", "1403"], &[]);
    // One zero was lost at most, where the others have one.
    check(&["0401", "0402", "12"], &[]);
    check(&["0123456789", "4012", "4013"], &[]);
}
