//! The board on terminals of several sizes, as pictures in text; what its keys do; what a pipe is told.

use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::Color,
};
use serde_json::json;

use super::*;

const NOW: &str = "2026-11-20T09:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A phone as the API tells it.
#[expect(clippy::needless_pass_by_value, reason = "a case is written where it is used")]
fn phone(mac: &str, label: &str, rank: u8, stage: &str, more: Value) -> Value {
    let mut phone = json!({
        "mac": mac, "label": label, "rank": rank, "stage": stage, "percent": 45, "site": "paris", "changed": 1,
        "entry": { "model": "VVX 410" }, "identity": { "vendor": "Poly", "model": "VVX 410" },
        "address": "10.20.0.51", "findings": [], "headline": null,
        "last": { "text": "leased 10.20.0.51", "at": "2026-11-20T08:59:20Z" },
    });
    for (key, value) in more.as_object().unwrap() {
        phone[key] = value.clone();
    }
    phone
}

fn some() -> Vec<Value> {
    let says = "listed as 7970, says it is a 7961";
    let ready = json!({ "ready": true, "percent": 100,
        "headline": { "text": "ready", "remedy": "", "tone": "good" },
        "last": { "text": "has 0004f2aabb01-line.cfg (4 kB)", "at": "2026-11-20T08:57:00Z" } });
    vec![
        phone("00:04:f2:aa:bb:01", "4012 Front desk", 5, "configured", ready.clone()),
        phone("00:04:f2:aa:bb:02", "4011 Kitchen", 5, "registered", ready),
        phone(
            "00:1e:7a:c4:10:22",
            "4013 Reception",
            0,
            "leased",
            json!({ "stuck": true, "entry": { "model": "7970" },
            "identity": { "vendor": "Cisco", "model": "7961" },
            "findings": [{ "kind": "wrong-model", "text": says, "remedy": "list it as 7961" }],
            "headline": { "text": says, "remedy": "list it as 7961", "tone": "bad" } }),
        ),
        phone("00:15:65:00:00:07", "00:15:65:00:00:07", 3, "asking", json!({ "entry": null })),
        phone(
            "00:15:65:00:00:08",
            "4014 Caf\u{e9} \u{1b}[2J\u{202e}evil",
            2,
            "defaulted",
            json!({ "headline": { "text": "only a fallback file was asked for", "tone": "warn",
                "remedy": "look at option 66" } }),
        ),
        phone(
            "00:15:65:00:00:09",
            "4015 Store",
            4,
            "silent",
            json!({ "percent": 0, "identity": { "model": null }, "address": null, "last": null }),
        ),
    ]
}

fn screen(phones: &[Value]) -> Screen {
    let mut screen =
        Screen { link: Link::Live, heard: Some(now()), loaded: true, ..Screen::default() };
    for phone in phones {
        screen.board.take(phone);
    }
    screen
}

fn terminal(screen: &mut Screen, width: u16, height: u16, colours: bool) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen, Paint { colours }, now())).unwrap();
    terminal
}

fn picture(screen: &mut Screen, width: u16, height: u16) -> String {
    terminal(screen, width, height, true).backend().to_string()
}

fn press(screen: &mut Screen, keys: &str) -> Act {
    let act = keys.chars().map(|key| {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\u{8}' => KeyCode::Backspace,
            '↓' => KeyCode::Down,
            '↑' => KeyCode::Up,
            key => KeyCode::Char(key),
        };
        screen.press(KeyEvent::new(code, KeyModifiers::NONE))
    });
    act.last().unwrap()
}

#[test]
fn the_board() {
    let mut screen = screen(&some());
    insta::assert_snapshot!("wide", picture(&mut screen, 150, 18));
    press(&mut screen, "↓");
    insta::assert_snapshot!("usual", picture(&mut screen, 80, 20));
    insta::assert_snapshot!("narrow", picture(&mut screen, 40, 20));
    insta::assert_snapshot!("tiny", picture(&mut screen, 24, 6));
    // Nothing is too small to be drawn.
    for (width, height) in [(1, 1), (2, 3), (10, 2), (500, 3), (3, 200)] {
        picture(&mut screen, width, height);
    }
}

#[test]
fn half_a_model_is_no_model() {
    let long = json!({ "label": "漢字漢字漢字漢字漢字漢字漢字漢字漢字", "entry": { "model": "7970" },
        "identity": { "model": "7961" }, "findings": [{ "kind": "wrong-model" }] });
    let mut screen = screen(&[phone("00:1e:7a:c4:10:22", "", 0, "leased", long)]);
    let shown = picture(&mut screen, 84, 10);
    assert!(shown.contains("7961, listed …"), "{shown}");
    assert!(shown.contains('漢') && shown.contains('…'), "{shown}");
}

#[test]
fn empty_unread_and_lost() {
    let mut nobody = screen(&[]);
    insta::assert_snapshot!("nobody", picture(&mut nobody, 80, 12));
    let mut unread = Screen::default();
    insta::assert_snapshot!("unread", picture(&mut unread, 60, 8));
    let mut lost = screen(&some());
    lost.link = Link::Lost;
    lost.heard = Some("2026-11-20T08:59:48Z".parse().unwrap());
    let shown = picture(&mut lost, 80, 16);
    assert!(shown.contains("last heard 12 s ago, trying again"), "{shown}");
    assert!(shown.contains("4013 Reception"), "what is known stays: {shown}");
}

#[test]
fn keys_narrow_it() {
    let mut screen = screen(&some());
    let mut check = |keys: &str, told: &str| {
        assert_eq!(press(&mut screen, keys), Act::Stay);
        let shown = picture(&mut screen, 100, 20);
        assert!(shown.contains(told), "after {keys:?}, {told} is not in:\n{shown}");
    };
    check("/desk", "/desk");
    check("\n", "1 of 6 phones · /desk");
    check("/\u{8}\u{8}\u{8}\u{8}7961\n", "1 of 6 phones · /7961");
    check("\u{1b}", "6 phones ");
    check("/q q?\u{1b}", "6 phones ");
    check("s", "1 of 6 phones · need a look");
    check("s", "1 of 6 phones · silent");
    check("S", "1 of 6 phones · need a look");
    check("f", "1 of 6 phones · need a look · wrong-model");
    check("f", "1 of 6 phones · need a look ");
    check("/nobody\n", "No phone is like that. Esc shows all phones.");
    check("\u{1b}?", "this help");
    check("x", "6 phones ");
    assert_eq!(press(&mut screen, "q"), Act::Quit);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut screen, "/");
    assert_eq!(screen.press(interrupt), Act::Quit, "also where q is a letter");
}

#[test]
fn the_chosen_one_stays_chosen_and_in_sight() {
    let mut screen = screen(&some());
    let chosen = |screen: &Screen| screen.chosen.clone().unwrap_or_default();
    press(&mut screen, "↓");
    assert_eq!(chosen(&screen), "00:1e:7a:c4:10:22", "the first");
    press(&mut screen, "↓");
    assert_eq!(chosen(&screen), "00:15:65:00:00:08");
    // Another one gets into trouble: the rows move, the choice does not.
    let stuck = json!({ "stuck": true, "changed": 2 });
    screen.board.take(&phone("00:15:65:00:00:07", "00:15:65:00:00:07", 0, "asking", stuck));
    let shown = picture(&mut screen, 80, 20);
    assert!(shown.contains("asking stuck") && shown.contains("look at option 66"), "{shown}");
    press(&mut screen, "G");
    assert_eq!(chosen(&screen), "00:04:f2:aa:bb:01");
    let shown = picture(&mut screen, 80, 15);
    assert!(shown.contains("4012 Front desk  "), "{shown}");
    press(&mut screen, "g");
    assert_eq!(chosen(&screen), "00:15:65:00:00:07");
    // It is forgotten while it is looked at.
    screen.board.take(&json!({ "mac": "00:15:65:00:00:07", "forgotten": true }));
    picture(&mut screen, 80, 15);
    assert_eq!(screen.chosen, None);
}

#[test]
fn no_colour_where_nobody_wants_it() {
    let mut screen = screen(&some());
    press(&mut screen, "↓");
    let mut coloured = |colours: bool| {
        let terminal = terminal(&mut screen, 120, 20, colours);
        let cells = terminal.backend().buffer().content().iter();
        cells.filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count()
    };
    assert!(coloured(true) > 20);
    assert_eq!(coloured(false), 0);
}

#[test]
fn older_news_change_nothing() {
    let mut board = Board::default();
    let of = |changed: u64, stage: &str| {
        phone("00:04:f2:aa:bb:01", "4012", 3, stage, json!({ "changed": changed }))
    };
    assert!(board.take(&of(5, "asking")).is_some());
    assert!(board.take(&of(4, "leased")).is_none(), "a page of the list that was slow");
    assert!(board.take(&of(5, "asking")).is_none(), "the same");
    assert!(board.take(&of(6, "configured")).is_some());
}

#[test]
fn a_pipe_is_told_of_changes_only() {
    let filter = Filter { words: "desk".to_owned(), ..Filter::default() };
    let mut lines = Lines { board: Board::default(), filter, json: false, loaded: false };
    let mac = "00:04:f2:aa:bb:01";
    let at = |label: &str, changed: u64, stage: &str, more: Value| {
        let mut phone = phone(mac, label, 3, stage, more);
        phone["changed"] = json!(changed);
        News::Phone(Box::new(phone))
    };
    let mut check = |news: News, told: &[&str]| {
        let said: Vec<_> = lines.of(news, now()).iter().map(|line| line[10..].to_owned()).collect();
        assert_eq!(said, told);
    };
    check(at("4012 Front desk", 1, "leased", json!({})), &[]);
    check(News::All([mac.to_owned()].into()), &[]);
    let asks = "00:04:f2:aa:bb:01  asking               4012 Front desk · VVX 410 · 10.20.0.51";
    check(at("4012 Front desk", 2, "asking", json!({})), &[asks]);
    check(at("4012 Front desk", 3, "asking", json!({ "percent": 60 })), &[]);
    let headline = json!({ "stuck": true, "headline": { "text": "a\u{1b}[2Jb", "tone": "bad" } });
    let stuck =
        "00:04:f2:aa:bb:01  asking stuck         4012 Front desk · VVX 410 · 10.20.0.51 · a [2Jb";
    check(at("4012 Front desk", 4, "asking", headline), &[stuck]);
    let renamed = "00:04:f2:aa:bb:01  asking               4012 Kitchen · VVX 410 · 10.20.0.51";
    check(at("4012 Kitchen", 5, "asking", json!({})), &[renamed]);
    check(at("4012 Kitchen", 6, "configured", json!({})), &[]);
    check(
        at("4012 Desk", 7, "configured", json!({ "address": null })),
        &["00:04:f2:aa:bb:01  configured           4012 Desk · VVX 410"],
    );
    check(News::All([].into()), &["00:04:f2:aa:bb:01  forgotten"]);
}
