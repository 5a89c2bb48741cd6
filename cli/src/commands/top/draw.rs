//! Draws `top`: from a view and lines to a frame. Pure.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::lines::{Line, totals};
use super::view::{Overlay, View};
use crate::table::{Column, GAP, Layout, Table};
use crate::terminal::bar;
use crate::text::{Look, Word, cut, printable};
use crate::words;

/// The facts above the table.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub engine: String,
    pub node: String,
    /// The watcher's state, and how changes are noticed.
    pub state: Word,
    pub by: &'static str,
    /// Why the engine cannot be reached.
    pub trouble: String,
}

/// The node's CPUs and memory. For a container without a limit, bars show the share of these.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub cpus: f64,
    pub memory: u64,
}

/// From this width on there is room for bars.
const WIDE: usize = 120;
const BAR: usize = 8;

const COLUMNS: [Column; 9] = [
    Column::new("POD / CONTAINER").names(),
    Column::new("STATE").late(5),
    Column::new("AGE").late(2),
    Column::new("CPU").number().late(4),
    Column::new("MEMORY").number().late(3),
    Column::new("PID").number().early(2),
    Column::new("RESTARTS").number().early(3),
    // How a container ended is the main question here, so this column is dropped late.
    Column::new("LAST EXIT").late(1),
    Column::new("IMAGE").soft().early(1),
];

const KEYS: &[(&str, &str)] = &[
    ("up, down, k, j", "a line up or down; page up, page down, home, end"),
    ("enter", "everything about the pod or container under the cursor"),
    ("/", "only what has a text in its name, image or state (esc: all)"),
    ("s", "next order: name, newest, restarts, last exit, cpu, memory"),
    ("r", "the other way round"),
    ("a", "all, also what has ended"),
    ("?", "this help"),
    ("q", "end"),
];

/// Draws everything. `is_fresh` says whether an id has just changed.
pub fn draw(
    frame: &mut Frame<'_>,
    view: &mut View,
    head: &Head,
    shown: &[Line],
    node: Node,
    is_fresh: &dyn Fn(&str) -> bool,
    now: i64,
) {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let mut rows: Vec<Row<'static>> = head_rows(head, shown, width);
    rows.push(Row::default());
    let body = height.saturating_sub(rows.len() + 1);
    match view.overlay.clone() {
        Overlay::Help => {
            rows.extend(KEYS.iter().map(|(key, what)| {
                styled(&[Word::new(format!("  {key:<16}"), Look::Bold), (*what).into()], " ", width)
            }))
        }
        Overlay::Details { title, lines, top } => {
            view.room = body.saturating_sub(1).max(1);
            rows.push(styled(&[Word::new(title, Look::Heading)], " ", width));
            let visible = lines.into_iter().skip(top).take(view.room);
            rows.extend(
                visible.map(|(key, value)| styled(&[Word::new(format!("{key:<11}"), Look::Bold), value], " ", width)),
            );
        }
        Overlay::None | Overlay::Filter => {
            view.fit(shown.len(), body.saturating_sub(1));
            rows.extend(table_rows(view, shown, node, is_fresh, now, width));
        }
    }
    rows.truncate(height.saturating_sub(1));
    rows.resize(height.saturating_sub(1), Row::default());
    rows.push(foot(view, shown.len(), width));
    frame.render_widget(Paragraph::new(rows), Rect { ..area });
}

fn head_rows(head: &Head, shown: &[Line], width: usize) -> Vec<Row<'static>> {
    let mut first = vec![Word::new("criwatch top", Look::Bold), "·".into(), head.engine.as_str().into()];
    if !head.node.is_empty() {
        first.extend(["·".into(), head.node.as_str().into()]);
    }
    first.extend(["·".into(), head.state.clone(), Word::new(head.by, Look::Dim)]);
    let second = match head.trouble.is_empty() {
        true => totals(shown).into(),
        false => Word::new(head.trouble.lines().next().unwrap_or_default(), Look::Bad),
    };
    vec![styled(&first, " ", width), styled(&[second], " ", width)]
}

fn table_rows(
    view: &mut View,
    shown: &[Line],
    node: Node,
    is_fresh: &dyn Fn(&str) -> bool,
    now: i64,
    width: usize,
) -> Vec<Row<'static>> {
    let end = (view.top + view.room).min(shown.len());
    let visible = &shown[view.top..end];
    let hidden = hidden_pod(shown, view.top);
    let rows = table(visible, hidden, width >= WIDE, node, is_fresh, now);
    let wanted = rows.widths();
    view.widths.resize(wanted.len(), 0);
    view.widths.iter_mut().zip(wanted).for_each(|(kept, wanted)| *kept = wanted.max(*kept));
    let layout = Layout::new(&rows.columns, &view.widths, Some(width));
    let mut drawn = vec![styled(&rows.head(&layout), GAP, width)];
    for (at, row) in rows.rows.iter().enumerate() {
        let mut row = styled(&rows.line(row, &layout), GAP, width);
        if view.top + at == view.cursor {
            // Padded to the width of the screen.
            row.push_span(" ".repeat(width.saturating_sub(row.width())));
            row = row.style(Style::new().add_modifier(Modifier::REVERSED));
        }
        drawn.push(row);
    }
    drawn
}

/// The pod of the first visible line, if its own line has scrolled away.
fn hidden_pod(shown: &[Line], top: usize) -> Option<&str> {
    shown.get(top).filter(|line| !line.is_pod).map(|line| &*line.pod)
}

/// The lines as a table. What has just changed is highlighted. If a pod's line is not visible, its name is before that
/// of the container.
pub fn table(
    visible: &[Line],
    hidden: Option<&str>,
    bars: bool,
    node: Node,
    is_fresh: &dyn Fn(&str) -> bool,
    now: i64,
) -> Table {
    let mut rows = Table::new(COLUMNS);
    for line in visible {
        let fresh = is_fresh(&line.id);
        let name = match (line.is_pod, hidden == Some(&*line.pod)) {
            (true, _) => Word::new(&*line.name, Look::Heading),
            (false, true) => {
                Word::new(format!("{}/{}", line.pod, line.name), if fresh { Look::Bold } else { Look::Plain })
            }
            (false, false) => Word::new(format!("  {}", line.name), if fresh { Look::Bold } else { Look::Plain }),
        };
        let state = if fresh { Word::new(&*line.state.text, Look::Change) } else { line.state.clone() };
        let usage = &line.usage;
        let cpu_share = usage.cpu_share().or_else(|| Some(usage.cpu? / node.cpus));
        let memory_share = usage.memory_share().or_else(|| Some(usage.memory? as f64 / node.memory as f64));
        let mut last = line.last_exit.clone();
        if let Some(time) = line.last_exit_at {
            last.text = format!("{} {}", last.text, words::age(Some(time), now));
        }
        rows.add([
            name,
            state,
            words::age(line.since, now).into(),
            used(usage.cpu.map(words::cpus), cpu_share, bars),
            used(usage.memory.map(words::bytes), memory_share, bars),
            words::or_nothing(line.pid).into(),
            words::restarts(line.restarts),
            last,
            Word::new(&*line.image, Look::Dim),
        ]);
    }
    rows
}

/// A value with its bar.
fn used(value: Option<String>, share: Option<f64>, bars: bool) -> Word {
    match (value, share) {
        (None, _) => Word::new(words::NOTHING, Look::Dim),
        (Some(value), Some(share)) if bars => {
            let bar = bar(share, BAR);
            Word::new(format!("{} {value:>5}", bar.text), bar.look)
        }
        (Some(value), _) => value.into(),
    }
}

fn foot(view: &View, total: usize, width: usize) -> Row<'static> {
    let shape = &view.shape;
    let part = match total {
        0 => "nothing to show".to_owned(),
        _ => format!("{}-{} of {total}", view.top + 1, (view.top + view.room).min(total)),
    };
    let filter = if shape.filter.is_empty() { String::new() } else { format!("   /{}", shape.filter) };
    let sign = if shape.reversed { ", reversed" } else { "" };
    let text = match &view.overlay {
        Overlay::Filter => {
            return styled(
                &[
                    Word::new(format!("/{}▏", shape.filter), Look::Bold),
                    Word::new("enter: keep   esc: everything", Look::Dim),
                ],
                " ",
                width,
            );
        }
        Overlay::Help => "any key: back".to_owned(),
        Overlay::Details { .. } => "esc: back   arrows: scroll".to_owned(),
        Overlay::None => {
            format!("?: help   q: end   enter: details   s: sort (by {}{sign}){filter}   {part}", shape.order.word())
        }
    };
    styled(&[Word::new(text, Look::Dim)], " ", width)
}

/// The words as a row that fits on the screen.
fn styled(words: &[Word], gap: &'static str, width: usize) -> Row<'static> {
    let mut spans = Vec::new();
    let mut left = width;
    for (number, word) in words.iter().enumerate() {
        if number > 0 {
            spans.push(Span::raw(cut(gap, left).into_owned()));
            left = left.saturating_sub(gap.len());
        }
        let text = cut(&printable(&word.text), left).into_owned();
        left = left.saturating_sub(crate::text::width_of(&text));
        spans.push(Span::styled(text, style(word.look)));
    }
    Row::from(spans)
}

fn style(look: Look) -> Style {
    match look {
        Look::Plain => Style::new(),
        Look::Bold => Style::new().add_modifier(Modifier::BOLD),
        Look::Dim => Style::new().add_modifier(Modifier::DIM),
        Look::Good => Style::new().fg(Color::Green),
        Look::Bad => Style::new().fg(Color::Red),
        Look::Caution => Style::new().fg(Color::Yellow),
        Look::Odd => Style::new().fg(Color::Magenta),
        Look::Change => Style::new().fg(Color::Blue).add_modifier(Modifier::BOLD),
        Look::Id => Style::new().fg(Color::Cyan),
        Look::Heading => Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::{Buffer, Cell};
    use ratatui::crossterm::event::KeyCode;

    use super::super::lines::{Order, Shape, lines};
    use super::*;
    use crate::cgroup_usage::Usage;
    use crate::sample::{self, NOW};

    fn shown(filter: &str) -> (View, Vec<Line>) {
        let shape = Shape { everything: true, order: Order::Name, reversed: false, filter: filter.into() };
        let usage = |id: &str| {
            let is_running = sample::containers().iter().any(|one| &*one.id == id && one.is_running());
            let number = u64::from_str_radix(&id[..2], 16).unwrap();
            let usage = Usage { cpu: Some(number as f64 / 150.0), memory: Some(number << 20), ..Usage::default() };
            is_running.then_some(Usage {
                memory_limit: number.is_multiple_of(2).then_some(200 << 20),
                cpu_limit: number.is_multiple_of(3).then_some(1.0),
                ..usage
            })
        };
        let lines = lines(&sample::node(), &shape, &usage);
        (View::new(shape), lines)
    }

    fn drawn(view: &mut View, shown: &[Line], width: usize, height: usize) -> Buffer {
        let head = Head {
            engine: "containerd 2.1.9 [API v1]".into(),
            node: "node-17".into(),
            state: Word::new("watching", Look::Good),
            by: "(event stream)",
            trouble: String::new(),
        };
        let mut terminal = Terminal::new(TestBackend::new(width as u16, height as u16)).unwrap();
        let node = Node { cpus: 4.0, memory: 8 << 30 };
        terminal.draw(|frame| draw(frame, view, &head, shown, node, &|_| false, NOW)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn screen(view: &mut View, shown: &[Line], width: usize, height: usize) -> String {
        // A wide character takes two cells; the second one is empty.
        let buffer = drawn(view, shown, width, height);
        let row = |y: usize| {
            let (mut text, mut x) = (String::new(), 0);
            while x < width {
                let symbol = buffer[(x as u16, y as u16)].symbol();
                text.push_str(symbol);
                x += crate::text::width_of(symbol).max(1);
            }
            text.trim_end().to_owned()
        };
        (0..height).map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn screens() {
        sample::golden("top", |width| {
            let (mut view, lines) = shown("");
            screen(&mut view, &lines, width, 24)
        });
    }

    #[test]
    fn scrolled_away_pods_are_named_on_their_rows() {
        let (mut view, lines) = shown("");
        view.fit(lines.len(), 5);
        view.press(KeyCode::Down, &lines);
        // Moves to the second container of the long pod.
        let second = lines.iter().position(|line| line.name.starts_with("kube-state")).unwrap();
        (view.cursor, view.top) = (second, second);
        let drawn = screen(&mut view, &lines, 200, 9);
        let row = drawn.lines().nth(4).unwrap();
        assert!(
            row.starts_with(
                "observability-platform/prometheus-kube-state-metrics-collector-7f8c9d6b54-qwert/kube-state-metrics"
            ),
            "{drawn}"
        );
        assert!(drawn.lines().nth(5).unwrap().starts_with("shop/web-frontend-5d9c7b6f4-9k4zt "), "{drawn}");
    }

    #[test]
    fn help_filter_and_details() {
        sample::golden("top-help", |width| {
            let (mut view, lines) = shown("");
            view.press(KeyCode::Char('?'), &lines);
            screen(&mut view, &lines, width, 16)
        });
        sample::golden("top-filter", |width| {
            let (mut view, lines) = shown("nginx");
            view.press(KeyCode::Char('/'), &lines);
            screen(&mut view, &lines, width, 12)
        });
        sample::golden("top-details", |width| {
            let (mut view, lines) = shown("");
            let facts = vec![
                ("Name".to_owned(), "shop/web/nginx".into()),
                ("State".to_owned(), Word::new("running", Look::Good)),
            ];
            view.overlay = Overlay::Details { title: "shop/web/nginx".into(), lines: facts, top: 0 };
            screen(&mut view, &lines, width, 10)
        });
    }

    #[test]
    fn trouble_takes_the_place_of_the_totals() {
        let head = Head { trouble: "connect: refused\nmore".into(), ..Head::default() };
        let rows = head_rows(&head, &[], 80);
        assert_eq!(rows[1].to_string(), "connect: refused");
    }

    /// docs/site/screen.py makes the picture in README and docs/command.md from docs/images/top.ansi.
    #[test]
    fn the_screen_of_the_documents_is_committed() {
        const WIDTH: usize = 110;
        const HEIGHT: usize = 20;
        let (mut view, lines) = shown("");
        view.cursor = 5;
        let buffer = drawn(&mut view, &lines, WIDTH, HEIGHT);
        let mut screen = String::from("\x1b]0;criwatch top\x07");
        for y in 0..HEIGHT {
            let (mut x, mut before) = (0, (Color::Reset, Modifier::empty()));
            while x < WIDTH {
                let cell = &buffer[(x as u16, y as u16)];
                if (cell.fg, cell.modifier) != before {
                    before = (cell.fg, cell.modifier);
                    screen += &sgr(cell);
                }
                screen += cell.symbol();
                x += crate::text::width_of(cell.symbol()).max(1);
            }
            screen += "\x1b[0m\n";
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/images/top.ansi");
        if std::env::var_os("CRI_BLESS").is_some() {
            std::fs::write(path, &screen).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(screen == committed, "CRI_BLESS=1 writes {path} anew, and then `make screens` the picture:\n{screen}");
    }

    /// The escape sequence for the look of this cell.
    fn sgr(cell: &Cell) -> String {
        let mut codes = String::from("0");
        for (modifier, code) in [(Modifier::BOLD, ";1"), (Modifier::DIM, ";2"), (Modifier::REVERSED, ";7")] {
            if cell.modifier.contains(modifier) {
                codes += code;
            }
        }
        codes += match cell.fg {
            Color::Red => ";31",
            Color::Green => ";32",
            Color::Yellow => ";33",
            Color::Blue => ";34",
            Color::Magenta => ";35",
            Color::Cyan => ";36",
            _ => "",
        };
        format!("\x1b[{codes}m")
    }

    #[test]
    fn any_size_can_be_drawn() {
        let (mut view, lines) = shown("");
        for (width, height) in [(1, 1), (2, 3), (10, 4), (300, 60)] {
            view.widths.clear();
            screen(&mut view, &lines, width, height);
        }
    }
}
