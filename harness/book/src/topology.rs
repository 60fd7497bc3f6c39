//! `<!-- workbook:topology hello-world -->`: who publishes to what, and who consumes from where, drawn from the tapes of
//! a run. SVG in the colour of the text, so that it follows the theme.

mod draw;

use std::sync::Arc;

use amqp_tap::Event;
use serde_json::{Map, Value};

use crate::{error::BookError, runs::Run, runs::program_of, tongue::Tongue};

/// What the programs of a run made of the broker. Nodes are in the order in which they were first named.
#[derive(Debug, Default)]
struct Topology {
    publishers: Vec<String>,
    /// Names and kinds; the default exchange has the empty name.
    exchanges: Vec<(String, String)>,
    /// Names as the broker knows them.
    queues: Vec<String>,
    consumers: Vec<String>,
    /// From a publisher to an exchange.
    publishes: Vec<(usize, usize)>,
    /// From an exchange to a queue, with the keys or headers of the bindings.
    bindings: Vec<(usize, usize, Vec<String>)>,
    /// From a queue to a consumer.
    consumes: Vec<(usize, usize)>,
}

/// The topology of a run, as SVG.
pub(crate) fn svg(run: &Run, tongue: Tongue) -> Result<String, BookError> {
    let mut topology = Topology::default();
    // First what is declared, bound and consumed, so that a publish finds its queue.
    for (part, events) in run.events() {
        topology.read(&shown(&part.name), events, false);
    }
    for (part, events) in run.events() {
        topology.read(&shown(&part.name), events, true);
    }
    if topology.publishes.is_empty() {
        return Err(BookError::page(
            "course.toml",
            "a run in which nothing is published",
        ));
    }
    Ok(draw::draw(&topology, tongue))
}

fn shown(name: &str) -> String {
    match program_of(name) {
        program if program == name => name.to_owned(),
        program => format!("{program} {}", &name[program.len() + 1..]),
    }
}

fn place<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    all.iter().position(|it| *it == one).unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}

impl Topology {
    fn read(&mut self, program: &str, events: &[Arc<Event>], publishes: bool) {
        // The queue that was declared last, which an empty name means.
        let mut last = String::new();
        for event in events {
            let Some(method) = event.method() else {
                continue;
            };
            let arguments = method.arguments();
            let text = |name: &str| text(&arguments, name);
            let mut queue = text("queue");
            if queue.is_empty() {
                queue.clone_from(&last);
            }
            match (method.name(), publishes) {
                ("queue.declare-ok", _) => last = text("queue"),
                ("exchange.declare", false) => {
                    self.exchange(&text("exchange"), &text("type"));
                }
                ("queue.bind", false) => {
                    let from = self.exchange(&text("exchange"), "");
                    let to = place(&mut self.queues, queue);
                    self.bind(from, to, label(&arguments));
                }
                ("basic.consume", false) => {
                    let from = place(&mut self.queues, queue);
                    let to = place(&mut self.consumers, program.to_owned());
                    place(&mut self.consumes, (from, to));
                }
                ("basic.publish", true) => {
                    let from = place(&mut self.publishers, program.to_owned());
                    let name = text("exchange");
                    let to = self.exchange(&name, if name.is_empty() { "direct" } else { "" });
                    place(&mut self.publishes, (from, to));
                    if name.is_empty() {
                        // Every queue is bound to the default exchange with its name.
                        let key = text("routing-key");
                        let queue = place(&mut self.queues, key.clone());
                        self.bind(to, queue, short(&key));
                    }
                }
                _ => {}
            }
        }
    }

    fn exchange(&mut self, name: &str, kind: &str) -> usize {
        match self.exchanges.iter_mut().position(|it| it.0 == name) {
            Some(at) => {
                if self.exchanges[at].1.is_empty() {
                    kind.clone_into(&mut self.exchanges[at].1);
                }
                at
            }
            None => {
                self.exchanges.push((name.to_owned(), kind.to_owned()));
                self.exchanges.len() - 1
            }
        }
    }

    fn bind(&mut self, from: usize, to: usize, label: String) {
        let labels = match self
            .bindings
            .iter_mut()
            .find(|it| it.0 == from && it.1 == to)
        {
            Some((_, _, labels)) => labels,
            None => {
                self.bindings.push((from, to, Vec::new()));
                let at = self.bindings.len() - 1;
                &mut self.bindings[at].2
            }
        };
        if !label.is_empty() {
            place(labels, label);
        }
    }
}

/// What a binding asks for: its key, or its headers.
fn label(arguments: &Map<String, Value>) -> String {
    match arguments.get("arguments") {
        Some(Value::Object(table)) if !table.is_empty() => table
            .iter()
            .map(|(name, value)| match name.as_str() {
                "x-match" => plain(value),
                name => format!("{name}={}", plain(value)),
            })
            .collect::<Vec<_>>()
            .join(" "),
        _ => text(arguments, "routing-key"),
    }
}

fn text(arguments: &Map<String, Value>, name: &str) -> String {
    arguments.get(name).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A name without what the broker made up.
fn short(name: &str) -> String {
    for made_up in ["amq.gen-", "amq.rabbitmq.reply-to."] {
        if name.starts_with(made_up) {
            return format!("{made_up}…");
        }
    }
    name.to_owned()
}
