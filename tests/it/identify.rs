//! What phones show says what they are: requests of real phones, samples built from other provisioners' rules, and
//! texts of the same form that nobody has listed.

use serde_json::{Map, Value, json};

use crate::{cli::expect, run::Home};

/// One case a line: what was seen, what it says, where that is from. `accept` and `models` hold further right answers.
const CASES: &str = include_str!("data/request_cases.jsonl");

/// The parts of an answer.
const PARTS: [&str; 4] = ["vendor", "model", "firmware", "mac"];

/// Cases whose expectation is wrong, each with the reason; none of them is of a peer's own tests or an observed text.
const WRONG: &[(&str, &str)] = &[
    ("/prov/000b82877bd4.xml", "the source lets the prefix decide, and 000b82 is Grandstream's"),
    (
        "/0004f2aabbcc.cfg",
        "the User-Agent says Type/Application, so its version is the application's",
    ),
    ("/0004f2aabbcc-user.cfg", "as above"),
    (
        "/0004f2aabbcc-boot.log",
        "as above: the log is the updater's, the one that sends it is the application",
    ),
    (
        "/phoneprov/2345-12600-001.sip.ld",
        "2345-12600-001 is the part number of a SoundPoint IP 650",
    ),
    (
        "/phoneprov/3111-40000-001.bootrom.ld",
        "3111-40000-001 is the part number of a SoundStation IP 7000",
    ),
    (
        "dialplan.xml",
        "the source has it from its table of Cisco's files, and nobody else's phones ask for it",
    ),
];

fn case(line: &str) -> Map<String, Value> {
    serde_json::from_str(line).unwrap()
}

/// What is seen in a case, as a line of a batch.
fn seen(case: &Map<String, Value>) -> Map<String, Value> {
    let told = ["expect", "accept", "models", "basis", "source"];
    case.clone().into_iter().filter(|(key, _)| !told.contains(&key.as_str())).collect()
}

fn answers(cases: &[Map<String, Value>]) -> Vec<Value> {
    let lines: Vec<String> = cases.iter().map(|case| json!(case).to_string()).collect();
    let out = expect(&Home::new(""), &["identify", "--batch"], &lines.join("\n"), 0);
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// A name as it compares: in any case, Polycom and Poly being one.
fn folded(value: &Value) -> Option<String> {
    let text = value.as_str()?.to_lowercase();
    Some(if text == "polycom" { "poly".to_owned() } else { text })
}

fn is_right(case: &Map<String, Value>, answer: &Value, part: &str) -> bool {
    let listed = |key: &str| case.get(key).and_then(Value::as_array).into_iter().flatten();
    let accepted = case.get("accept").and_then(|accept| accept.get(part)).and_then(Value::as_array);
    let models = listed("models").filter(|_| part == "model");
    let mut right = models.chain(accepted.into_iter().flatten()).chain([&case["expect"][part]]);
    right.any(|right| folded(right) == folded(&answer[part]))
}

#[test]
fn what_phones_show_says_what_they_are() {
    let cases: Vec<_> = CASES.lines().map(case).collect();
    let shown: Vec<_> = cases.iter().map(seen).collect();
    let (mut wrong, mut stale) = (Vec::new(), Vec::new());
    for (case, answer) in cases.iter().zip(answers(&shown)) {
        let shown = json!(seen(case));
        let basis = case["basis"].as_str().unwrap();
        let must = basis.starts_with("peer test-suite") || basis.starts_with("observed");
        let excused = WRONG.iter().any(|(text, _)| {
            let is_it = |value: &Value| value.as_str() == Some(text);
            shown.as_object().unwrap().values().any(is_it)
        });
        // One path is there with and without a User-Agent; only the one with it is in dispute.
        let excused = excused
            && (shown.get("user_agent").is_some() || !shown.to_string().contains("/0004f2aabbcc"));
        let parts: Vec<_> =
            PARTS.into_iter().filter(|part| !is_right(case, &answer, part)).collect();
        match (parts.is_empty(), excused) {
            (true, true) => {
                stale.push(format!("{shown}: right by now; take it off the list"));
            }
            (false, false) => wrong.push(format!(
                "{} {shown}\n  {parts:?} of {answer}\n  expected {}",
                if must { "MUST" } else { "rest" },
                case["expect"]
            )),
            (false, true) if must => wrong.push(format!("MUST {shown} is no matter of opinion")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

/// A text with another MAC in the old one's place, in every way in which phones spell it.
fn with_mac(text: &str, old: &str, new: &str) -> String {
    let mut text = text.to_owned();
    for separator in ["", ":", "-", "_"] {
        let spell = |mac: &str| mac.replace(':', separator);
        while let Some(at) = text.to_ascii_lowercase().find(&spell(old)) {
            let upper = text[at..].starts_with(&spell(old).to_ascii_uppercase());
            let new = if upper { spell(new).to_ascii_uppercase() } else { spell(new) };
            text.replace_range(at..at + new.len(), &new);
        }
    }
    text
}

/// The next version of the same form: its last digit is another one.
fn next_version(version: &str) -> String {
    let at = version.rfind(|c: char| c.is_ascii_digit()).unwrap();
    let digit = (version.as_bytes()[at] - b'0' + 1) % 10;
    format!("{}{digit}{}", &version[..at], &version[at + 1..])
}

/// Other texts of the same form, each with what it must say, given what the first one says.
fn variations(case: &Map<String, Value>, answer: &Value) -> Vec<(Map<String, Value>, Value)> {
    let every = |change: &dyn Fn(&str, &str) -> String| -> Map<String, Value> {
        let changed = case
            .iter()
            .map(|(key, value)| (key.clone(), Value::from(change(key, value.as_str().unwrap()))));
        changed.collect()
    };
    let same = |case: Map<String, Value>| (case, answer.clone());
    let name = |key: &str| matches!(key, "http_path" | "file_name");
    let only = |key: &'static str, change: &dyn Fn(&str) -> String| {
        every(&|this, text| if this == key { change(text) } else { text.to_owned() })
    };
    let mut all = vec![
        same(every(&|key, text| {
            if name(key) { format!("/a/b c/{text}") } else { text.to_owned() }
        })),
        same(every(&|key, text| if name(key) { format!("//./{text}") } else { text.to_owned() })),
        same(only("http_path", &|text| {
            format!("http://10.9.9.9:8080/x/{text}?v=1&id=000000000000")
        })),
        same(only("file_name", &|text| text.replace('/', "\\"))),
        same(every(&|key, text| if name(key) { text.to_uppercase() } else { text.to_owned() })),
        same(every(&|key, text| if name(key) { text.to_lowercase() } else { text.to_owned() })),
        same(only("option_60", &|text| format!("{}\0", text.trim_end_matches('\0')))),
        same(only("option_60", &|text| text.trim_end_matches('\0').to_owned())),
    ];
    if let Some(old) = answer["mac"].as_str() {
        for tail in ["00:01", "9e:f0", "55:aa"] {
            let new = format!("{}{tail}", &old[..12]);
            let mut answer = answer.clone();
            answer["mac"] = Value::from(new.as_str());
            all.push((every(&|_, text| with_mac(text, old, &new)), answer));
        }
    }
    if let Some(old) = answer["firmware"].as_str() {
        let new = next_version(old);
        let shown = every(&|_, text| {
            text.replace(old, &new).replace(&old.replace('.', "_"), &new.replace('.', "_"))
        });
        let mut answer = answer.clone();
        answer["firmware"] = Value::from(new.as_str());
        all.push((shown, answer));
    }
    all
}

#[test]
fn texts_of_the_same_form_say_the_same() {
    let shown: Vec<_> = CASES.lines().map(|line| seen(&case(line))).collect();
    let varied: Vec<_> = shown
        .iter()
        .zip(answers(&shown))
        .flat_map(|(case, answer)| variations(case, &answer))
        .collect();
    let (cases, expected): (Vec<_>, Vec<_>) = varied.into_iter().unzip();
    assert!(cases.len() > 3000, "{} variations", cases.len());
    let mut wrong = Vec::new();
    for ((case, expected), answer) in cases.iter().zip(expected).zip(answers(&cases)) {
        let differs = |part: &&str| folded(&answer[*part]) != folded(&expected[*part]);
        let parts: Vec<_> = PARTS.into_iter().filter(differs).collect();
        if !parts.is_empty() {
            wrong.push(format!("{}\n  {parts:?} of {answer}\n  expected {expected}", json!(case)));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// `KIND TEXT => VENDOR | MODEL | FIRMWARE | MAC`, `-` for what is not told: models and forms that no list has.
const UNLISTED: &str = include_str!("data/unlisted.txt");

#[test]
fn phones_that_nobody_listed() {
    let lines: Vec<_> = UNLISTED.lines().filter(|line| !line.starts_with('#')).collect();
    let parse = |line: &str| {
        let (shown, told) = line.split_once(" => ").unwrap();
        let (kind, text) = shown.split_once(' ').unwrap();
        let shown = Map::from_iter([(kind.to_owned(), Value::from(text))]);
        (shown, told.to_owned())
    };
    let (cases, expected): (Vec<_>, Vec<_>) = lines.iter().map(|line| parse(line)).unzip();
    let told = |answer: &Value| {
        PARTS.map(|part| answer[part].as_str().unwrap_or("-").to_owned()).join(" | ")
    };
    let answers: Vec<_> = answers(&cases).iter().map(told).collect();
    let wrong: Vec<_> = lines
        .iter()
        .zip(answers.iter().zip(&expected))
        .filter(|(_, (answer, expected))| answer != expected)
        .map(|(line, (answer, _))| format!("{line}\n  {answer}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
