//! What the terminal shows of the board, and what its keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::domain::Timestamp;

use super::board::{Board, Filter, Group};

/// Characters that a filter can have; more is a cat on the keyboard.
const LONGEST: usize = 120;

/// How the connection is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Link {
    /// Nothing was heard yet.
    #[default]
    Connecting,
    /// News come.
    Live,
    /// It is gone, and tried again.
    Lost,
}

/// What keys go to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Focus {
    /// The rows.
    #[default]
    Rows,
    /// The text of the filter.
    Filter,
    /// The help lies over everything.
    Help,
}

/// The board on a terminal.
#[derive(Debug, Default)]
pub struct Screen {
    pub board: Board,
    pub link: Link,
    /// When something came last.
    pub heard: Option<Timestamp>,
    /// The whole list was read once.
    pub loaded: bool,
    pub focus: Focus,
    /// The phone that is told of below the rows; its place may change.
    pub chosen: Option<String>,
    /// The first row in sight.
    pub top: usize,
    /// Rows in sight at the last look.
    pub height: usize,
}

/// What a key asks for beyond the screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    Stay,
    Quit,
}

impl Screen {
    /// Does what a key is for.
    pub fn press(&mut self, key: KeyEvent) -> Act {
        if key.kind == KeyEventKind::Release {
            return Act::Stay;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match (self.focus, key.code) {
            (_, KeyCode::Char('c')) if control => return Act::Quit,
            (Focus::Help | Focus::Rows, KeyCode::Char('q')) => return Act::Quit,
            (Focus::Help, _) => self.focus = Focus::Rows,
            (Focus::Filter, code) => self.write(code, control),
            (Focus::Rows, code) => self.row_key(code),
        }
        Act::Stay
    }

    fn write(&mut self, code: KeyCode, control: bool) {
        match code {
            KeyCode::Enter | KeyCode::Down => self.focus = Focus::Rows,
            KeyCode::Esc => {
                self.board.narrow(|filter| filter.words.clear());
                self.focus = Focus::Rows;
            }
            KeyCode::Char('u') if control => self.board.narrow(|filter| filter.words.clear()),
            KeyCode::Backspace => self.board.narrow(|filter| {
                filter.words.pop();
            }),
            KeyCode::Char(c) if !control && !c.is_control() => self.board.narrow(|filter| {
                if filter.words.chars().count() < LONGEST {
                    filter.words.push(c);
                }
            }),
            _ => {}
        }
    }

    fn row_key(&mut self, code: KeyCode) {
        let page = self.height.max(1);
        match code {
            KeyCode::Char('/') => self.focus = Focus::Filter,
            KeyCode::Char('?' | 'h') => self.focus = Focus::Help,
            KeyCode::Char('s') => self.turn(true),
            KeyCode::Char('S') => self.turn(false),
            KeyCode::Char('f') => self.next_finding(),
            KeyCode::Esc => self.board.narrow(|filter| *filter = Filter::default()),
            KeyCode::Down | KeyCode::Char('j') => self.step(|at| at + 1),
            KeyCode::Up | KeyCode::Char('k') => self.step(|at| at.saturating_sub(1)),
            KeyCode::PageDown | KeyCode::Char(' ') => self.step(|at| at + page),
            KeyCode::PageUp => self.step(|at| at.saturating_sub(page)),
            KeyCode::Home | KeyCode::Char('g') => self.step(|_| 0),
            KeyCode::End | KeyCode::Char('G') => self.step(|_| usize::MAX),
            _ => {}
        }
    }

    /// The next group that has phones, or the one before.
    fn turn(&mut self, forward: bool) {
        self.board.settle();
        let now = self.board.filter().group;
        let taken = |count: usize, group: Group| count > 0 || group == Group::All || group == now;
        let counts = self.board.counts();
        let mut groups: Vec<Group> = counts
            .iter()
            .filter(|(group, count)| taken(*count, *group))
            .map(|(group, _)| *group)
            .collect();
        if !forward {
            groups.reverse();
        }
        let at = groups.iter().position(|group| *group == now);
        let next = at.and_then(|at| groups.iter().cycle().nth(at + 1)).copied();
        self.board.narrow(|filter| filter.group = next.unwrap_or_default());
    }

    /// Any finding, then each kind that a phone has.
    fn next_finding(&mut self) {
        let now = self.board.filter().finding.clone();
        let next = self.board.findings().into_keys().find(|kind| *kind > now.as_str());
        let next = next.unwrap_or_default().to_owned();
        self.board.narrow(|filter| filter.finding = next);
    }

    fn step(&mut self, to: impl FnOnce(usize) -> usize) {
        self.board.settle();
        let place = self.chosen.as_deref().and_then(|mac| self.board.place_of(mac));
        let last = self.board.count().saturating_sub(1);
        // Nobody is chosen at first: the first key chooses the first phone in sight.
        let place = place.map_or(self.top, to).min(last);
        self.chosen = self.board.mac_at(place).map(str::to_owned);
    }

    /// Brings the rows into their places for a window of `height` rows: the chosen one stays in sight.
    pub fn settle(&mut self, height: usize) {
        self.height = height;
        self.board.settle();
        let chosen = self.chosen.as_deref().and_then(|mac| self.board.place_of(mac));
        if chosen.is_none() {
            self.chosen = None;
        }
        if let Some(place) = chosen {
            let lowest = (place + 1).saturating_sub(height);
            self.top = self.top.clamp(lowest, place.max(lowest));
        }
        self.top = self.top.min(self.board.count().saturating_sub(height));
    }
}
