//! The drawing: four columns, and arrows from left to right.

use std::fmt::Write as _;

use super::{Topology, short};
use crate::{markup::escape, tongue::Tongue};

/// The width, in the drawing's own units; text is 15 of them high.
const WIDTH: usize = 800;
/// The left edge and the width of each column: publishers, exchanges, queues, consumers.
const COLUMNS: [(usize, usize); 4] = [(2, 130), (200, 120), (470, 130), (668, 130)];
/// The height of a row, and of a node in it.
const ROW: usize = 74;
const NODE: usize = 44;
/// The room at the top, for the words over the columns.
const TOP: usize = 30;
/// How many letters of a name there is room for.
const LETTERS: usize = 15;

pub(super) fn draw(topology: &Topology, tongue: Tongue) -> String {
    let counts = [
        topology.publishers.len(),
        topology.exchanges.len(),
        topology.queues.len(),
        topology.consumers.len(),
    ];
    let rows = counts.into_iter().max().unwrap_or(1).max(1);
    let height = TOP + rows * ROW;
    let mut drawing = Drawing {
        rows,
        counts,
        body: String::new(),
    };
    drawing.heads(topology, tongue);
    for (from, to) in &topology.publishes {
        drawing.arrow((0, *from), (1, *to), &[]);
    }
    for (from, to, labels) in &topology.bindings {
        drawing.arrow((1, *from), (2, *to), labels);
    }
    for (from, to) in &topology.consumes {
        drawing.arrow((2, *from), (3, *to), &[]);
    }
    for (row, name) in topology.publishers.iter().enumerate() {
        drawing.node((0, row), Shape::Program, name);
    }
    for (row, (name, _)) in topology.exchanges.iter().enumerate() {
        let name = match name.as_str() {
            "" => tongue.pick("(default)", "（默认）"),
            name => name,
        };
        drawing.node((1, row), Shape::Exchange, name);
    }
    for (row, name) in topology.queues.iter().enumerate() {
        drawing.node((2, row), Shape::Queue, &short(name));
    }
    for (row, name) in topology.consumers.iter().enumerate() {
        drawing.node((3, row), Shape::Program, name);
    }
    let title = tongue.pick(
        "Who publishes to what, and who consumes from where",
        "谁向哪里发布，谁从哪里消费",
    );
    let told = tell(topology, tongue);
    // A number that is the same for the same picture: ids on a page must differ.
    let id = told.bytes().fold(5381_u32, |hash, byte| {
        hash.wrapping_mul(33) ^ u32::from(byte)
    });
    format!(
        concat!(
            r#"<figure class="workbook-topology"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" "#,
            r#"aria-labelledby="topology-{id}-title topology-{id}-text" fill="none" stroke="currentColor" stroke-width="1.5" "#,
            r#"font-family="inherit" font-size="15">"#,
            "<title id=\"topology-{id}-title\">{title}</title><desc id=\"topology-{id}-text\">{told}</desc>{body}</svg></figure>"
        ),
        width = WIDTH,
        height = height,
        id = id,
        title = escape(title),
        told = escape(&told),
        body = drawing.body,
    )
}

/// The picture in words, for those who do not see it.
fn tell(topology: &Topology, tongue: Tongue) -> String {
    let exchange = |at: usize| match topology.exchanges[at].0.as_str() {
        "" => tongue.pick("the default exchange", "默认交换机").to_owned(),
        name => tongue.pick("the exchange ", "交换机 ").to_owned() + name,
    };
    let mut words = Vec::new();
    for (from, to) in &topology.publishes {
        let (from, to) = (&topology.publishers[*from], exchange(*to));
        words.push(match tongue.folder {
            "" => format!("{from} publishes to {to}."),
            _ => format!("{from} 向{to}发布。"),
        });
    }
    for (from, to, labels) in &topology.bindings {
        let (from, to) = (exchange(*from), short(&topology.queues[*to]));
        let labels = labels.join(", ");
        words.push(match (tongue.folder, labels.is_empty()) {
            ("", true) => format!("{from} passes messages on to the queue {to}."),
            ("", false) => {
                format!("{from} passes messages on to the queue {to}, bound with {labels}.")
            }
            (_, true) => format!("{from}把消息交给队列 {to}。"),
            (_, false) => format!("{from}按绑定 {labels} 把消息交给队列 {to}。"),
        });
    }
    for (from, to) in &topology.consumes {
        let (from, to) = (short(&topology.queues[*from]), &topology.consumers[*to]);
        words.push(match tongue.folder {
            "" => format!("{to} consumes from the queue {from}."),
            _ => format!("{to} 从队列 {from} 消费。"),
        });
    }
    words.join(tongue.pick(" ", ""))
}

#[derive(Clone, Copy)]
enum Shape {
    Program,
    Exchange,
    Queue,
}

struct Drawing {
    rows: usize,
    /// How many nodes each column has.
    counts: [usize; 4],
    body: String,
}

impl Drawing {
    /// The middle of a node, from the top: the nodes of a column are spread over its height.
    fn y(&self, (column, row): (usize, usize)) -> usize {
        let share = self.rows * ROW / self.counts[column].max(1);
        TOP + row * share + share / 2
    }

    fn heads(&mut self, topology: &Topology, tongue: Tongue) {
        let kind = topology.exchanges.iter().find(|it| !it.0.is_empty());
        let kind = kind.map(|(_, kind)| kind.as_str()).unwrap_or_default();
        let exchange = match (tongue.folder, kind) {
            ("", "") => "exchange".to_owned(),
            ("", kind) => format!("{kind} exchange"),
            (_, "") => "交换机".to_owned(),
            (_, kind) => format!("{kind} 交换机"),
        };
        let words = [
            tongue.pick("producer", "生产者"),
            &exchange,
            tongue.pick("queue", "队列"),
            tongue.pick("consumer", "消费者"),
        ];
        for ((left, width), word) in COLUMNS.into_iter().zip(words) {
            let x = left + width / 2;
            self.text(x, 18, "", word);
        }
    }

    fn node(&mut self, at: (usize, usize), shape: Shape, name: &str) {
        let (left, width) = COLUMNS[at.0];
        let y = self.y(at);
        let (top, middle) = (y - NODE / 2, left + width / 2);
        let _ = match shape {
            Shape::Program => write!(
                self.body,
                r#"<rect x="{left}" y="{top}" width="{width}" height="{NODE}" rx="22"/>"#
            ),
            Shape::Exchange => write!(
                self.body,
                r#"<path d="M{left} {y}L{} {top}H{}L{} {y}L{} {bottom}H{}Z"/>"#,
                left + 14,
                left + width - 14,
                left + width,
                left + width - 14,
                left + 14,
                bottom = top + NODE,
            ),
            Shape::Queue => write!(
                self.body,
                r#"<rect x="{left}" y="{top}" width="{width}" height="{NODE}" rx="3"/><path d="M{0} {top}v{NODE}M{1} {top}v{NODE}"/>"#,
                left + width - 9,
                left + width - 18,
            ),
        };
        let middle = match shape {
            Shape::Queue => middle - 9,
            _ => middle,
        };
        self.text(middle, y + 5, r#" font-weight="bold""#, &cut(name));
    }

    fn arrow(&mut self, from: (usize, usize), to: (usize, usize), labels: &[String]) {
        let (left, width) = COLUMNS[from.0];
        let (x1, y1) = (left + width + 2, self.y(from));
        let (x2, y2) = (COLUMNS[to.0].0 - 3, self.y(to));
        let middle = x1.midpoint(x2);
        // It leaves and arrives level, so that its head needs no turning.
        let _ = write!(
            self.body,
            r#"<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}M{0} {1}L{x2} {y2}L{0} {2}"/>"#,
            x2 - 9,
            y2 - 6,
            y2 + 6,
        );
        // Labels stand over the end of the arrow, where arrows are apart.
        for (line, label) in labels.iter().rev().enumerate() {
            let y = y2.saturating_sub(9 + 16 * line);
            let _ = write!(
                self.body,
                r#"<text x="{}" y="{y}" text-anchor="end" fill="currentColor" stroke="none" font-size="14">{}</text>"#,
                x2 - 10,
                escape(label)
            );
        }
    }

    fn text(&mut self, x: usize, y: usize, attributes: &str, words: &str) {
        let _ = write!(
            self.body,
            r#"<text x="{x}" y="{y}" text-anchor="middle" fill="currentColor" stroke="none"{attributes}>{}</text>"#,
            escape(words)
        );
    }
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    name.chars().take(LETTERS - 1).chain(['…']).collect()
}
