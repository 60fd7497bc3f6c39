//! Generated names and their placeholders.
//!
//! Placeholders are numbered by what is known of a queue rather than by when it was declared, because the order of
//! independent declarations means nothing: queues with other options, bindings or consumers come in a fixed order,
//! and only those that are alike in all of it in the order in which they were made.

use super::Conversation;
use serde_json::Value;
use std::collections::HashMap;

const GENERATED: &str = "amq.gen-";
const REPLY_TO: &str = "amq.rabbitmq.reply-to.";

/// Puts placeholders in the place of everything that was generated.
pub(super) fn normalise(conversation: &mut Conversation) {
    let mut names: HashMap<String, String> = HashMap::new();
    for (index, name) in queues(conversation).into_iter().enumerate() {
        names.insert(name, format!("<queue {}>", index + 1));
    }
    let mut ids = Numbered::new("id");
    let mut addresses = Numbered::new("reply-to");
    let mut name = |text: &mut String| {
        if let Some(placeholder) = names.get(text) {
            placeholder.clone_into(text);
        } else if text.starts_with(REPLY_TO) || text.starts_with(GENERATED) {
            // Of direct reply-to, or another program's queue, which only a request tells of.
            *text = addresses.placeholder(text);
        }
    };
    for queue in &mut conversation.queues {
        name(&mut queue.name);
    }
    for binding in &mut conversation.bindings {
        name(&mut binding.to);
        name(&mut binding.key);
    }
    for removal in &mut conversation.removals {
        if let Some((method, queue)) = removal.split_once(' ') {
            let mut queue = queue.to_owned();
            name(&mut queue);
            *removal = format!("{method} {queue}");
        }
    }
    let mut id = |id: &mut Option<String>| {
        if let Some(id) = id {
            *id = ids.placeholder(id);
        }
    };
    for publisher in &mut conversation.publishers {
        for publish in &mut publisher.publishes {
            name(&mut publish.key);
            id(&mut publish.properties.correlation_id);
            if let Some(reply_to) = &mut publish.properties.reply_to {
                name(reply_to);
            }
        }
    }
    for consumer in conversation
        .consumers
        .iter_mut()
        .chain(&mut conversation.gets)
    {
        name(&mut consumer.queue);
        for delivery in &mut consumer.deliveries {
            name(&mut delivery.key);
            id(&mut delivery.properties.correlation_id);
            if let Some(reply_to) = &mut delivery.properties.reply_to {
                name(reply_to);
            }
        }
    }
    for error in &mut conversation.errors {
        for (generated, placeholder) in &names {
            error.text = error.text.replace(generated, placeholder);
        }
    }
}

/// The generated names in a fixed order.
fn queues(conversation: &Conversation) -> Vec<String> {
    let mut known: Vec<(String, String)> = Vec::new();
    for queue in &conversation.queues {
        if queue.name.starts_with(GENERATED) && known.iter().all(|(_, name)| *name != queue.name) {
            known.push((signature(conversation, &queue.name), queue.name.clone()));
        }
    }
    // Stable: queues that are alike stay in the order of their declarations.
    known.sort_by(|(one, _), (other, _)| one.cmp(other));
    known.into_iter().map(|(_, name)| name).collect()
}

/// What the conversation says of a queue, without the names that were generated.
fn signature(conversation: &Conversation, name: &str) -> String {
    let queue = conversation.queues.iter().find(|queue| queue.name == name);
    let mut bindings: Vec<String> = conversation
        .bindings
        .iter()
        .filter(|binding| binding.to == name)
        .map(|binding| {
            let key = if binding.key.starts_with(GENERATED) {
                ""
            } else {
                &binding.key
            };
            format!("{} {key} {}", binding.from, text(&binding.arguments))
        })
        .collect();
    bindings.sort();
    let consumers: Vec<String> = conversation
        .consumers
        .iter()
        .filter(|consumer| consumer.queue == name)
        .map(|consumer| {
            let bodies: Vec<_> = consumer.deliveries.iter().map(|it| &it.body).collect();
            format!("{} {bodies:?}", consumer.acknowledgement)
        })
        .collect();
    let options = queue.map(|queue| {
        format!(
            "{} {} {} {}",
            queue.durable,
            queue.exclusive,
            queue.auto_delete,
            text(&queue.arguments)
        )
    });
    format!("{options:?} {bindings:?} {consumers:?}")
}

fn text(arguments: &serde_json::Map<String, Value>) -> String {
    Value::Object(arguments.clone()).to_string()
}

/// Placeholders numbered in the order in which they are first met.
struct Numbered {
    word: &'static str,
    known: HashMap<String, String>,
}

impl Numbered {
    fn new(word: &'static str) -> Self {
        Self {
            word,
            known: HashMap::new(),
        }
    }

    fn placeholder(&mut self, name: &str) -> String {
        let next = self.known.len() + 1;
        self.known
            .entry(name.to_owned())
            .or_insert_with(|| format!("<{} {next}>", self.word))
            .clone()
    }
}
