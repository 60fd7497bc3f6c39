//! A picture for a terminal.

use amqp_tap::Side;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use workbook_course::Language;

use super::{
    Look, drawn, numeral,
    rows::{Kind, Row},
};
use crate::{
    finding::{Finding, Seen},
    quote::visible,
};

/// The tapes as a sequence diagram: a part for each program, each line at most [`Look::width`] columns wide.
pub fn text(all: &[Seen<'_>], findings: &[Finding], look: &Look) -> String {
    let canvas = Canvas {
        width: look.width.max(Look::NARROWEST),
        look: *look,
    };
    let mut lines: Vec<String> = Vec::new();
    for (place, seen) in all.iter().enumerate() {
        if place > 0 {
            lines.push(String::new());
        }
        lines.push(canvas.heads(seen.program));
        let rows = drawn(seen, place, findings, look);
        if rows.is_empty() {
            lines.push(canvas.empty());
        }
        lines.extend(rows.iter().map(|row| canvas.row(row)));
    }
    let mut picture = lines.join("\n");
    if !picture.is_empty() {
        picture.push('\n');
    }
    picture
}

/// How many of the frames that prove a finding an excerpt shows of each program.
const EXCERPT: usize = 3;

/// What proves one finding, by its number from 1: of each program that has a part in it, the frames that are pointed
/// at, each with the one before it, under the names of the two sides.
pub fn excerpt(all: &[Seen<'_>], findings: &[Finding], number: usize, look: &Look) -> String {
    let canvas = Canvas {
        width: look.width.max(Look::NARROWEST),
        look: *look,
    };
    let mut lines: Vec<String> = Vec::new();
    for (place, seen) in all.iter().enumerate() {
        let mut rows = drawn(seen, place, findings, look);
        let proofs: Vec<usize> = (0..rows.len())
            .filter(|at| rows[*at].marks.contains(&number))
            .collect();
        let Some((first, rest)) = proofs.split_first() else {
            continue;
        };
        // The first says where it began, the last ones where it ended.
        let last = &rest[rest.len().saturating_sub(EXCERPT - 1)..];
        let proves = |at: usize| at == *first || last.contains(&at);
        lines.push(canvas.heads(seen.program));
        let mut left_out = false;
        for (at, row) in rows.iter_mut().enumerate() {
            if !proves(at) && !proves(at + 1) {
                left_out = true;
                continue;
            }
            if std::mem::take(&mut left_out) {
                lines.push(canvas.gap());
            }
            row.marks.clear();
            let pointer = if proves(at) { " ◀" } else { "" };
            lines.push(format!("{}{pointer}", canvas.row(row)));
        }
    }
    lines.join("\n")
}

struct Canvas {
    width: usize,
    look: Look,
}

impl Canvas {
    /// The columns before the program's lane: for the event's number, and its time.
    fn gutter(&self) -> usize {
        if self.look.times { 15 } else { 5 }
    }

    /// The columns between the two lanes; to the right there is room for what points at a frame.
    fn between(&self) -> usize {
        const POINTER: usize = 5;
        self.width - self.gutter() - 2 - POINTER
    }

    fn heads(&self, program: &str) -> String {
        let broker = match self.look.language {
            Language::English => "broker",
            Language::Chinese => "代理",
        };
        let room = self.between() + 2;
        let program = cut(&visible(program), room - broker.width() - 1);
        let gap = room.saturating_sub(program.width() + broker.width());
        format!(
            "{:gutter$}{program}{:gap$}{broker}",
            "",
            "",
            gutter = self.gutter()
        )
    }

    fn empty(&self) -> String {
        let words = match self.look.language {
            Language::English => "(never connected)",
            Language::Chinese => "（从未连接）",
        };
        format!("{:1$}{words}", "", self.gutter())
    }

    /// Where rows are left out.
    fn gap(&self) -> String {
        let room = self.between();
        format!("{:gutter$}┆{:room$}┆", "", "", gutter = self.gutter())
    }

    fn row(&self, row: &Row) -> String {
        let room = self.between();
        let label = row.label();
        let middle = match row.kind {
            // ├─ words ───▶│
            Kind::Frame(Side::Client) => {
                let label = cut(&label, room - 5);
                let line = "─".repeat(room - 4 - label.width());
                format!("├─ {label} {line}▶│")
            }
            Kind::Lost(Side::Client) => {
                let label = cut(&label, room - 7);
                let line = "─".repeat(room - 6 - label.width());
                format!("├─ {label} {line}✗  │")
            }
            // │◀── words ──┤
            Kind::Frame(Side::Broker) => {
                let label = cut(&label, room - 5);
                let line = "─".repeat(room - 4 - label.width());
                format!("│◀{line} {label} ─┤")
            }
            Kind::Lost(Side::Broker) => {
                let label = cut(&label, room - 7);
                let line = "─".repeat(room - 6 - label.width());
                format!("│  ✗{line} {label} ─┤")
            }
            Kind::Note | Kind::Alarm | Kind::Fold => {
                let sign = match row.kind {
                    Kind::Alarm => "✗ ",
                    Kind::Fold => "  ",
                    _ => "· ",
                };
                let label = cut(&format!("{sign}{label}"), room - 2);
                let gap = room - 1 - label.width();
                format!("│ {label}{:gap$}│", "")
            }
        };
        let pointer = match row.marks.as_slice() {
            [] => String::new(),
            marks => {
                let numbers: String = marks.iter().map(|mark| numeral(*mark)).collect();
                format!(" ◀{}", cut(&numbers, 3))
            }
        };
        format!("{}{middle}{pointer}", self.margin(row))
    }

    fn margin(&self, row: &Row) -> String {
        let number = row.number.map(|number| number.to_string());
        let number = number.unwrap_or_default();
        if self.look.times && row.number.is_some() {
            let ms = row.at.as_secs_f64() * 1000.0;
            format!("{number:>4} {:>9} ", format!("{ms:.1}"))
        } else {
            format!("{number:>4}{:1$}", "", self.gutter() - 4)
        }
    }
}

/// The beginning of a text that is too wide.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let mut short = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}
