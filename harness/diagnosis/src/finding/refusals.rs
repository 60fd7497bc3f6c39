//! What the broker refused: `channel.close` and `connection.close` with an error (AMQP 0-9-1 §1.2).

use amqp_tap::story::{Declare, Delivery, Lane, Mark, Refusal, Settle};

use super::{
    Finding,
    FindingId::{
        self, AccessRefused, AckAfterAutomaticAck, AckOnOtherChannel, BrokerError, DirectReplyTo,
        DoubleAck, ExchangeNotFound, InequivalentArguments, QueueNotFound, ResourceLocked,
        TransientQueueRefused, UnknownDeliveryTag,
    },
    account::Account,
    world::World,
};
use crate::finding::DIRECT;

/// The findings that a refusal of the broker makes.
pub(super) const IDS: &[FindingId] = &[
    QueueNotFound,
    ExchangeNotFound,
    InequivalentArguments,
    DoubleAck,
    AckOnOtherChannel,
    AckAfterAutomaticAck,
    UnknownDeliveryTag,
    ResourceLocked,
    AccessRefused,
    TransientQueueRefused,
    DirectReplyTo,
    BrokerError,
];

/// One finding for each kind of refusal.
pub(super) fn refusals(world: &World<'_>, story: &Account<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for refusal in &story.refusals {
        let Some(finding) = explain(world, story, refusal) else {
            continue;
        };
        let same = found
            .iter_mut()
            .find(|it| it.id == finding.id && it.arguments == finding.arguments);
        match same {
            // A program that tries again and again: what came last is shown as well.
            Some(same) => *same = same.clone().proved_by(finding.evidence),
            None => found.push(finding),
        }
    }
    let certain = [unanswered_settle(story), unanswered_publish(world, story)];
    for finding in certain.into_iter().flatten() {
        if !found.iter().any(|it| it.id == finding.id) {
            found.push(finding);
        }
    }
    found
}

/// Whether the broker has refused anything on a channel, or closed its connection.
fn is_refused(story: &Account<'_>, lane: Lane) -> bool {
    let mut refusals = story.refusals.iter();
    refusals
        .any(|it| it.lane == lane || it.lane.channel == 0 && it.lane.connection == lane.connection)
}

/// Settled what nobody can settle. The broker always refuses that; whether its answer still comes before the program's
/// end is up to the moment.
fn unanswered_settle(story: &Account<'_>) -> Option<Finding> {
    if story.is_bent() {
        return None;
    }
    let guilty = story
        .settles
        .iter()
        .find(|it| it.count == 0 && !it.everything && !is_refused(story, it.lane))?;
    let (id, proof) = culprit(story, guilty);
    if id == DoubleAck && story.is_interrupted_at(guilty.mark) {
        return None;
    }
    // Without a delivery, or the consumer that it went to, something is not on the tape.
    let proof = proof?;
    Some(
        Finding::new(id, story)
            .with("tag", guilty.tag)
            .with("method", guilty.method)
            .proved_by([proof, guilty.mark.event]),
    )
}

/// Published to an exchange that nobody has declared, in a virtual host that was empty. A publish has no answer, so the
/// program may have ended before the broker refused it.
fn unanswered_publish(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.fresh || story.is_bent() {
        return None;
    }
    let publish = story.publishes.iter().find(|it| {
        let exchange = it.exchange.as_str();
        let built_in = exchange.is_empty() || exchange.starts_with("amq.");
        let declared = || {
            let mut declares = world.stories.iter().flat_map(|other| &other.declares);
            declares.any(|it| {
                !it.is_queue && it.name == exchange && (!it.passive || it.answered.is_some())
            })
        };
        it.complete
            && !built_in
            && !world.given.exchanges.contains(exchange)
            && !is_refused(story, it.lane)
            && !declared()
    })?;
    Some(no_exchange(story, &publish.exchange).with("method", "basic.publish"))
}

fn explain(world: &World<'_>, story: &Account<'_>, refusal: &Refusal) -> Option<Finding> {
    let text = refusal.text.as_str();
    let finding = match refusal.code {
        // The broker shuts down, or an operator closes the connection: no fault of the program.
        200 | 320 => return None,
        404 if only_asked(story, refusal) => return None,
        404 if text.contains("no queue '") => queue_not_found(world, story, refusal),
        404 if text.contains("no exchange '") => exchange_not_found(story, refusal),
        // The program went on, on a channel that the broker had closed: that follows from what closed it.
        504 if follows(story, refusal) => return None,
        405 => locked(world, story, refusal),
        406 if text.contains("inequivalent arg '") => inequivalent(world, story, refusal),
        406 if text.contains("unknown delivery tag") => {
            let again = story.settled_again(refusal);
            if again.is_some_and(|it| story.is_interrupted_at(it.mark)) {
                return None;
            }
            unknown_tag(story, refusal)
        }
        406 if text.contains("reply consumer") => direct_reply_to(story, refusal),
        403 => Finding::new(AccessRefused, story).with("about", about(text)),
        541 if text.contains("transient_nonexcl_queues") => {
            Finding::new(TransientQueueRefused, story)
                .with("queue", declared_at(story, refusal.culprit))
        }
        _ => Finding::new(BrokerError, story),
    };
    let culprit = refusal.culprit.map(|mark| mark.event);
    Some(
        finding
            .proved_by(culprit.into_iter().chain([refusal.mark.event]))
            .with("code", refusal.code)
            .with("text", anonymous(text))
            .with("method", or(&refusal.method, "none")),
    )
}

/// The broker has closed a channel of that connection before.
fn follows(story: &Account<'_>, refusal: &Refusal) -> bool {
    let mut refusals = story.refusals.iter();
    refusals.any(|it| {
        it.lane.connection == refusal.lane.connection
            && it.lane.channel != 0
            && it.mark.event < refusal.mark.event
    })
}

/// It asked whether something is there (a passive declare), was told that it is not, and declared it.
fn only_asked(story: &Account<'_>, refusal: &Refusal) -> bool {
    let culprit = refusal.culprit.map(|mark| mark.event);
    let mut declares = story.declares.iter();
    let asked = declares.find(|it| it.passive && Some(it.asked.event) == culprit);
    asked.is_some_and(|asked| {
        let declared = |it: &&amqp_tap::story::Declare| {
            !it.passive && it.is_queue == asked.is_queue && it.name == asked.name
        };
        let mut later = story.declares.iter().filter(declared);
        later.any(|it| it.asked.event > asked.asked.event)
    })
}

fn queue_not_found(world: &World<'_>, story: &Account<'_>, refusal: &Refusal) -> Finding {
    let queue = quoted(&refusal.text, "no queue '");
    let finding = Finding::new(QueueNotFound, story)
        .with("queue", queue)
        .with(
            "similar",
            world.similar(queue).unwrap_or_else(|| "none".into()),
        );
    let refused = world.time(story, refusal.mark);
    let later =
        |(other, declare): &(&Account<'_>, &Declare)| world.time(other, declare.asked) > refused;
    match world.first_declare(queue).filter(later) {
        // Somebody declares it, but later.
        Some((other, declare)) => finding
            .with("later", other.seen.program)
            .and_by(other, declare.asked.event),
        None => finding.with("later", "none"),
    }
}

fn exchange_not_found(story: &Account<'_>, refusal: &Refusal) -> Finding {
    no_exchange(story, quoted(&refusal.text, "no exchange '"))
}

fn no_exchange(story: &Account<'_>, exchange: &str) -> Finding {
    // The usual slip: the name of the queue where the exchange is asked for.
    let is_queue = story
        .declares
        .iter()
        .any(|declare| declare.is_queue && declare.name == exchange);
    // The broker names the method, not the frame: the first publish to that exchange is meant.
    let publish = story.publishes.iter().find(|it| it.exchange == exchange);
    Finding::new(ExchangeNotFound, story)
        .with("exchange", exchange)
        .with("queue", if is_queue { "yes" } else { "no" })
        .proved_by(publish.map(|it| it.asked.event))
}

fn locked(world: &World<'_>, story: &Account<'_>, refusal: &Refusal) -> Finding {
    let queue = quoted(&refusal.text, "queue '");
    let finding = Finding::new(ResourceLocked, story).with("queue", queue);
    match first_other_declare(world, story, queue, refusal) {
        Some((other, declare)) => finding
            .with("owner", other.seen.program)
            .and_by(other, declare),
        None => finding.with("owner", "none"),
    }
}

/// `PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'hello' in vhost '/': received 'false' but current is
/// 'true'`, and for optional arguments `received none but current is the value '10' of type 'long'`.
fn inequivalent(world: &World<'_>, story: &Account<'_>, refusal: &Refusal) -> Finding {
    let text = refusal.text.as_str();
    let argument = quoted(text, "inequivalent arg '");
    let kind = match text.contains("for exchange '") {
        true => "exchange",
        false => "queue",
    };
    let name = quoted(text, &format!("for {kind} '"));
    let received = text.split_once("received ").map_or("", |(_, rest)| rest);
    let (received, current) = received.split_once(" but current is ").unwrap_or_default();
    let finding = Finding::new(InequivalentArguments, story)
        .with("argument", argument)
        .with("kind", kind)
        .with("name", name)
        .with("received", value(received))
        .with("current", value(current));
    let owner = world
        .stories
        .iter()
        .flat_map(|other| other.declares.iter().map(move |declare| (other, declare)))
        .filter(|(_, it)| it.name == name && it.is_queue == (kind == "queue") && !it.passive)
        .filter(|(other, it)| other.place != story.place || Some(it.asked) != refusal.culprit)
        .filter(|(_, it)| it.answered.is_some())
        .min_by_key(|(other, it)| world.time(other, it.asked));
    match owner {
        Some((other, declare)) => finding
            .with("owner", other.seen.program)
            .and_by(other, declare.asked.event),
        None => finding.with("owner", "none"),
    }
}

fn first_other_declare<'w, 'a>(
    world: &'w World<'a>,
    story: &Account<'_>,
    queue: &str,
    refusal: &Refusal,
) -> Option<(&'w Account<'a>, u64)> {
    let (other, declare) = world.first_declare(queue)?;
    let own = other.place == story.place && Some(declare.asked) == refusal.culprit;
    (!own).then_some((other, declare.asked.event))
}

fn unknown_tag(story: &Account<'_>, refusal: &Refusal) -> Finding {
    let tag: u64 = refusal
        .text
        .rsplit(' ')
        .next()
        .and_then(|tag| tag.parse().ok())
        .unwrap_or_default();
    let settles: Vec<&Settle> = story
        .settles
        .iter()
        .filter(|it| it.lane == refusal.lane && it.tag == tag && it.method == refusal.method)
        .collect();
    let Some(guilty) = settles.iter().find(|it| it.count == 0).or(settles.last()) else {
        return Finding::new(UnknownDeliveryTag, story).with("tag", tag);
    };
    let (id, proof) = culprit(story, guilty);
    Finding::new(id, story)
        .with("tag", tag)
        .proved_by(proof.into_iter().chain([guilty.mark.event]))
}

/// What is wrong with settling it, and the event that proves it.
fn culprit(story: &Account<'_>, guilty: &Settle) -> (FindingId, Option<u64>) {
    let deliveries = |here: bool| {
        story.deliveries.iter().filter(move |it| {
            it.tag == guilty.tag
                && it.got.event < guilty.mark.event
                && it.lane.connection == guilty.lane.connection
                && (it.lane == guilty.lane) == here
        })
    };
    let own: Option<&Delivery> = deliveries(true).next_back();
    match own {
        // Of a consumer that is not on the tape, nobody knows.
        Some(own) if own.queue.is_empty() => (UnknownDeliveryTag, None),
        Some(own) if own.automatic => (AckAfterAutomaticAck, Some(own.got.event)),
        Some(own) => match own.settled {
            Some(settled) => (DoubleAck, Some(settled.mark.event)),
            None => (UnknownDeliveryTag, None),
        },
        None => match deliveries(false).next_back() {
            Some(other) => (AckOnOtherChannel, Some(other.got.event)),
            None => (UnknownDeliveryTag, None),
        },
    }
}

/// `reply consumer cannot acknowledge`, `fast reply consumer does not exist`, `reply consumer already set`.
fn direct_reply_to(story: &Account<'_>, refusal: &Refusal) -> Finding {
    let elsewhere = story.consumers.iter().find(|it| {
        it.queue == DIRECT && it.lane != refusal.lane && it.asked.event < refusal.mark.event
    });
    let finding = Finding::new(DirectReplyTo, story);
    if refusal.text.contains("acknowledge") {
        return finding.with("why", "acks");
    }
    if refusal.text.contains("already") {
        return finding.with("why", "twice");
    }
    match elsewhere {
        Some(consumer) => finding
            .with("why", "channel")
            .proved_by([consumer.asked.event]),
        None => finding.with("why", "late"),
    }
}

/// What access was refused to.
fn about(text: &str) -> &'static str {
    if text.contains("exclusive use") {
        "consumer"
    } else if text.contains("Login") || text.contains("login") {
        "login"
    } else {
        "other"
    }
}

/// The queue of a `queue.declare`.
fn declared_at(story: &Account<'_>, mark: Option<Mark>) -> String {
    story
        .declares
        .iter()
        .find(|declare| Some(declare.asked) == mark)
        .map_or_else(
            || "none".to_owned(),
            |declare| or(&declare.name, "none").to_owned(),
        )
}

/// The text in quotation marks that follows some words.
fn quoted<'a>(text: &'a str, words: &str) -> &'a str {
    let rest = text.split_once(words).map_or("", |(_, rest)| rest);
    rest.split_once('\'').map_or("none", |(name, _)| name)
}

/// `'true'`, `none`, `the value '10' of type 'long'`.
fn value(text: &str) -> String {
    match text.split_once('\'') {
        Some(_) => quoted(text, "'").to_owned(),
        None => or(text.trim(), "none").to_owned(),
    }
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

/// A text without names that are different each time: of the virtual host, which is the lab's own, and of queues that
/// the broker named.
pub fn anonymous(text: &str) -> String {
    const GENERATED: &str = "amq.gen-";
    let mut parts = without_vhost(text);
    if let Some((start, rest)) = parts.split_once(GENERATED) {
        let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let rest = anonymous(rest.trim_start_matches(name));
        parts = format!("{start}{GENERATED}…{rest}");
    }
    parts
}

fn without_vhost(text: &str) -> String {
    const BEFORE: &str = "vhost '";
    match text.split_once(BEFORE) {
        Some((start, rest)) => match rest.split_once('\'') {
            Some((_, end)) => format!("{start}{BEFORE}/'{}", without_vhost(end)),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}
