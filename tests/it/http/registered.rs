//! A PBX tells about registrations.

use super::*;

const PHONE: &str = "00:1e:7a:c4:10:22";

#[test]
fn a_pbx_tells() {
    let bench = Bench::new(&[]);
    let path = format!("/api/v1/phones/{PHONE}/registered");
    let tell = |body: &str| bench.api("POST", &path, body);
    assert_eq!(tell("").status, 404, "no strangers by hearsay");
    bench.commit(vec![Change::Listed(mac(PHONE), Box::new(entry("7961", "4012", "")))]);

    let told =
        tell(r#"{"by":"10.20.0.5","step":"rejected","why":"forbidden","text":"403"}"#).json();
    assert_eq!((&told["stage"], &told["ready"]), (&"registering".into(), &false.into()), "{told}");
    assert_eq!(told["diagnosis"]["cause"], "registration-forbidden", "{told}");
    let told = tell("").json();
    assert_eq!(
        (&told["stage"], &told["diagnosis"]),
        (&"registered".into(), &Value::Null),
        "{told}"
    );
    let told = tell(r#"{"step":"ended","text":"expired"}"#).json();
    assert_eq!((&told["stage"], &told["away"]), (&"registered".into(), &true.into()), "{told}");

    let events = bench.api("GET", &format!("/api/v1/phones/{PHONE}/events"), "").json();
    let said: Vec<_> = events["items"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    let expected = [
        "at 10.20.0.5: is forbidden to register (403)",
        "at pbx: is registered",
        "at pbx: is not registered any more (expired)",
    ];
    assert!(said == expected || said.iter().rev().copied().eq(expected.iter()), "{said:?}");

    let check = |body: &str, says: &str| {
        let answer = tell(body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(says), "{body}: {}", answer.text());
    };
    check(r#"{"step":"gone"}"#, "accepted, ended, rejected or asked");
    check(r#"{"step":"rejected"}"#, "challenged, forbidden");
    check(r#"{"step":"rejected","why":"bad"}"#, "challenged, forbidden");
    check(r#"{"why":"forbidden"}"#, "goes with");
    check(r#"{"steps":"ended"}"#, "steps");
    // What was told is fact: it is there after a restart.
    let bench = bench.again();
    let told = bench.api("GET", &format!("/api/v1/phones/{PHONE}"), "").json();
    assert_eq!((&told["stage"], &told["away"]), (&"registered".into(), &true.into()), "{told}");
    bench.end();
}
