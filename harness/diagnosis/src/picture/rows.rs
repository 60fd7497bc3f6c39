//! A tape as rows: frames, with their contents, and notes.

use std::{collections::HashMap, time::Duration};

use amqp_tap::{Ending, Event, Fate, Side, What};
use workbook_course::Language;

use super::{Look, words};
use crate::{finding::Seen, quote::visible};

/// A row of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The event's number; `None` for a fold.
    pub(super) number: Option<u64>,
    /// When it was seen.
    pub(super) at: Duration,
    pub(super) kind: Kind,
    /// The method's name, or a note.
    pub(super) head: String,
    /// The arguments.
    pub(super) rest: String,
    /// The beginning of the body.
    pub(super) body: String,
    /// The findings that point at it.
    pub(super) marks: Vec<usize>,
}

/// What a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A frame, from one side to the other.
    Frame(Side),
    /// A frame that did not reach the other side.
    Lost(Side),
    /// Something that is as usual.
    Note,
    /// Something that is not: a fault, a break, bytes that nobody can read.
    Alarm,
    /// Rows that were folded.
    Fold,
}

impl Row {
    /// All of it in one line.
    pub(super) fn label(&self) -> String {
        [&self.head, &self.rest, &self.body]
            .into_iter()
            .filter(|words| !words.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// All that is known of it, for a reader who points at it.
    pub(super) fn hint(&self, look: &Look) -> String {
        let number = self.number.map(|number| format!("#{number} "));
        let time = format!("{:.1} ms ", self.at.as_secs_f64() * 1000.0);
        let time = (look.times && self.number.is_some()).then_some(time);
        let (number, time) = (number.unwrap_or_default(), time.unwrap_or_default());
        format!("{number}{time}{}", self.label())
    }

    /// Rows that are alike may be folded.
    pub(super) fn is_like(&self, other: &Row) -> bool {
        matches!(self.kind, Kind::Frame(_))
            && (self.kind, &self.head) == (other.kind, &other.head)
            && self.marks.is_empty()
            && other.marks.is_empty()
    }
}

/// The methods of a login: from the greeting to `connection.open-ok` (AMQP 0-9-1 §2.2.4).
const LOGIN: &[&str] = &[
    "connection.start",
    "connection.start-ok",
    "connection.secure",
    "connection.secure-ok",
    "connection.tune",
    "connection.tune-ok",
    "connection.open",
    "connection.open-ok",
    "channel.open",
    "channel.open-ok",
];

pub(super) fn rows(
    seen: &Seen<'_>,
    language: Language,
    marks: impl Fn(u64) -> Vec<usize>,
) -> Vec<Row> {
    let mut reader = Reader {
        language,
        rows: Vec::new(),
        messages: HashMap::new(),
        logins: HashMap::new(),
        several_connections: several(seen.events.iter().map(|event| event.connection)),
        several_channels: several(
            seen.events
                .iter()
                .filter(|event| event.channel() != Some(0))
                .filter_map(|event| Some((event.connection, event.channel()?))),
        ),
    };
    for event in seen.events {
        reader.event(event, &marks(event.number));
    }
    reader.rows
}

fn several<T: PartialEq>(mut all: impl Iterator<Item = T>) -> bool {
    match all.next() {
        Some(first) => all.any(|other| other != first),
        None => false,
    }
}

struct Reader {
    language: Language,
    rows: Vec<Row>,
    /// The rows of methods whose content is still to come, by the number of their event.
    messages: HashMap<u64, usize>,
    /// The row that stands for a connection's login.
    logins: HashMap<u32, usize>,
    several_connections: bool,
    several_channels: bool,
}

impl Reader {
    fn event(&mut self, event: &Event, marks: &[usize]) {
        match &event.what {
            What::Connected => {
                let row = self.rows.len();
                self.logins.insert(event.connection, row);
                let words = match self.language {
                    Language::English => "connects",
                    Language::Chinese => "连接代理",
                };
                self.push(event, Kind::Note, words, "", marks);
            }
            What::Greeting(_) => self.fold_login(event, marks),
            What::Method(method) if LOGIN.contains(&method.name()) => {
                if method.name() == "connection.open-ok" {
                    self.logged_in(event);
                }
                self.fold_login(event, marks);
            }
            What::Method(method) => {
                if method.carries_content() {
                    self.messages.insert(event.number, self.rows.len());
                }
                let kind = match event.fate {
                    Fate::Vanished => Kind::Lost(event.from),
                    _ => Kind::Frame(event.from),
                };
                let mut head = method.name().to_owned();
                if event.fate == Fate::Held {
                    head.push_str(match self.language {
                        Language::English => " (held back)",
                        Language::Chinese => "（被扣留）",
                    });
                }
                let rest = words::arguments(method);
                self.push(event, kind, &head, &rest, marks);
            }
            What::Content(content) => {
                if let Some(row) = self.messages.remove(&content.method_event) {
                    let row = &mut self.rows[row];
                    row.body = words::body(content);
                    add(&mut row.marks, marks);
                }
            }
            What::Heartbeat { .. } => self.heartbeat(event, marks),
            // How the connection ended is told by its last event.
            What::HalfClosed | What::Reset { .. } | What::Closed(Ending::Closed)
                if marks.is_empty() => {}
            other => {
                let (kind, words) = self.note(event, other);
                self.push(event, kind, &words, "", marks);
            }
        }
    }

    fn push(&mut self, event: &Event, kind: Kind, head: &str, rest: &str, marks: &[usize]) {
        let channel = event.channel().filter(|channel| *channel > 0);
        let place = match (self.several_connections, self.several_channels, channel) {
            (true, true, Some(channel)) => format!("[{}/{channel}] ", event.connection),
            (true, _, _) => format!("[{}] ", event.connection),
            (false, true, Some(channel)) => format!("[{channel}] "),
            _ => String::new(),
        };
        self.rows.push(Row {
            number: Some(event.number),
            at: event.at,
            kind,
            head: format!("{place}{head}"),
            rest: rest.to_owned(),
            body: String::new(),
            marks: marks.to_vec(),
        });
    }

    /// A frame of the login belongs to the row of its connection; channels that are opened later have rows of their own
    /// only where something points at them.
    fn fold_login(&mut self, event: &Event, marks: &[usize]) {
        if let Some(row) = self.logins.get(&event.connection) {
            add(&mut self.rows[*row].marks, marks);
        }
    }

    fn logged_in(&mut self, event: &Event) {
        let Some(row) = self.logins.get(&event.connection) else {
            return;
        };
        let row = &mut self.rows[*row];
        row.head.push_str(match self.language {
            Language::English => " and logs in",
            Language::Chinese => "并登录",
        });
    }

    fn heartbeat(&mut self, event: &Event, marks: &[usize]) {
        let words = match self.language {
            Language::English => "heartbeats",
            Language::Chinese => "心跳",
        };
        match self.rows.last_mut() {
            Some(last) if last.kind == Kind::Note && last.head.ends_with(words) => {
                add(&mut last.marks, marks);
            }
            _ => self.push(event, Kind::Note, words, "", marks),
        }
    }

    fn note(&self, event: &Event, what: &What) -> (Kind, String) {
        let chinese = self.language == Language::Chinese;
        let words = match what {
            What::Closed(ending) => {
                let kind = match ending {
                    Ending::Closed | Ending::ClosedByBroker => Kind::Note,
                    _ => Kind::Alarm,
                };
                return (kind, self.ending(*ending));
            }
            What::HalfClosed if chinese => format!("{}关闭了自己的一侧", self.side(event.from)),
            What::HalfClosed => format!("the {} closes its side", self.side(event.from)),
            What::Reset { why } if chinese => format!("{}重置了连接：{why}", self.side(event.from)),
            What::Reset { why } => format!("the {} resets: {why}", self.side(event.from)),
            What::Unreadable(flaw) if chinese => format!("无法读取：{flaw}"),
            What::Unreadable(flaw) => format!("unreadable: {flaw}"),
            What::Fault { did, .. } if chinese => format!("故障：{did}"),
            What::Fault { did, .. } => format!("fault: {did}"),
            What::Limit { limit, allowed } if chinese => {
                format!("超过限制：{limit}（最多 {allowed}）")
            }
            What::Limit { limit, allowed } => format!("limit: {limit} (at most {allowed})"),
            other => format!("{other:?}"),
        };
        (Kind::Alarm, visible(&words))
    }

    fn side(&self, side: Side) -> &'static str {
        match (side, self.language) {
            (Side::Client, Language::English) => "program",
            (Side::Broker, Language::English) => "broker",
            (Side::Client, Language::Chinese) => "程序",
            (Side::Broker, Language::Chinese) => "代理",
        }
    }

    fn ending(&self, ending: Ending) -> String {
        let chinese = match ending {
            Ending::Closed => "连接已关闭",
            Ending::ClosedByBroker => "连接被代理关闭",
            Ending::DroppedByClient => "程序没有发送 connection.close 就断开了",
            Ending::DroppedByBroker => "代理没有发送 connection.close 就断开了",
            Ending::Cut => "连接被切断",
            Ending::Fault => "连接被故障切断",
            Ending::NoBroker => "无法连接代理",
        };
        match self.language {
            Language::Chinese => chinese.to_owned(),
            Language::English => match ending {
                Ending::Closed => "the connection is closed".to_owned(),
                Ending::ClosedByBroker => "the broker closed the connection".to_owned(),
                Ending::DroppedByClient => "ends without connection.close".to_owned(),
                Ending::DroppedByBroker => "the broker drops the connection".to_owned(),
                Ending::Cut => "the connection is cut here".to_owned(),
                Ending::Fault => "the connection is cut by a fault".to_owned(),
                Ending::NoBroker => "the broker cannot be reached".to_owned(),
            },
        }
    }
}

fn add(marks: &mut Vec<usize>, more: &[usize]) {
    marks.extend(more);
    marks.sort_unstable();
    marks.dedup();
}
