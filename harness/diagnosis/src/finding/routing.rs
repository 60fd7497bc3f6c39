//! Rules about exchanges and bindings, for chapters whose consumers each have a queue of their own.

use std::{collections::BTreeSet, time::Duration};

use amqp_tap::story::{Consumer, Declare};
use workbook_course::Ask;

use super::{Finding, FindingId, account::Account, world::World};

/// How long the binding of a program that consumes first may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Uses an exchange that the text does not give, and never the one that it gives.
pub(super) fn other_exchange(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let given = &world.given.exchanges;
    let wanted = given.first()?;
    let declared = story
        .declares
        .iter()
        .filter(|declare| !declare.is_queue)
        .map(|declare| (declare.name.as_str(), declare.asked.event));
    let published = story
        .publishes
        .iter()
        .map(|publish| (publish.exchange.as_str(), publish.asked.event));
    let bound = story
        .binds
        .iter()
        .map(|bind| (bind.exchange.as_str(), bind.asked.event));
    let used: Vec<_> = declared.chain(published).chain(bound).collect();
    if used.iter().any(|(name, _)| given.contains(*name)) {
        return None;
    }
    let (exchange, event) = used.iter().find(|(name, _)| !name.is_empty())?;
    Some(
        Finding::new(FindingId::OtherExchange, story)
            .proved_by([*event])
            .with("exchange", exchange)
            .with("wanted", wanted),
    )
}

/// Consumes from a queue that another program consumes from, too.
pub(super) fn shared_queue(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.asks.contains(&Ask::OwnQueues) {
        return None;
    }
    let (consumer, other, theirs) = story.consumers.iter().find_map(|consumer| {
        let others = world.stories.iter().filter(|it| it.place != story.place);
        let (other, theirs) = others
            .flat_map(|other| other.consumers.iter().map(move |theirs| (other, theirs)))
            .find(|(_, theirs)| theirs.answered.is_some() && theirs.queue == consumer.queue)?;
        consumer.answered.map(|_| (consumer, other, theirs))
    })?;
    Some(
        Finding::new(FindingId::SharedQueue, story)
            .proved_by([consumer.asked.event])
            .and_by(other, theirs.asked.event)
            .with("queue", &consumer.queue)
            .with("other", other.seen.program),
    )
}

/// Consumes from a queue that it declared, and that does not belong to it alone: as a subscriber, or for its replies.
pub(super) fn not_exclusive(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (consumer, declare) = own(world, story).or_else(|| reply_queue(story))?;
    if declare.exclusive {
        return None;
    }
    let generated = declare.name.starts_with("amq.gen");
    Some(
        Finding::new(FindingId::QueueNotExclusive, story)
            .proved_by([declare.asked.event, consumer.asked.event])
            .with("generated", if generated { "yes" } else { "no" })
            .with("stays", if declare.shared { "yes" } else { "no" })
            .with("queue", &consumer.queue),
    )
}

/// Consumes from several queues that are bound to the same exchange.
pub(super) fn queue_per_binding(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.asks.contains(&Ask::OwnQueues) {
        return None;
    }
    let consumes = |queue: &str| {
        let mut consumers = story.consumers.iter();
        consumers.find(|it| it.answered.is_some() && it.queue == queue)
    };
    // One connection after the other may have a queue of its own each.
    let bound: Vec<_> = story
        .binds
        .iter()
        .filter_map(|bind| Some((bind, consumes(bind.queue()?)?)))
        .collect();
    let (first, one) = *bound.first()?;
    let (second, other) = bound.iter().find(|(bind, consumer)| {
        bind.exchange == first.exchange
            && bind.queue() != first.queue()
            && consumer.lane.connection == one.lane.connection
    })?;
    let queues: BTreeSet<_> = bound.iter().map(|(bind, _)| bind.queue()).collect();
    Some(
        Finding::new(FindingId::QueuePerBinding, story)
            .proved_by([first.asked.event, one.asked.event])
            .proved_by([second.asked.event, other.asked.event])
            .with("count", queues.len())
            .with("exchange", &first.exchange),
    )
}

/// Publishes with another routing key than its first argument.
pub(super) fn other_key(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let wanted = world.arguments(Ask::KeysFromArguments, story)?.first()?;
    let given = &world.given.exchanges;
    let publish = story
        .publishes
        .iter()
        .find(|publish| given.contains(&publish.exchange) && publish.key != *wanted)?;
    Some(
        Finding::new(FindingId::OtherRoutingKey, story)
            .proved_by([publish.asked.event])
            .with("key", &publish.key)
            .with("wanted", wanted),
    )
}

/// Consumes, and did not bind its queue with one of its arguments.
pub(super) fn argument_not_bound(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let arguments = world.arguments(Ask::KeysFromArguments, story)?;
    let consumer = story.consumers.iter().find(|it| it.answered.is_some())?;
    let waited = story.seen.looked.saturating_sub(consumer.answered?.at);
    let first = story.binds.first()?;
    // Whoever bound something else made something else of its arguments: there is nothing to wait for.
    let other = story.binds.iter().any(|it| !arguments.contains(&it.key));
    if story.is_bent() || waited <= PATIENCE && !other {
        return None;
    }
    let mut arguments = arguments.iter();
    let missing = arguments.find(|it| story.binds.iter().all(|bind| bind.key != **it))?;
    let bound: Vec<_> = story.binds.iter().map(|bind| bind.key.as_str()).collect();
    Some(
        Finding::new(FindingId::ArgumentNotBound, story)
            .proved_by(story.binds.iter().map(|bind| bind.asked.event))
            .proved_by([consumer.asked.event])
            .with("exchange", &first.exchange)
            .with("argument", missing)
            .with("bound", bound.join("`, `")),
    )
}

/// Consumes from a queue that it declared, and that it has bound to nothing.
pub(super) fn not_bound(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (consumer, declare) = own(world, story)?;
    let waited = story.seen.looked.saturating_sub(consumer.answered?.at);
    if !story.binds.is_empty() || story.is_bent() || waited <= PATIENCE {
        return None;
    }
    Some(
        Finding::new(FindingId::QueueNotBound, story)
            .proved_by([declare.asked.event, consumer.asked.event])
            .with("queue", &consumer.queue),
    )
}

/// The first consumer whose queue the program itself declared, in a chapter that asks for that.
fn own<'s>(world: &World<'_>, story: &'s Account<'_>) -> Option<(&'s Consumer, &'s Declare)> {
    if !world.given.asks.contains(&Ask::OwnQueues) {
        return None;
    }
    declared(story, |_| true)
}

/// The queue that it declared for the replies to its requests.
fn reply_queue<'s>(story: &'s Account<'_>) -> Option<(&'s Consumer, &'s Declare)> {
    declared(story, |queue| {
        story
            .requests()
            .any(|it| it.reply_to.as_deref() == Some(queue))
    })
}

/// The first consumer of a queue that is meant, and that the program itself declared.
fn declared<'s>(
    story: &'s Account<'_>,
    is_meant: impl Fn(&str) -> bool,
) -> Option<(&'s Consumer, &'s Declare)> {
    let meant = story.consumers.iter().filter(|it| is_meant(&it.queue));
    meant
        .filter(|it| it.answered.is_some())
        .find_map(|consumer| {
            let mut declares = story.declares.iter();
            let declare = declares.find(|it| {
                it.is_queue && !it.passive && it.answered.is_some() && it.name == consumer.queue
            })?;
            Some((consumer, declare))
        })
}
