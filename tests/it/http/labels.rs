//! A label that was misread: the phone boots, the list is mended with one call, and the phone gets its file.

use serde_json::json;

use super::*;

const LISTED: &str = "00:04:f2:aa:bb:cb";
const HERE: &str = "00:04:f2:aa:bb:c8";

fn scan(bench: &Bench, text: &str) -> Value {
    let body = serde_json::json!({ "text": text }).to_string();
    bench.api("POST", "/api/v1/scan", &body).json()
}

fn findings(bench: &Bench, phone: &str) -> Vec<String> {
    let phone = bench.api("GET", &format!("/api/v1/phones/{phone}"), "").json();
    let findings = phone["findings"].as_array().cloned().unwrap_or_default();
    findings.iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_misread_label_is_mended_with_one_call() {
    let bench = Bench::new(&[]);
    let list = format!(
        "mac,model,number,sip-password,key.2\n{LISTED},VVX 410,4012,pw-4012,blf:4013:Anna\n"
    );
    let imported = bench.api("POST", "/api/v1/phones/import", &list);
    assert_eq!(imported.status, 200, "{}", imported.text());
    assert_eq!(findings(&bench, LISTED), [""; 0], "nothing to say before a phone is here");

    // It boots: not listed, so it gets nothing.
    assert_eq!(bench.get("/0004f2aabbc8.cfg", "").status, 404);
    bench.runtime.block_on(bench.service.recorder.drain());
    let entry = bench.api("GET", &format!("/api/v1/phones/{LISTED}"), "").json();
    let finding = &entry["findings"][0];
    assert_eq!(finding["kind"], "bad-label", "{entry}");
    assert_eq!(
        finding["text"],
        "never seen; 0004f2aabbc8 is here, not listed, and differs in one digit: 8 for B"
    );
    assert_eq!(finding["repair"], serde_json::json!({ "mac": HERE }), "{entry}");
    let listed = bench.api("GET", "/api/v1/phones?finding=bad-label", "").json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");

    let accept = format!("/api/v1/phones/{LISTED}/accept");
    let accepted = bench.api("POST", &accept, "{\"kind\":\"bad-label\"}").json();
    assert_eq!(accepted["mac"], HERE, "{accepted}");
    assert_eq!(accepted["entry"]["number"], "4012", "{accepted}");
    assert_eq!(accepted["entry"]["keys"]["2"], "blf:4013:Anna", "{accepted}");
    let password = bench.service.view.read().phones[&mac(HERE)].entry.clone().unwrap();
    assert_eq!(password.lines[0].sip_password.reveal(), "pw-4012", "its PBX knows that one");
    assert_eq!(findings(&bench, HERE), [""; 0], "{accepted}");
    assert_eq!(bench.api("GET", &format!("/api/v1/phones/{LISTED}"), "").status, 404);
    assert_eq!(bench.get("/0004f2aabbc8.cfg", "").status, 200);

    assert_eq!(bench.api("POST", "/api/v1/undo", "").status, 200);
    assert_eq!(findings(&bench, LISTED), ["bad-label"]);
    bench.end();
}

#[test]
fn scans_are_answered() {
    let bench = Bench::new(&[]);
    bench.commit(vec![Change::Listed(
        mac(LISTED),
        Box::new(entry("VVX 410", "4012", "Front desk")),
    )]);
    let known = scan(&bench, "]C1MAC: 0004F2AABBCB");
    assert_eq!((&known["kind"], &known["mac"]), (&"mac".into(), &LISTED.into()), "{known}");
    assert_eq!(known["phone"]["entry"]["number"], "4012", "{known}");
    assert_eq!(known["macs"][0]["prefix"], "MAC", "{known}");

    let repaired = scan(&bench, "OOO4F2AABBCB");
    assert_eq!(repaired["kind"], "look-alike", "{repaired}");
    assert_eq!(repaired["repair"], serde_json::json!({ "mac": LISTED }), "{repaired}");
    assert_eq!((&repaired["mac"], &repaired["phone"]["mac"]), (&Value::Null, &LISTED.into()));

    let serial = scan(&bench, "FCH2443D9R4");
    assert_eq!((&serial["kind"], &serial["phone"]), (&"serial".into(), &Value::Null), "{serial}");
    assert!(serial["text"].as_str().unwrap().contains("serial number"), "{serial}");

    assert_eq!(bench.api("POST", "/api/v1/scan", "{\"txt\":\"\"}").status, 400);
    assert_eq!(bench.api("POST", "/api/v1/scan", "").status, 400);
    bench.end();
}

#[test]
fn a_refused_row_says_which_mac_was_meant() {
    let bench = Bench::new(&[]);
    let list = "mac,number\nO004F2AABBCB,4012\nFCH2443D9R4,4013\nWLAN: 0004F2AABBCC,4014\n2200-48400-025,4015\n";
    let told = bench.api("POST", "/api/v1/phones/import?dry-run=true", list).json();
    let row = |at: usize| &told["rows"][at];
    assert_eq!(
        (&row(0)["verdict"], &row(0)["meant"]),
        (&"refused".into(), &LISTED.into()),
        "{told}"
    );
    assert_eq!(row(0)["repair"], format!("is it {LISTED}?"), "{told}");
    assert_eq!(row(1)["meant"], Value::Null, "{told}");
    assert!(row(1)["reason"].as_str().unwrap().contains("serial number"), "{told}");
    assert!(row(2)["warnings"][0].as_str().unwrap().contains("radio"), "{told}");
    assert!(row(3)["reason"].as_str().unwrap().contains("part number"), "{told}");
    bench.end();
}

#[test]
fn what_was_seen_tells_what_it_is() {
    let bench = Bench::new(&[]);
    let ask = |body: Value| bench.api("POST", "/api/v1/identify", &body.to_string());
    let agent = "Yealink SIP-T46S 66.86.0.15 00:15:65:aa:bb:cc";
    let known = ask(json!({ "user_agent": agent })).json();
    let parts = ["vendor", "model", "firmware", "mac"].map(|part| known[part].as_str());
    let expected = ["Yealink", "T46S", "66.86.0.15", "00:15:65:aa:bb:cc"].map(Some);
    assert_eq!(parts, expected, "{known}");
    assert_eq!(known["grounds"][0]["from"], "user-agent");
    let unknown = ask(json!({ "option_12": "printer-3" })).json();
    assert_eq!((&unknown["vendor"], &unknown["grounds"]), (&Value::Null, &json!([])));
    assert_eq!(ask(json!("no object")).status, 400);
    bench.end();
}
