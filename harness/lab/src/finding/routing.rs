//! Rules about exchanges and bindings, for chapters whose consumers each have a queue of their own.

use std::time::Duration;

use super::{
    Finding, FindingId,
    story::{Consumer, Declare, Story},
    world::World,
};
use crate::course::Ask;

/// Uses an exchange that the text does not give, and never the one that it gives.
pub(super) fn other_exchange(world: &World<'_>, story: &Story<'_>) -> Option<Finding> {
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
        .map(|(exchange, mark)| (exchange.as_str(), mark.event));
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
pub(super) fn shared_queue(world: &World<'_>, story: &Story<'_>) -> Option<Finding> {
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

/// Consumes from a queue that it declared, and that does not belong to it alone.
pub(super) fn not_exclusive(world: &World<'_>, story: &Story<'_>) -> Option<Finding> {
    let (consumer, declare) = own(world, story)?;
    if declare.exclusive {
        return None;
    }
    let generated = declare.name.starts_with("amq.gen");
    Some(
        Finding::new(FindingId::QueueNotExclusive, story)
            .proved_by([declare.asked.event, consumer.asked.event])
            .with("generated", if generated { "yes" } else { "no" })
            .with("queue", &consumer.queue),
    )
}

/// Consumes from a queue that it declared, and that it has bound to nothing.
pub(super) fn not_bound(world: &World<'_>, story: &Story<'_>) -> Option<Finding> {
    /// How long the binding of a program that consumes first may take.
    const PATIENCE: Duration = Duration::from_secs(1);
    let (consumer, declare) = own(world, story)?;
    let waited = story.seen.looked.saturating_sub(consumer.answered?.at);
    if !story.binds.is_empty() || story.bent() || waited <= PATIENCE {
        return None;
    }
    Some(
        Finding::new(FindingId::QueueNotBound, story)
            .proved_by([declare.asked.event, consumer.asked.event])
            .with("queue", &consumer.queue),
    )
}

/// The first consumer whose queue the program itself declared, in a chapter that asks for that.
fn own<'s>(world: &World<'_>, story: &'s Story<'_>) -> Option<(&'s Consumer, &'s Declare)> {
    if !world.given.asks.contains(&Ask::OwnQueues) {
        return None;
    }
    story.consumers.iter().find_map(|consumer| {
        consumer.answered?;
        let mut declares = story.declares.iter();
        let declare = declares.find(|it| {
            it.is_queue && !it.passive && it.answered.is_some() && it.name == consumer.queue
        })?;
        Some((consumer, declare))
    })
}
