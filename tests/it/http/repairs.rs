//! A phone replaced and a repair accepted, call by call.

use ringup::domain::{ClientKey, Lease};

use super::*;

const OLD: &str = "00:1e:7a:c4:10:22";
const NEW: &str = "00:1e:7a:c4:10:99";

fn listed(model: &str) -> Change {
    Change::Listed(mac(OLD), Box::new(two_lines(model)))
}

fn two_lines(model: &str) -> Entry {
    let mut entry = entry(model, "4012", "Front desk");
    entry.lines.push(Line { number: "4112".to_owned(), ..Line::default() });
    entry.address = Some(Ipv4Addr::new(10, 20, 0, 51));
    "by the door".clone_into(&mut entry.note);
    entry
}

/// What a Cisco phone says that it is.
fn says(phone: &str, model: &str) -> Vec<Change> {
    let text = format!("Cisco Systems, Inc. IP Phone CP-{model}");
    vec![
        happened(mac(phone), What::discovered(None)),
        showed(mac(phone), Origin::Option60, &text, Some(model)),
    ]
}

fn replace(bench: &Bench, query: &str, by: &str) -> Answer {
    bench.api(
        "POST",
        &format!("/api/v1/phones/{OLD}/replace{query}"),
        &format!("{{\"by\":\"{by}\"}}"),
    )
}

fn password(bench: &Bench, phone: &str) -> Option<String> {
    let state = bench.service.view.read();
    let entry = state.phones.get(&mac(phone))?.entry.clone()?;
    Some(entry.lines[0].sip_password.reveal().to_owned())
}

#[test]
fn a_dead_phone_hands_over() {
    let bench = Bench::new(&[]);
    let address = Ipv4Addr::new(10, 20, 0, 51);
    let (since, until) = (Timestamp::now(), "2099-01-01T00:00:00Z".parse().unwrap());
    let client = ClientKey::hardware(mac(OLD));
    bench.commit(vec![
        listed("7961"),
        Change::Numbered(mac(OLD), "4012".to_owned()),
        Change::Leased(Lease { address, client, mac: mac(OLD), since, until }),
        happened(mac(OLD), What::discovered(None)),
    ]);
    bench.commit(says(NEW, "7961"));

    let done = replace(&bench, "", "SEP001E7AC41099").json();
    assert_eq!(
        (&done["renewed"], &done["differences"]),
        (&1.into(), &serde_json::json!([])),
        "{done}"
    );
    let moved = &done["new"]["entry"];
    assert_eq!(
        (&moved["number"], &moved["address"]),
        (&"4012".into(), &"10.20.0.51".into()),
        "{done}"
    );
    assert_eq!(
        (&moved["lines"][1]["number"], &moved["note"]),
        (&"4112".into(), &"by the door".into())
    );
    let new = password(&bench, NEW).unwrap();
    assert!(new.len() == 24 && new != "pw-4012", "the old password ends");
    assert!(!done.to_string().contains(&new), "no secret in an answer that did not ask for it");
    let old = bench.api("GET", &format!("/api/v1/phones/{OLD}"), "").json();
    assert_eq!(
        (&old["entry"], &old["stage"]),
        (&Value::Null, &"discovered".into()),
        "its record stays"
    );
    {
        let state = bench.service.view.read();
        assert_eq!(state.numbers["4012"], mac(NEW), "the number goes for ever");
        assert!(state.holder(address, Timestamp::now()).is_none(), "the reserved address is free");
    }

    assert_eq!(bench.api("POST", "/api/v1/undo", "").status, 200);
    assert_eq!(password(&bench, OLD).as_deref(), Some("pw-4012"));
    assert_eq!(password(&bench, NEW), None);
    assert_eq!(bench.service.view.read().numbers["4012"], mac(OLD), "and comes back");
    bench.end();
}

#[test]
fn a_difference_is_said_first() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed("7961")]);
    bench.commit(says(NEW, "7911"));
    let said = replace(&bench, "", NEW);
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(said.status, 409, "{detail}");
    assert!(
        detail.contains("listed as 7961, says it is a 7911") && detail.contains("--yes"),
        "{detail}"
    );
    assert!(detail.contains("2 lines are listed, and a 7911 has 1"), "{detail}");
    assert_eq!(password(&bench, OLD).as_deref(), Some("pw-4012"), "nothing was done");
    let done = replace(&bench, "?confirm=true", NEW).json();
    assert_eq!(done["new"]["entry"]["model"], "7911", "{done}");
    assert_eq!(done["new"]["findings"], serde_json::json!([]), "{done}");
    bench.end();

    // Never seen, and made by somebody else: the prefix is all there is to go by.
    let bench = Bench::new(&[]);
    bench.commit(vec![listed("7961")]);
    let said = replace(&bench, "", "00:15:65:aa:bb:cc");
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        said.status == 409 && detail.contains("by its prefix it is made by Yealink"),
        "{detail}"
    );
    bench.end();
}

#[test]
fn a_replacement_is_rehearsed() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed("7961")]);
    bench.commit(says(NEW, "7911"));
    let plan = replace(&bench, "?dry-run=true", NEW).json();
    assert!(plan["differences"][0].as_str().unwrap().contains("says it is a 7911"), "{plan}");
    assert_eq!((&plan["commit"], &plan["renewed"]), (&Value::Null, &1.into()), "{plan}");
    let moved = &plan["new"]["entry"];
    assert_eq!((&moved["model"], &moved["number"]), (&"7911".into(), &"4012".into()), "{plan}");
    assert_eq!(password(&bench, OLD).as_deref(), Some("pw-4012"), "nothing was done");
    assert_eq!(password(&bench, NEW), None);
    assert_eq!(replace(&bench, "?dry-run=true", OLD).status, 400);

    let done = replace(&bench, "?confirm=true", NEW).json();
    let commit = done["commit"].as_u64().unwrap();
    let undo = |commit: u64| bench.api("POST", &format!("/api/v1/undo?commit={commit}"), "");
    assert_eq!(undo(commit + 1).status, 409);
    assert_eq!(undo(commit).json()["changes"].as_u64(), Some(2));
    assert_eq!(undo(commit).status, 409, "once");
    assert_eq!(password(&bench, OLD).as_deref(), Some("pw-4012"));
    bench.end();
}

#[test]
fn what_is_no_replacement() {
    let bench = Bench::new(&[]);
    let check = |by: &str, status: u16, text: &str| {
        let answer = replace(&bench, "", by);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(answer.status == status && detail.contains(text), "{} {detail}", answer.status);
    };
    check(NEW, 404, "is not listed");
    bench.commit(vec![
        listed("7961"),
        Change::Listed(mac(NEW), Box::new(entry("7961", "4013", "x"))),
    ]);
    check(NEW, 409, "is listed itself as 4013");
    check(OLD, 400, "can't replace itself");
    check("nonsense", 400, "mac:");
    assert_eq!(bench.api("POST", &format!("/api/v1/phones/{OLD}/replace"), "{}").status, 400);
    bench.end();
}

#[test]
fn a_shared_account_keeps_its_password() {
    let bench = Bench::new(&[]);
    let other = "00:04:f2:aa:bb:01";
    bench.commit(vec![
        listed("7961"),
        Change::Listed(mac(other), Box::new(entry("VVX 401", "4012", ""))),
    ]);
    let done = replace(&bench, "", NEW).json();
    assert_eq!(done["renewed"], 0, "{done}");
    assert!(done["notes"][0].as_str().unwrap().contains(other), "{done}");
    assert_eq!(password(&bench, NEW), password(&bench, other));
    bench.end();
}

#[test]
fn a_repair_accepted() {
    let bench = Bench::new(&[]);
    let path = format!("/api/v1/phones/{OLD}/accept");
    assert_eq!(bench.api("POST", &path, "").status, 409, "neither listed nor seen");
    bench.commit(vec![listed("7970")]);
    bench.commit(says(OLD, "7961"));
    let shown = bench.api("GET", &format!("/api/v1/phones/{OLD}"), "").json();
    assert_eq!(shown["findings"][0]["repair"]["model"], "7961", "{shown}");
    let other = bench.api("POST", &path, r#"{"kind":"not-listed"}"#);
    assert_eq!(other.status, 409);
    assert!(other.json()["detail"].as_str().unwrap().contains("it has wrong-model"));
    let done = bench.api("POST", &path, r#"{"kind":"wrong-model"}"#).json();
    assert_eq!(
        (&done["entry"]["model"], &done["findings"]),
        (&"7961".into(), &serde_json::json!([]))
    );
    assert_eq!(bench.api("POST", &path, "").status, 409, "nothing is left to accept");
    bench.api("POST", "/api/v1/undo", "");
    let shown = bench.api("GET", &format!("/api/v1/phones/{OLD}"), "").json();
    assert_eq!(shown["entry"]["model"], "7970");
    let described = bench.api("GET", "/api/v1/openapi.json", "").json();
    for path in ["/api/v1/phones/{mac}/accept", "/api/v1/phones/{mac}/replace"] {
        assert!(described["paths"][path]["post"].is_object(), "{path}");
    }
    bench.end();
}

#[test]
fn repairs_of_family_and_site() {
    let bench = Bench::new(&[]);
    let path = format!("/api/v1/phones/{OLD}/accept");
    let shown = || bench.api("GET", &format!("/api/v1/phones/{OLD}"), "").json();
    bench.commit(vec![listed("VVX 401")]);
    bench.commit(says(OLD, "7961"));
    let finding = shown()["findings"][0].clone();
    assert_eq!(finding["kind"], "wrong-family", "{finding}");
    assert_eq!(
        finding["repair"],
        serde_json::json!({ "model": "7961" }),
        "the fields set, and no others"
    );
    assert_eq!(finding["grounds"][0]["from"], "option-60", "{finding}");
    let done = bench.api("POST", &path, r#"{"kind":"wrong-family"}"#).json();
    assert_eq!((&done["mac"], &done["entry"]["model"]), (&OLD.into(), &"7961".into()), "{done}");
    assert_eq!(done["findings"], serde_json::json!([]));
    bench.end();
}

#[test]
fn accounts_for_pbxs() {
    let bench = Bench::new(&[]);
    bench.commit(vec![listed("7961")]);
    let export = |query: &str| bench.api("GET", &format!("/api/v1/phones/export?{query}"), "");
    let text = |query: &str| String::from_utf8(export(query).body).unwrap();
    assert!(text("format=pjsip&secrets=true").contains("password = pw-4012"));
    assert!(!text("format=pjsip").contains("pw-4012"));
    assert!(text("format=freeswitch&secrets").contains("<user id=\"4012\">"));
    assert!(text("format=3cx").starts_with("Number,FirstName,"));
    assert_eq!((export("format=freeswitch").status, export("format=xls").status), (422, 400));
    let import =
        |from: &str| bench.api("POST", &format!("/api/v1/phones/import?from={from}"), "mac\n");
    assert_eq!((import("3cx").status, import("asterisk").status), (422, 400));
    bench.end();
}
