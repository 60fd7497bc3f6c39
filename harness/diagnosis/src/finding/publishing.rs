//! Rules about what a program publishes.

use std::collections::HashSet;

use amqp_tap::story::Publish;
use workbook_course::Ask;

use super::{Finding, FindingId, account::Account, spoken, world::World};

/// How many frames of the same kind are enough as a proof.
const ENOUGH: usize = 8;

/// Published, and no queue was there to take it.
pub(super) fn discarded(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    // Where the broker was told to send the answer, a queue may be gone by then, and rightly so.
    let asked_for: HashSet<&str> = story
        .deliveries
        .iter()
        .filter_map(|delivery| delivery.reply_to.as_deref())
        .collect();
    let lost: Vec<&Publish> = story
        .publishes
        .iter()
        .filter(|publish| publish.complete && !publish.mandatory)
        .filter(|publish| !asked_for.contains(publish.key.as_str()))
        .filter(|publish| {
            // Without an answer that came after it, nobody knows when the broker routed it.
            publish.routed.is_some_and(|routed| {
                let until = world.time(story, routed);
                match publish.exchange.as_str() {
                    "" => world.is_certainly_absent(&publish.key, until),
                    exchange => {
                        world.given.asks.contains(&Ask::Routed)
                            && declares_exchange(story, exchange)
                            && world.is_certainly_unbound(exchange, until)
                    }
                }
            })
        })
        .collect();
    let first = *lost.first()?;
    let finding = Finding::new(FindingId::DiscardedPublish, story)
        .proved_by(lost.iter().take(ENOUGH).map(|it| it.asked.event))
        .with("count", lost.len())
        .with("exchange", name(&first.exchange))
        .with("queue", name(&first.key))
        .with(
            "similar",
            world.similar(&first.key).unwrap_or_else(|| "none".into()),
        );
    Some(match world.first_declare(&first.key) {
        Some((other, declare)) => finding
            .with("later", other.seen.program)
            .and_by(other, declare.asked.event),
        None => finding.with("later", "none"),
    })
}

fn declares_exchange(story: &Account<'_>, exchange: &str) -> bool {
    story
        .declares
        .iter()
        .any(|declare| !declare.is_queue && declare.name == exchange && declare.answered.is_some())
}

/// Ended before the publish left the program.
pub(super) fn not_flushed(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    story.seen.ended?;
    let opened = story.connections.iter().find_map(|it| it.opened)?;
    if story.is_bent() || story.seen.ended == Some(crate::Ended::Signal(9)) {
        return None;
    }
    let claimed = spoken::sent(story.seen).count();
    let complete = story.publishes.iter().filter(|it| it.complete).count();
    let short = story.publishes.iter().find(|it| !it.complete);
    let never = claimed > 0 && complete == 0;
    if !never && short.is_none() {
        return None;
    }
    let ends = story.connections.iter().filter_map(|it| it.ended);
    // What it has given to its library comes before the close that it asks for.
    let closed = story.connections.iter().all(|it| it.closing.is_some());
    let cut = match short {
        Some(_) => "yes",
        None if closed => "never",
        None => "no",
    };
    Some(
        Finding::new(FindingId::PublishNotFlushed, story)
            .proved_by(short.map(|it| it.asked.event))
            .proved_by(short.is_none().then_some(opened.event))
            .proved_by(ends.map(|(_, mark)| mark.event).next_back())
            .with("cut", cut),
    )
}

/// Said `Sent` before it had even reached the broker.
pub(super) fn sent_too_early(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (line, _) = spoken::sent(story.seen).next()?;
    // Who never came to the broker that is there has sent it somewhere else: that is another matter.
    if story.seen.reachable && story.connections.is_empty() && !story.is_bent() {
        return None;
    }
    let opened = story.connections.iter().find_map(|it| it.opened);
    // The broker's answer is on the tape before the program can know of it, so this order is certain.
    if opened.is_some_and(|opened| opened.at <= line.at) {
        return None;
    }
    Some(
        Finding::new(FindingId::SentTooEarly, story)
            .proved_by(opened.map(|opened| opened.event))
            .with("line", &line.line)
            .with("opened", if opened.is_some() { "yes" } else { "no" }),
    )
}

/// Another body than the text gives, or than the program's arguments give but for upper and lower case.
///
/// What the program itself says that it sent is no measure: it may say the same wrong thing.
pub(super) fn other_body(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let given = world.given.bodies.iter();
    let given: Vec<&str> = given
        .filter_map(|body| std::str::from_utf8(body).ok())
        .collect();
    let arguments = story.seen.argv;
    // The first of them may be a key, or pairs, and the rest the words of the body.
    let words: Vec<String> = (1..arguments.len())
        .map(|first| arguments[first..].join(" "))
        .collect();
    let wanted = || {
        given
            .iter()
            .copied()
            .chain(words.iter().map(String::as_str))
    };
    // Without arguments there is nothing else that it could send, and who consumes may pass on what it got.
    let fixed = words.is_empty() && story.consumers.is_empty();
    let (publish, wanted, how) = story.publishes.iter().find_map(|publish| {
        let body = publish.body.as_slice();
        if !publish.complete || wanted().any(|it| it.as_bytes() == body) {
            return None;
        }
        let folded = std::str::from_utf8(body).ok().map(str::to_lowercase);
        let same = wanted().find(|it| folded.as_ref() == Some(&it.to_lowercase()));
        same.map(|wanted| (publish, wanted, "case"))
            .or_else(|| Some((publish, given.first().copied().filter(|_| fixed)?, "other")))
    })?;
    Some(
        Finding::new(FindingId::OtherBody, story)
            .proved_by(publish.content)
            .with("body", shown(publish))
            .with("wanted", wanted)
            .with("how", how),
    )
}

/// A body, or its beginning and its size where the tape keeps no more of it.
fn shown(publish: &Publish) -> String {
    const BEGINNING: usize = 40;
    let text = String::from_utf8_lossy(&publish.body);
    if publish.size <= publish.body.len() as u64 {
        return text.into_owned();
    }
    let beginning: String = text.chars().take(BEGINNING).collect();
    format!("{beginning}… ({} bytes)", publish.size)
}

/// A queue that nobody else uses, and whose name is nearly right.
pub(super) fn unused_queue(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let published = story
        .publishes
        .iter()
        .filter(|publish| publish.exchange.is_empty())
        .map(|publish| (publish.key.as_str(), publish.asked.event));
    let consumed = story
        .consumers
        .iter()
        .map(|consumer| (consumer.queue.as_str(), consumer.asked.event));
    let (queue, event, wanted) = published.chain(consumed).find_map(|(queue, event)| {
        if queue.starts_with("amq.")
            || world.given.names.contains(queue)
            || world.given.queues.contains(queue)
        {
            return None;
        }
        let wanted = world.similar(queue)?;
        is_meant(world, story, queue, &wanted).then_some((queue, event, wanted))
    })?;
    Some(
        Finding::new(FindingId::UnusedQueue, story)
            .proved_by([event])
            .with("queue", queue)
            .with("wanted", wanted),
    )
}

/// Whether the program means `wanted` when it says `queue`: the text gives it, or it is what another program uses
/// at the other end, while nobody uses `queue`.
fn is_meant(world: &World<'_>, story: &Account<'_>, queue: &str, wanted: &str) -> bool {
    if world.given.names.contains(wanted) {
        return true;
    }
    let others = || world.stories.iter().filter(|it| it.place != story.place);
    let consumes =
        |it: &Account<'_>, name: &str| it.consumers.iter().any(|consumer| consumer.queue == name);
    let publishes = |it: &Account<'_>, name: &str| {
        it.publishes
            .iter()
            .any(|publish| publish.exchange.is_empty() && publish.key == name)
    };
    let unused = !others().any(|it| consumes(it, queue) || publishes(it, queue))
        && !consumes(story, wanted)
        && !publishes(story, wanted);
    // Both ends differ: told to the one who publishes, once.
    unused
        && publishes(story, queue)
        && others().any(|it| consumes(it, wanted))
        && !others().any(|it| publishes(it, wanted))
}

/// Threw away messages that waited.
pub(super) fn purged(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let purge = story.purges.iter().find(|purge| purge.messages > 0)?;
    Some(
        Finding::new(FindingId::QueuePurged, story)
            .proved_by([purge.asked.event, purge.answered.event])
            .with("method", purge.method)
            .with("queue", name(&purge.queue))
            .with("count", purge.messages),
    )
}

/// Closed before the confirms that it asked for had arrived.
pub(super) fn confirm_not_awaited(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    // What the lab holds back or cuts off may be why it gave up. To close is its own choice.
    let own = story.ended_by_itself() && !story.is_bent();
    let dropped = |publish: &Publish| {
        let connection = story.connection(publish.lane.connection)?;
        let unread = |confirm| connection.never_read(confirm);
        let open = own && publish.confirmed.is_none_or(unread);
        connection.dropped().filter(|_| open)
    };
    let open: Vec<_> = story
        .publishes
        .iter()
        .filter(|publish| publish.confirms && publish.complete)
        .filter_map(|publish| {
            let gave_up = publish.abandoned.or_else(|| dropped(publish));
            Some((publish, gave_up?))
        })
        .collect();
    let (_, gave_up) = *open.first()?;
    Some(
        Finding::new(FindingId::ConfirmNotAwaited, story)
            .proved_by(open.iter().take(ENOUGH).map(|(it, _)| it.asked.event))
            .proved_by([gave_up.event])
            .with("count", open.len()),
    )
}

/// A message came back, and the program ended as if it had not.
pub(super) fn returned_ignored(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if story.returns.is_empty() || !story.succeeded() {
        return None;
    }
    let said = |line: &str| line.to_lowercase().contains("return");
    if story.seen.printed.iter().any(|printed| said(&printed.line)) {
        return None;
    }
    Some(
        Finding::new(FindingId::ReturnedMessageIgnored, story)
            .proved_by(story.returns.iter().take(ENOUGH).map(|mark| mark.event))
            .with("count", story.returns.len()),
    )
}

/// Uses a queue that only others declare, and declares nothing itself.
pub(super) fn declared_nothing(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !story.declares.is_empty() {
        return None;
    }
    let replies: HashSet<&str> = story
        .deliveries
        .iter()
        .filter_map(|delivery| delivery.reply_to.as_deref())
        .collect();
    let published = story
        .publishes
        .iter()
        .filter(|publish| publish.exchange.is_empty())
        .map(|publish| (publish.key.as_str(), publish.asked.event));
    let consumed = story
        .consumers
        .iter()
        .map(|consumer| (consumer.queue.as_str(), consumer.asked.event));
    let (queue, event) = published
        .chain(consumed)
        .find(|(queue, _)| !queue.starts_with("amq.") && !replies.contains(queue))?;
    Some(
        Finding::new(FindingId::DeclaredNothing, story)
            .proved_by([event])
            .with("queue", name(queue)),
    )
}

/// Declares a queue that is gone after a restart of the broker, where the chapter asks that messages survive it.
pub(super) fn queue_not_durable(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.asks.contains(&Ask::Durable) {
        return None;
    }
    let declare = story.declares.iter().find(|it| {
        let refused = it.refused.is_some_and(|code| code != 406);
        it.is_queue && it.shared && !it.durable && !it.passive && !refused
    })?;
    Some(
        Finding::new(FindingId::QueueNotDurable, story)
            .proved_by([declare.asked.event])
            .with("queue", name(&declare.name)),
    )
}

/// Publishes messages that are gone after a restart of the broker, where the chapter asks that they survive it.
pub(super) fn message_not_persistent(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.asks.contains(&Ask::Durable) {
        return None;
    }
    // What goes to a queue of its own, past those of the exercise, is no task.
    let names = &world.given.names;
    let aside = |publish: &&Publish| {
        publish.exchange.is_empty() && !names.is_empty() && !names.contains(&publish.key)
    };
    let lost: Vec<_> = story
        .publishes
        .iter()
        .filter(|publish| publish.complete && !publish.persistent && !aside(publish))
        .collect();
    let first = *lost.first()?;
    Some(
        Finding::new(FindingId::MessageNotPersistent, story)
            .proved_by(lost.iter().take(ENOUGH).filter_map(|it| it.content))
            .with("count", lost.len())
            .with("body", String::from_utf8_lossy(&first.body)),
    )
}

fn name(name: &str) -> &str {
    if name.is_empty() { "\"\"" } else { name }
}
