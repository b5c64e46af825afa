//! `ringup phones watch` on a terminal of its own (script(1) makes one) and in a pipe, against the real binary.

use std::{
    io::{BufRead, BufReader, Read, Write},
    num::NonZero,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use vt100::{Color, Parser};

use crate::run::{BINARY, Home, signal, until};

const LIST: &str = "mac,model,number,name\n0004f2aabb01,VVX 410,4012,Front desk\n0004f2aabb02,VVX 410,4013,Kitchen\n";

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

/// An appliance that serves nothing but its control socket to speak of.
fn home(ports: u16) -> Home {
    let at = |port: u16| format!("127.0.0.1:{port}");
    Home::new(&format!(
        "[tftp]\nlisten = [\"{}\"]\n[http]\nphones = [\"{}\"]\noperators = [\"{}\"]\n",
        at(ports),
        at(ports + 1),
        at(ports + 2)
    ))
}

/// A terminal of 24 rows and 100 columns with `phones watch` in it.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<Parser>>,
}

impl Terminal {
    fn open(home: &Home, environment: &[(&str, &str)]) -> Self {
        let settings = home.path("ringup.toml");
        let line = format!(
            "stty rows 24 cols 100; exec {BINARY} --config {} phones watch",
            settings.display()
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script is installed");
        let shown = Arc::new(Mutex::new(Parser::new(ROWS, COLUMNS, 0)));
        let (mut output, parser) = (child.stdout.take().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut octets) {
                parser.lock().unwrap().process(&octets[..count]);
            }
        });
        let keys = child.stdin.take().unwrap();
        Self { child, keys, shown }
    }

    fn text(&self) -> String {
        self.shown.lock().unwrap().screen().contents()
    }

    fn reads(&self, text: &str) {
        until(&format!("`{text}` on the terminal"), || self.text().contains(text).then_some(()));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The exit code, once it has ended; the terminal has to be as it was before.
    fn ended(mut self) -> Option<i32> {
        let code = until("end", || self.child.try_wait().unwrap()).code();
        // What was written last may yet be on its way here.
        until("the usual screen, with a cursor", || {
            let parser = self.shown.lock().unwrap();
            (!parser.screen().alternate_screen() && !parser.screen().hide_cursor()).then_some(())
        });
        code
    }

    /// The process inside.
    fn pid(&self) -> u32 {
        let script = self.child.id().to_string();
        until("process in the terminal", || {
            let children = Command::new("pgrep").args(["-P", &script, "ringup"]).output().unwrap();
            String::from_utf8(children.stdout).unwrap().trim().parse().ok()
        })
    }
}

#[test]
fn the_board_lives_through_a_restart() {
    let home = home(17_981);
    let serving = home.serve(&[]);
    let mut terminal = Terminal::open(&home, &[]);
    terminal.reads("No phone is listed and none was seen yet.");
    serving.import(LIST);
    terminal.reads("4012 Front desk");
    terminal.reads("2 phones");
    terminal.press("/kitchen\r");
    terminal.reads("1 of 2 phones · /kitchen");
    assert!(!terminal.text().contains("4012 Front desk"), "{}", terminal.text());
    terminal.press("?");
    terminal.reads("next kind of finding");
    terminal.press("x\u{1b}");
    terminal.reads("4012 Front desk");
    terminal.reads("live");

    serving.kill();
    terminal.reads("ago, trying again");
    terminal.reads("4012 Front desk");
    let serving = home.serve(&[]);
    serving.import("mac,model,number,name\n0004f2aabb03,VVX 410,4014,Store\n");
    terminal.reads("4014 Store");
    terminal.reads("live");
    let shown = terminal.shown.lock().unwrap();
    let coloured = (0..24).flat_map(|row| (0..100).map(move |column| (row, column)));
    let is_green = |(row, column)| {
        shown.screen().cell(row, column).is_some_and(|cell| cell.fgcolor() == Color::Idx(2))
    };
    assert!(coloured.into_iter().any(is_green), "`live` is green");
    drop(shown);
    terminal.press("q");
    assert_eq!(terminal.ended(), Some(0));
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn it_gives_the_terminal_back_however_it_ends() {
    let home = home(17_985);
    let serving = home.serve(&[]);
    serving.import(LIST);
    let mut terminal = Terminal::open(&home, &[("NO_COLOR", "1")]);
    terminal.reads("4012 Front desk");
    let shown = terminal.shown.lock().unwrap();
    for (row, column) in (0..24).flat_map(|row| (0..100).map(move |column| (row, column))) {
        let cell = shown.screen().cell(row, column).unwrap();
        assert_eq!((cell.fgcolor(), cell.bgcolor()), (Color::Default, Color::Default));
    }
    drop(shown);
    terminal.press("\u{3}");
    assert_eq!(terminal.ended(), Some(0));

    let terminal = Terminal::open(&home, &[]);
    terminal.reads("4012 Front desk");
    signal(terminal.pid(), "TERM");
    assert_eq!(terminal.ended(), Some(0));
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_pipe_gets_a_line_for_each_change() {
    let home = home(17_989);
    let watch = |words: &[&str]| {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(home.path("ringup.toml")).args(["phones", "watch"]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let nobody = watch(&[]).output().unwrap();
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert_eq!(nobody.status.code(), Some(69), "{said}");
    assert!(said.contains("no ringup runs on"), "{said}");

    let serving = home.serve(&[]);
    let lines = |words: &[&str]| {
        let mut child = watch(words).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = errors.next().unwrap().unwrap();
        assert!(first.ends_with("a line for each change follows"), "{first}");
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || output.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        (child, lines)
    };
    let (mut plain, told) = lines(&["--query", "desk"]);
    let (mut json, documents) = lines(&["--json", "--query", "kitchen"]);
    serving.import(LIST);
    let line = told.recv_timeout(crate::run::PATIENCE).unwrap();
    let expected = "00:04:f2:aa:bb:01  silent               4012 Front desk · VVX 410";
    assert_eq!(&line[10..], expected);
    let document = documents.recv_timeout(crate::run::PATIENCE).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["entry"]["name"], "Kitchen");
    serving.try_call("DELETE", "/api/v1/phones/00:04:f2:aa:bb:01", "", "").unwrap();
    let line = told.recv_timeout(crate::run::PATIENCE).unwrap();
    assert_eq!(&line[10..], "00:04:f2:aa:bb:01  forgotten");
    assert!(told.try_recv().is_err(), "nothing of the kitchen");
    for child in [&mut plain, &mut json] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(serving.stop(), Some(0));
}
