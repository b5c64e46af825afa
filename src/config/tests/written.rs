//! What changed between two readings of the settings, as an operator reads it.

use super::*;

/// The differences between two texts, one a line; `files` are beside the second.
#[track_caller]
fn differ(old: &str, new: &str, expected: &[&str]) {
    differ_with(old, new, [&[], &[]], expected);
}

#[track_caller]
fn differ_with(old: &str, new: &str, files: [&[(&str, &str)]; 2], expected: &[&str]) {
    let [old, new] = [(old, files[0]), (new, files[1])].map(|(text, files)| {
        load_text(text, files).unwrap_or_else(|problems| panic!("{}", printed(&problems))).written
    });
    let told: Vec<String> = old
        .differences(&new)
        .into_iter()
        .map(|Difference { key, old, new }| {
            let or = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            format!("{key}: {} -> {}", or(old), or(new))
        })
        .collect();
    assert_eq!(told, expected);
}

const SUBNETS: &str = "[[dhcp.subnet]]\nsubnet = \"10.1.0.0/24\"\npool = [\"10.1.0.5-10.1.0.9\"]\n\
    [[dhcp.subnet]]\nsubnet = \"10.2.0.0/24\"\n";

#[test]
fn keys_that_came_went_and_changed() {
    differ(SUBNETS, SUBNETS, &[]);
    differ("", "[dhcp]\nauthoritative = true\n", &["dhcp.authoritative: - -> true"]);
    differ(
        SUBNETS,
        &format!("{SUBNETS}lease-time = \"8h\"\noptions = [{{ code = 176, text = \"a\" }}]\n"),
        &[
            "dhcp.subnet[10.2.0.0/24].lease-time: - -> \"8h\"",
            "dhcp.subnet[10.2.0.0/24].options[176].code: - -> 176",
            "dhcp.subnet[10.2.0.0/24].options[176].text: - -> \"a\"",
        ],
    );
    // A subnet is told by its network: where it stands in the file does not count.
    let turned =
        "[[dhcp.subnet]]\nsubnet = \"10.2.0.0/24\"\n[[dhcp.subnet]]\nsubnet = \"10.1.0.0/24\"\n";
    let pool = "dhcp.subnet[10.1.0.0/24].pool: [\"10.1.0.5-10.1.0.9\"] -> -";
    differ(SUBNETS, turned, &[pool]);
    let server = |address: &str| format!("[[site.default.server]]\naddress = \"{address}\"\n");
    differ(
        &server("10.0.0.1"),
        &[server("10.0.0.2"), server("10.0.0.3")].concat(),
        &[
            "site.default.server[1].address: \"10.0.0.1\" -> \"10.0.0.2\"",
            "site.default.server[2].address: - -> \"10.0.0.3\"",
        ],
    );
}

#[test]
fn an_included_file_counts_as_if_it_stood_there() {
    let first = "include = [\"conf.d/*.toml\"]\n";
    let files = |hours| format!("[appliance]\nhistory = \"{hours}h\"\n");
    let (old, new) = (files(8), files(9));
    differ_with(
        first,
        first,
        [&[("conf.d/a.toml", &old)], &[("conf.d/b.toml", &new)]],
        &["appliance.history: \"8h\" -> \"9h\""],
    );
}

#[test]
fn secrets_change_and_are_not_told() {
    let token = |token: &str| format!("[http]\ntoken = \"{token}\"\n");
    let masked = "http.token: •••• -> •••• (another one)";
    differ(&token("a"), &token("b"), &[masked]);
    differ(&token("a"), &token("a"), &[]);
    differ(
        "",
        "[site.default]\nadmin-password = \"x\"",
        &["site.default.admin-password: - -> ••••"],
    );
    differ(
        "[site.default.extra.poly]\n\"device.auth.localAdminPassword\" = \"1\"\nP34 = \"a\"\n\"voice.gain\" = \"1\"",
        "[site.default.extra.poly]\n\"device.auth.localAdminPassword\" = \"2\"\nP34 = \"b\"\n\"voice.gain\" = \"2\"",
        &[
            "site.default.extra.poly.P34: •••• -> •••• (another one)",
            "site.default.extra.poly.device.auth.localAdminPassword: •••• -> •••• (another one)",
            "site.default.extra.poly.voice.gain: \"1\" -> \"2\"",
        ],
    );
    let file = "[http]\ntoken-file = \"token\"\n";
    differ_with(
        file,
        file,
        [&[("token", "a")], &[("token", "b")]],
        &["http.token-file: \"token\" -> \"token\" (another one)"],
    );
}

#[test]
fn a_file_is_included_once() {
    // The pattern matches the first file itself, and both patterns match the other one.
    let first = "include = [\"*.toml\", \"a*.toml\"]\n";
    check_files(first, &[("a.toml", "[appliance]\nhistory = \"8h\"\n")], "");
}
