//! A picture for a page: self-contained, in the page's own colour, readable at the width of a phone.

use std::fmt::Write as _;

use amqp_tap::Side;
use unicode_width::UnicodeWidthStr;
use workbook_course::Language;

use super::{
    Look, drawn, numeral,
    rows::{Kind, Row},
    text::cut,
};
use crate::{
    finding::{Finding, Seen},
    quote::visible,
};

/// The width of the drawing, in its own units: a phone shows them as pixels.
const WIDTH: usize = 360;
/// Where the program's lane and the broker's lane are.
const LANES: (usize, usize) = (14, 320);
/// How many columns of text there is room for between the lanes.
const COLUMNS: usize = 46;
/// The height of a line of text, and the room around an arrow.
const LINE: usize = 13;
const ARROW: usize = 10;

/// The look of it. The colour is the page's; where the picture is a page of its own, it follows the reader's scheme.
const STYLE: &str = "\
:root.tape{color:#1f2328;background:#fff}\
.tape text{font:10.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:currentColor;stroke:none;white-space:pre}\
.tape .head{font-weight:bold;font-size:12px}\
.tape .end{text-anchor:end}\
.tape .rest{opacity:.8}\
.tape .note{font-style:italic;opacity:.8}\
.tape .lane{stroke-dasharray:2 3;opacity:.5}\
.tape .alarm{fill:#b3261e;stroke:#b3261e}\
.tape text.alarm{stroke:none}\
.tape .mark{fill:#b3261e;font-size:13px;font-weight:bold}\
@media(prefers-color-scheme:dark){\
:root.tape{color:#e6edf3;background:#0d1117}\
.tape .alarm{fill:#ff8a80;stroke:#ff8a80}\
.tape .mark{fill:#ff8a80}}";

/// The tapes as a sequence diagram, a part for each program, one below the other.
pub fn svg(all: &[Seen<'_>], findings: &[Finding], look: &Look) -> String {
    let mut drawing = Drawing {
        look: *look,
        body: String::new(),
        y: 4,
    };
    let mut told: Vec<String> = Vec::new();
    for (place, seen) in all.iter().enumerate() {
        let rows = drawn(seen, place, findings, look);
        drawing.part(&visible(seen.program), &rows);
        told.push(tell(&visible(seen.program), &rows, look.language));
    }
    let names: Vec<String> = all.iter().map(|seen| visible(seen.program)).collect();
    let title = match look.language {
        Language::English => format!("What {} and the broker said", names.join(", ")),
        Language::Chinese => format!("{} 与代理之间的对话", names.join("、")),
    };
    drawing.whole(&title, &told.join(" "))
}

/// The picture in words, for those who do not see it.
fn tell(program: &str, rows: &[Row], language: Language) -> String {
    let steps: Vec<String> = rows
        .iter()
        .map(|row| {
            let who = match (row.kind, language) {
                (Kind::Frame(Side::Client) | Kind::Lost(Side::Client), _) => program,
                (Kind::Frame(Side::Broker) | Kind::Lost(Side::Broker), Language::English) => {
                    "broker"
                }
                (Kind::Frame(Side::Broker) | Kind::Lost(Side::Broker), Language::Chinese) => "代理",
                _ => "",
            };
            let marks: String = row.marks.iter().map(|mark| numeral(*mark)).collect();
            [who, &row.label(), &marks]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    match language {
        Language::English => format!("{program}: {}.", steps.join("; ")),
        Language::Chinese => format!("{program}：{}。", steps.join("；")),
    }
}

struct Drawing {
    look: Look,
    body: String,
    /// How far down it goes so far.
    y: usize,
}

impl Drawing {
    fn part(&mut self, program: &str, rows: &[Row]) {
        let broker = match self.look.language {
            Language::English => "broker",
            Language::Chinese => "代理",
        };
        let (left, right) = LANES;
        let y = self.y + LINE;
        self.text(left - 8, y, "head", &cut(program, COLUMNS - 10));
        self.text(right + 12, y, "head end", broker);
        let top = y + 6;
        self.y = top;
        for row in rows {
            self.row(row);
        }
        if rows.is_empty() {
            let words = match self.look.language {
                Language::English => "never connected",
                Language::Chinese => "从未连接",
            };
            self.y += LINE;
            self.text(left + 8, self.y, "note", words);
        }
        self.y += 8;
        for x in [left, right] {
            let bottom = self.y;
            let _ = write!(self.body, r#"<path class="lane" d="M{x} {top}V{bottom}"/>"#);
        }
        self.y += 10;
    }

    fn row(&mut self, row: &Row) {
        let (left, right) = LANES;
        let _ = write!(
            self.body,
            "<g><title>{}</title>",
            escape(&row.hint(&self.look))
        );
        self.y += 3;
        match row.kind {
            Kind::Frame(side) | Kind::Lost(side) => {
                self.words(row, side);
                self.y += ARROW / 2;
                self.arrow(side, matches!(row.kind, Kind::Lost(_)));
                self.y += ARROW / 2;
            }
            Kind::Note | Kind::Alarm | Kind::Fold => {
                self.y += LINE;
                let (sign, class) = match row.kind {
                    Kind::Alarm => ("✗ ", "alarm"),
                    Kind::Fold => ("", "rest"),
                    _ => ("", "note"),
                };
                let label = cut(&format!("{sign}{}", row.label()), COLUMNS);
                self.text(left + 8, self.y, class, &label);
            }
        }
        if !row.marks.is_empty() {
            let numbers: String = row.marks.iter().map(|mark| numeral(*mark)).collect();
            self.text(right + 8, self.y, "mark", &cut(&numbers, 3));
        }
        self.body.push_str("</g>\n");
    }

    /// The name and the arguments, then the body; at the side that speaks.
    fn words(&mut self, row: &Row, side: Side) {
        let head = match row.rest.is_empty() {
            true => row.head.clone(),
            false => format!("{} {}", row.head, row.rest),
        };
        for (line, class) in [(head, ""), (row.body.clone(), "rest")] {
            if line.is_empty() {
                continue;
            }
            self.y += LINE;
            let (left, right) = LANES;
            match side {
                Side::Client => self.text(left + 8, self.y, class, &cut(&line, COLUMNS)),
                Side::Broker => {
                    let class = format!("{class} end");
                    self.text(right - 8, self.y, class.trim(), &cut(&line, COLUMNS));
                }
            }
        }
    }

    fn arrow(&mut self, side: Side, lost: bool) {
        let (left, right) = LANES;
        let y = self.y;
        let (from, to, back) = match (side, lost) {
            (Side::Client, false) => (left, right, -6_i32),
            (Side::Client, true) => (left, right - 40, -6),
            (Side::Broker, false) => (right, left, 6),
            (Side::Broker, true) => (right, left + 40, 6),
        };
        let class = if lost { r#" class="alarm""# } else { "" };
        let tip = if lost {
            format!("m-5 -5 10 10m0 -10-10 10M{to} {y}")
        } else {
            format!("m{back} -4L{to} {y}l{back} 4")
        };
        let _ = write!(self.body, r#"<path{class} d="M{from} {y}H{to}{tip}"/>"#);
    }

    fn text(&mut self, x: usize, y: usize, class: &str, words: &str) {
        // Narrower than its letters would be, rather than over the edge: fonts differ.
        let length = match words.width() {
            columns if columns >= COLUMNS - 2 => {
                format!(
                    r#" textLength="{}" lengthAdjust="spacingAndGlyphs""#,
                    LANES.1 - LANES.0 - 16
                )
            }
            _ => String::new(),
        };
        let class = match class {
            "" => String::new(),
            class => format!(r#" class="{class}""#),
        };
        let words = escape(words);
        let _ = write!(
            self.body,
            r#"<text{class} x="{x}" y="{y}"{length}>{words}</text>"#
        );
    }

    fn whole(&self, title: &str, description: &str) -> String {
        let id = format!("tape-{:08x}", fingerprint(&[title, &self.body]));
        let height = self.y;
        format!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" class="tape" viewBox="0 0 {width} {height}" role="img" "#,
                r#"aria-labelledby="{id}-title {id}-text" fill="none" stroke="currentColor" stroke-width="1.2" "#,
                r#"style="display:block;width:100%;max-width:{most}px;height:auto;margin:0 auto">"#,
                "\n<title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-text\">{description}</desc>\n",
                "<style>{style}</style>\n{body}</svg>\n"
            ),
            width = WIDTH,
            height = height,
            most = WIDTH * 3 / 2,
            id = id,
            title = escape(title),
            description = escape(description),
            style = STYLE,
            body = self.body,
        )
    }
}

/// A number that is the same for the same texts, whatever the compiler's version (FNV-1a): ids on a page must differ.
fn fingerprint(texts: &[&str]) -> u32 {
    texts
        .iter()
        .flat_map(|text| text.bytes())
        .fold(0x811c_9dc5, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
}

/// Text that means itself in XML; what XML cannot carry at all becomes �.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
