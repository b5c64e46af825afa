//! The board drawn into a terminal of any size, with colours or without.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Row as TableRow, Table, Wrap},
};

use crate::{
    cli::output::ago,
    domain::{Stage, Timestamp, clip},
};

use super::{
    board::{Board, Group, Row, Tone},
    screen::{Focus, Link, Screen},
};

/// Blanks between two columns.
const GAP: u16 = 2;

/// Columns: what stands above, characters that are needed, characters that are of use, and who leaves first where the
/// terminal is narrow; the page's words.
const COLUMNS: [(&str, u16, u16, u8); 6] = [
    ("Stage", 19, 19, 0),
    ("Phone", 18, 30, 1),
    ("Model", 14, 26, 3),
    ("Address", 15, 15, 4),
    ("Last event", 30, 44, 5),
    ("In short", 24, u16::MAX, 2),
];

/// The column of the sentence that matters most.
const SHORT: usize = 5;

/// Characters of a sentence as most are.
const SENTENCE: u16 = 50;

const KEYS: &[(&str, &str)] = &[
    ("/", "filter: number, name, MAC, model, address, finding …"),
    ("s  S", "next stage, the one before"),
    ("f", "next kind of finding"),
    ("Esc", "show all phones"),
    ("↓ ↑  j k", "choose a phone: what to do about it is told below"),
    ("Space  PgUp", "a page on, a page back"),
    ("g  G", "first, last"),
    ("?", "this help"),
    ("q", "quit"),
];

/// Colours, unless nobody wants them (no-color.org).
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    pub colours: bool,
}

impl Paint {
    fn of(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    fn stage(self, stage: Stage) -> Style {
        match stage {
            Stage::Silent => Style::new().add_modifier(Modifier::DIM),
            Stage::Discovered | Stage::Leased | Stage::Asking | Stage::Registering => {
                self.of(Color::Blue)
            }
            Stage::Defaulted => self.of(Color::Yellow),
            Stage::Upgrading => self.of(Color::Magenta),
            Stage::Configured | Stage::Registered => self.of(Color::Green),
        }
    }

    fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Bad => self.of(Color::Red),
            Tone::Warn => self.of(Color::Yellow),
            Tone::Good => self.of(Color::Green),
            Tone::Quiet => Style::new(),
        }
    }
}

/// Draws the screen as it is at `now`.
pub fn draw(frame: &mut Frame<'_>, screen: &mut Screen, paint: Paint, now: Timestamp) {
    screen.board.settle();
    let area = frame.area();
    let legend = legend(&screen.board, paint, area.width);
    let low = area.height < 14;
    let height = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    let [title, bar, counts, tools, rows, told, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(if low { 1 } else { height(legend.len()) }),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(if low { 0 } else { 3 }),
        Constraint::Length(1),
    ])
    .areas(area);
    screen.settle(usize::from(rows.height.saturating_sub(1)));

    let (status, style) = status(screen, paint, now);
    frame.render_widget(Line::from("ringup · board").bold(), title);
    frame.render_widget(Line::styled(status, style).right_aligned(), title);
    frame.render_widget(bar_line(&screen.board, paint, bar.width), bar);
    frame.render_widget(Paragraph::new(legend), counts);
    frame.render_widget(tools_line(screen), tools);
    table(frame, screen, paint, rows, now);
    frame.render_widget(told_of(screen, paint, told.width), told);
    let hint = match screen.focus {
        Focus::Filter => "Enter done  Esc clear",
        _ => "/ filter  s stage  f finding  ↑↓ choose  ? help  q quit",
    };
    frame.render_widget(Line::from(hint).dim(), keys);
    if screen.focus == Focus::Help {
        help(frame, area);
    }
}

/// How the connection is, in the page's words.
fn status(screen: &Screen, paint: Paint, now: Timestamp) -> (String, Style) {
    let heard = screen.heard.map(|at| ago(&at.to_string(), now));
    match (screen.link, heard) {
        (Link::Live, _) => ("live".to_owned(), paint.of(Color::Green)),
        (Link::Lost, Some(heard)) => {
            let style = paint.of(Color::Red).add_modifier(Modifier::BOLD);
            (format!("last heard {heard} ago, trying again"), style)
        }
        (Link::Connecting | Link::Lost, _) => ("connecting".to_owned(), Style::new()),
    }
}

/// What a stage is drawn with, so that nobody needs to tell colours apart.
const fn glyph(stage: Stage) -> &'static str {
    match stage {
        Stage::Silent => "·",
        Stage::Discovered => "-",
        Stage::Leased => "=",
        Stage::Asking => "+",
        Stage::Defaulted => "░",
        Stage::Upgrading => "▒",
        Stage::Configured => "▓",
        Stage::Registering => "▞",
        Stage::Registered => "█",
    }
}

/// The share of each stage: what is done fills the bar from the left.
fn bar_line(board: &Board, paint: Paint, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let all = board.len().max(1);
    let (mut before, mut spans) = (0, Vec::new());
    for (group, count) in board.counts().iter().rev() {
        let Group::Of(stage) = group else { continue };
        let from = before * width / all;
        before += count;
        let cells = before * width / all - from;
        spans.push(Span::styled(glyph(*stage).repeat(cells), paint.stage(*stage)));
    }
    Line::from(spans)
}

/// The counts, as many a line as there is room for. Who has none is left out.
fn legend(board: &Board, paint: Paint, width: u16) -> Vec<Line<'static>> {
    let chosen = board.filter().group;
    let mut lines: Vec<Line<'_>> = vec![Line::default()];
    for (group, count) in board.counts() {
        if *count == 0 && *group != Group::All && *group != chosen {
            continue;
        }
        let style = match group {
            Group::All => Style::new(),
            Group::Trouble => paint.of(Color::Red).add_modifier(Modifier::BOLD),
            Group::Of(stage) => paint.stage(*stage),
        };
        let mark = if let Group::Of(stage) = group { glyph(*stage) } else { "" };
        let text =
            format!("{mark}{}{count} {}", if mark.is_empty() { "" } else { " " }, group.name());
        let style = if *group == chosen { style.add_modifier(Modifier::REVERSED) } else { style };
        let span = Span::styled(text, style);
        let room = usize::from(width);
        if let Some(line) = lines.last_mut() {
            if line.width() > 0 && line.width() + 3 + span.width() > room {
                lines.push(Line::from(span));
            } else {
                if line.width() > 0 {
                    line.push_span("   ");
                }
                line.push_span(span);
            }
        }
    }
    lines
}

/// How many phones are shown, and why not all.
fn tools_line(screen: &Screen) -> Line<'static> {
    let (board, filter) = (&screen.board, screen.board.filter());
    if screen.focus == Focus::Filter {
        let text = format!("/{}", filter.words);
        return Line::from(vec![Span::raw(text), Span::styled(" ", Style::new().reversed())]);
    }
    let noun = if board.len() == 1 { "phone" } else { "phones" };
    let mut parts = vec![match (board.count(), board.len()) {
        _ if !screen.loaded && board.len() == 0 => "reading the list of phones".to_owned(),
        (shown, all) if filter.is_set() => format!("{shown} of {all} {noun}"),
        (_, all) => format!("{all} {noun}"),
    }];
    if filter.group != Group::All {
        parts.push(filter.group.name().to_owned());
    }
    let named = [("", &filter.finding), ("site ", &filter.site), ("/", &filter.words)];
    parts.extend(
        named.iter().filter(|(_, it)| !it.is_empty()).map(|(mark, it)| format!("{mark}{it}")),
    );
    Line::from(parts.join(" · "))
}

/// Which columns there are, with their widths.
fn columns(width: u16) -> Vec<(usize, u16)> {
    let mut kept: Vec<usize> = (0..COLUMNS.len()).collect();
    let need = |at: &usize| COLUMNS.get(*at).map_or(0, |(_, least, ..)| least + GAP);
    let leaves = |at: &usize| COLUMNS.get(*at).map_or(0, |(.., leaves)| *leaves);
    while kept.len() > 2 && kept.iter().map(need).sum::<u16>() > width + GAP {
        let last = kept.iter().copied().max_by_key(leaves);
        kept.retain(|at| Some(*at) != last);
    }
    let mut room = (width + GAP).saturating_sub(kept.iter().map(need).sum());
    let mut widths: Vec<_> =
        kept.iter().filter_map(|at| COLUMNS.get(*at).map(|(_, least, ..)| (*at, *least))).collect();
    // A usual sentence first; then a third of what is left to each of the others, as far as it is of use.
    if let Some((_, width)) = widths.iter_mut().find(|(at, _)| *at == SHORT) {
        let more = room.min(SENTENCE - *width);
        *width += more;
        room -= more;
    }
    for (at, width) in &mut widths {
        let most = COLUMNS.get(*at).map_or(0, |(_, _, most, _)| *most);
        let more = if *at == SHORT { room } else { (most - *width).min(room / 3) };
        *width += more;
        room -= more;
    }
    // Without the sentence, the phone takes it.
    if let Some((_, width)) = widths.get_mut(1) {
        *width += room;
    }
    widths
}

fn table(frame: &mut Frame<'_>, screen: &Screen, paint: Paint, area: Rect, now: Timestamp) {
    let board = &screen.board;
    if board.count() == 0 {
        let text = match board.len() {
            _ if !screen.loaded => "",
            0 => {
                "No phone is listed and none was seen yet. Import a list with `ringup phones import FILE.csv`, or plug \
                 a phone in: it shows up here at its first packet."
            }
            _ => "No phone is like that. Esc shows all phones.",
        };
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let columns = columns(area.width);
    let rows = board.rows(screen.top, screen.height).map(|row| {
        let cells = cells(row, paint, now);
        let is_chosen = screen.chosen.as_deref() == Some(row.mac.as_str());
        let style = if is_chosen { Style::new().reversed() } else { Style::new() };
        let cells = columns.iter().filter_map(|(at, width)| {
            let (text, style) = cells.get(*at)?;
            Some(Line::styled(cut(text, *width), *style))
        });
        TableRow::new(cells).style(style)
    });
    let header = columns.iter().filter_map(|(at, _)| COLUMNS.get(*at)).map(|(name, ..)| *name);
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    let header = TableRow::new(header).style(Style::new().add_modifier(Modifier::UNDERLINED));
    frame.render_widget(Table::new(rows, widths).header(header).column_spacing(GAP), area);
}

/// A text within `width` columns; that something was cut is seen, because half a model is another one.
fn cut(text: &str, width: u16) -> String {
    let room = usize::from(width);
    if Span::raw(text).width() <= room {
        return text.to_owned();
    }
    // Some characters take two columns.
    let kept = |count: &usize| Span::raw(clip(text, *count)).width() <= room;
    (0..room).rev().find(kept).map(|count| clip(text, count)).unwrap_or_default()
}

fn cells(row: &Row, paint: Paint, now: Timestamp) -> [(String, Style); 6] {
    let stage = match row.flag {
        "stuck" | "looping" => paint.of(Color::Red),
        "away" => paint.of(Color::Yellow),
        _ => paint.stage(row.stage),
    };
    let when = match row.last_at.as_str() {
        "" => String::new(),
        at => format!("{} ago", ago(at, now)),
    };
    // The time first: it is what is looked for, and a long text would push it out.
    let last = if row.last.is_empty() { String::new() } else { format!("{when}: {}", row.last) };
    let plain = Style::new();
    [
        (row.standing(), stage),
        (row.label.clone(), plain),
        (row.model.clone(), plain),
        (row.address.clone(), plain),
        (last, plain),
        (row.headline.clone(), paint.tone(row.tone)),
    ]
}

/// The chosen phone in whole sentences.
fn told_of(screen: &Screen, paint: Paint, width: u16) -> Paragraph<'static> {
    let place = screen.chosen.as_deref().and_then(|mac| screen.board.place_of(mac));
    let row = place.and_then(|place| screen.board.rows(place, 1).next());
    let Some(row) = row else { return Paragraph::default() };
    let who = [&row.label, &row.mac, &row.site].into_iter().filter(|text| !text.is_empty());
    let mut who: Vec<&str> = who.map(String::as_str).collect();
    who.dedup();
    let lines = vec![
        Line::from(cut(&who.join(" · "), width)).bold(),
        Line::styled(cut(&row.headline, width), paint.tone(row.tone)),
        Line::from(cut(&row.remedy, width)),
    ];
    Paragraph::new(lines)
}

fn help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<_> =
        KEYS.iter().map(|(key, what)| Line::from(format!("{key:<12} {what}"))).collect();
    let [wide] = Layout::horizontal([Constraint::Max(70)]).areas(area);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let [high] = Layout::vertical([Constraint::Max(height)]).areas(wide);
    frame.render_widget(Clear, high);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Keys ")), high);
}
