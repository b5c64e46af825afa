//! Repairs: what is proposed for which cell, and that taking it mends the row.

use super::*;

fn with(file: &str, instead: Vec<Instead>) -> Import {
    let options = ImportOptions { instead, ..ImportOptions::default() };
    read(file.as_bytes(), &State::default(), &settings(), &options)
}

/// Takes all that is proposed, as often as something new is.
fn check(file: &str, proposed: &[&str], mended: &[&str]) {
    let import = with(file, Vec::new());
    let offers = |import: &Import| -> Vec<Instead> {
        let each =
            import.rows.iter().flat_map(|row| row.offers.iter().map(|offer| (row.line, offer)));
        each.map(|(line, offer)| Instead {
            line,
            column: offer.column.clone(),
            value: offer.value.clone(),
        })
        .collect()
    };
    let first = offers(&import);
    let told: Vec<String> =
        first.iter().map(|one| format!("{} {} {}", one.line, one.column, one.value)).collect();
    assert_eq!(told, proposed, "{file}");
    let once = with(file, first.clone());
    let again = first.into_iter().chain(offers(&once)).collect();
    assert_eq!(self::told(&with(file, again)), mended, "{file}");
}

#[test]
fn what_is_proposed_mends() {
    check(
        "mac,number,site\nOO1565aabb01,4012,pariss\n",
        // The site is not looked at before it is known whose row it is.
        &["2 mac 00:15:65:aa:bb:01"],
        &["2 00:15:65:aa:bb:01 added"],
    );
    check("mac,number\n001565aabb01,40 12\n", &["2 number 4012"], &["2 00:15:65:aa:bb:01 added"]);
    check(
        "mac,number\n001565aabb01,\"4,012.00\"\n",
        &["2 number 4012"],
        &["2 00:15:65:aa:bb:01 added"],
    );
    check(
        "mac,line,number\n001565aabb01,1,4012\n001565aabb01,2,40 13\n",
        &["3 line.2.number 4013"],
        &["2 00:15:65:aa:bb:01 added", "3 00:15:65:aa:bb:01 added"],
    );
    check(
        "mac,number\n001565aabb01,0401\n001565aabb02,402\n",
        &["3 number 0402"],
        &["2 00:15:65:aa:bb:01 added", "3 00:15:65:aa:bb:02 added"],
    );
    // What is gone for good can't be proposed.
    check(
        "mac,number\n1.57E+11,4012\n",
        &[],
        &[
            "2 1.57E+11 refused mac: a spreadsheet turned it into the number 1.57E+11 (make the column text, and enter the address again)",
        ],
    );
}

#[test]
fn a_repair_of_what_is_not_there_is_refused_whole() {
    let one = |line, column: &str| Instead { line, column: column.to_owned(), value: "x".into() };
    let import = with("mac,number\n001565aabb01,4012\n", vec![one(3, "mac"), one(2, "site")]);
    assert_eq!(
        told(&import),
        [
            "phones.csv:3: there is no cell `mac` to mend\n  help: check the list again",
            "phones.csv:2: there is no cell `site` to mend\n  help: check the list again",
        ]
    );
    assert!(import.batch.is_none());
}

#[test]
fn headings_are_told_also_where_nothing_is_taken() {
    let import = with("MAC Address,Etage,number\n001565aabb01,2,4012\n", Vec::new());
    let told: Vec<String> = import
        .headings
        .iter()
        .map(|heading| format!("{} {:?} {:?}", heading.name, heading.field, heading.near))
        .collect();
    assert_eq!(
        told,
        ["MAC Address None Some(\"mac\")", "Etage None None", "number Some(\"number\") None"]
    );
    assert!(import.rows.is_empty() && import.has_refusals());
    let map = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let options = ImportOptions {
        map: vec![map("mac address", "mac"), map("Etage", "")],
        ..ImportOptions::default()
    };
    let file = "MAC Address,Etage,number\n001565aabb01,2,4012\n";
    let import = read(file.as_bytes(), &State::default(), &settings(), &options);
    assert_eq!(self::told(&import), ["2 00:15:65:aa:bb:01 added"], "left out by the operator");
}
