//! What operators are told about one phone: its DHCP, the files that it would get, a paragraph for the ticket.

use super::*;

fn call(bench: &Bench, what: &str) -> Answer {
    bench.api("GET", &format!("/api/v1/phones/{POLY}/{what}"), "")
}

#[test]
fn what_it_would_ask_for_and_get() {
    let bench = Bench::new(&[("site.cfg", b"an operator's own")]);
    assert_eq!(call(&bench, "files").status, 404, "neither listed nor seen");
    bench.commit(vec![Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", "Front desk")))]);
    let list = call(&bench, "files").json();
    let files = list["items"].as_array().unwrap();
    let of = |name: &str| files.iter().find(|file| file["name"] == name).expect(name);
    let own = of("0004f2aabb01-line.cfg");
    assert_eq!(own["source"], "template poly-vvx/line.cfg.j2", "{own}");
    assert_eq!((&own["role"], &own["required"]), (&"own".into(), &true.into()), "{own}");
    let shown = call(&bench, "files/0004f2aabb01-line.cfg");
    assert_eq!(own["length"].as_u64(), u64::try_from(shown.body.len()).ok(), "as it is shown");
    assert!(of("site.cfg")["source"].as_str().unwrap().starts_with("file "), "{list}");
    let missing = of("3111-46162-001.sip.ld");
    assert_eq!((&missing["source"], &missing["normal"]), (&Value::Null, &true.into()));
    assert!(missing["missing"].as_str().unwrap().contains("there is no"), "{missing}");
    assert!(!list.to_string().contains("{part}"), "{list}");
    bench.end();
}

#[test]
fn dhcp_in_json() {
    let bench = Bench::new(&[]);
    bench.commit(vec![
        Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", "Front desk"))),
        showed(mac(POLY), Origin::Option55, "1,3,160,66", None),
        happened(
            mac(POLY),
            What::Told {
                by: Ipv4Addr::new(10, 0, 0, 9),
                servers: vec![(66, "http://10.0.0.7/<b>".to_owned())],
            },
        ),
    ]);
    let told = call(&bench, "dhcp").json();
    assert_eq!((&told["mode"], &told["subnet"]), (&"off".into(), &Value::Null), "{told}");
    let asked: Vec<_> =
        told["asked"].as_array().unwrap().iter().map(|it| it["code"].as_u64()).collect();
    assert_eq!(asked, [1, 3, 160, 66].map(Some));
    let text = told["text"].as_str().unwrap();
    assert_eq!(
        text,
        "It looks for its server in option 160, then option 66. 10.0.0.9 sends it option 66, so it goes to \
         http://10.0.0.7/<b>."
    );
    assert_eq!(told["uses"]["code"], 66, "{told}");
    let described = bench.api("GET", "/api/v1/openapi.json", "").json();
    for what in ["dhcp", "files", "ticket", "events"] {
        let path = format!("/api/v1/phones/{{mac}}/{what}");
        assert!(described["paths"][&path]["get"].is_object(), "{path}");
    }
    bench.end();
}

#[test]
fn a_ticket_tells_what_went_wrong() {
    let bench = Bench::new(&[]);
    bench.commit(vec![Change::Listed(
        mac(POLY),
        Box::new(entry("VVX 410", "4012", "Front\u{a0} desk")),
    )]);
    let asked = ringup::domain::Asked {
        name: "sip.ld".to_owned(),
        carrier: ringup::domain::Carrier::Http,
        role: ringup::domain::Role::Firmware,
        required: None,
        first: false,
    };
    let outcome = Outcome::Aborted { text: "disk\nfull".to_owned() };
    let (etag, source) = (String::new(), String::new());
    bench.commit(vec![
        happened(mac(POLY), What::Opened { asked: asked.clone(), length: 9 }),
        happened(
            mac(POLY),
            What::Ended { asked, bytes: 4, length: 9, outcome, etag, normal: false, source },
        ),
    ]);
    let text = call(&bench, "ticket").text();
    assert!(text.starts_with("4012 Front desk: "), "{text}");
    assert!(text.contains("sip.ld by http aborted at 4 of 9 bytes (disk full)"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    bench.end();
}
