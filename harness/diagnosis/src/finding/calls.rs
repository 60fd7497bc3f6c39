//! Rules about remote calls: requests that say where the reply goes, and the replies to them.

use amqp_tap::story::{Delivery, Publish};

use super::{Finding, FindingId, account::Account, spoken, world::World};

/// Two calls have the same correlation id, or one has none.
///
/// A program that asks again after a lost connection may do so with the same id, so its own requests are not compared.
pub(super) fn reused_id(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let others = || world.stories.iter().filter(|it| it.place != story.place);
    story.requests().find_map(|request| {
        let finding = Finding::new(FindingId::ReusedCorrelationId, story)
            .proved_by(request.content.or(Some(request.asked.event)));
        let id = request.correlation_id.as_deref().unwrap_or_default();
        if id.is_empty() {
            return Some(finding.with("id", "none").with("other", "none"));
        }
        let (other, theirs) = others().find_map(|other| {
            let same = |it: &&Publish| it.correlation_id.as_deref() == Some(id);
            Some((other, other.requests().find(same)?))
        })?;
        Some(
            finding
                .with("id", id)
                .with("other", other.seen.program)
                .and_by(other, theirs.content.unwrap_or(theirs.asked.event)),
        )
    })
}

/// Took a reply that belongs to none of its calls for its result.
pub(super) fn foreign_reply(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let request = story.requests().next()?;
    let own = |delivery: &Delivery| {
        let id = delivery.correlation_id.as_deref();
        story
            .requests()
            .any(|it| it.correlation_id.as_deref().unwrap_or_default() == id.unwrap_or_default())
    };
    let results: Vec<&str> = story
        .seen
        .printed
        .iter()
        .filter_map(|printed| spoken::got(&printed.line))
        .collect();
    let printed = |delivery: &&Delivery| {
        let text = String::from_utf8_lossy(&delivery.body);
        results.iter().any(|result| *result == text)
    };
    let mut taken = story.deliveries.iter().filter(printed);
    let foreign = taken.next().filter(|first| !own(first))?;
    Some(
        Finding::new(FindingId::ForeignReply, story)
            .proved_by([request.asked.event, foreign.got.event])
            .with("body", String::from_utf8_lossy(&foreign.body))
            .with("wanted", text(request.correlation_id.as_deref()))
            .with("id", text(foreign.correlation_id.as_deref())),
    )
}

/// Let go of a request before its reply was on its way.
pub(super) fn ack_before_reply(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (delivery, reply, how, ack) = story.deliveries.iter().find_map(|delivery| {
        let address = delivery.reply_to.as_deref()?;
        let reply = replies(story, delivery).find(|reply| {
            reply.exchange.is_empty()
                && reply.key == address
                && reply.correlation_id == delivery.correlation_id
        })?;
        if delivery.automatic {
            return Some((delivery, reply, "automatic", None));
        }
        let settled = delivery.settled.filter(|settled| settled.acked)?.mark;
        let same = reply.lane.connection == delivery.lane.connection;
        (same && settled.event < reply.asked.event).then_some((
            delivery,
            reply,
            "early",
            Some(settled.event),
        ))
    })?;
    Some(
        Finding::new(FindingId::AckBeforeReply, story)
            .proved_by([delivery.got.event, reply.asked.event])
            .proved_by(ack)
            .with("how", how)
            .with("body", String::from_utf8_lossy(&delivery.body)),
    )
}

/// Published its reply to another place than the request asks for.
pub(super) fn misdirected_reply(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let wanted = |reply: &Publish| {
        let mut addresses = story
            .deliveries
            .iter()
            .filter_map(|it| it.reply_to.as_deref());
        reply.exchange.is_empty() && addresses.any(|address| address == reply.key)
    };
    let (delivery, reply) = story.deliveries.iter().find_map(|delivery| {
        delivery.reply_to.as_ref()?;
        if replies(story, delivery).any(wanted) {
            return None;
        }
        Some((delivery, replies(story, delivery).next()?))
    })?;
    Some(
        Finding::new(FindingId::MisdirectedReply, story)
            .proved_by([delivery.got.event, reply.asked.event])
            .with("exchange", name(&reply.exchange))
            .with("key", name(&reply.key))
            .with("wanted", text(delivery.reply_to.as_deref())),
    )
}

/// Replied without the correlation id of the request.
pub(super) fn reply_without_id(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (delivery, reply) = story.deliveries.iter().find_map(|delivery| {
        let (address, id) = (
            delivery.reply_to.as_ref()?,
            delivery.correlation_id.as_ref()?,
        );
        let there =
            || replies(story, delivery).filter(|it| it.exchange.is_empty() && it.key == *address);
        if there().any(|reply| reply.correlation_id.as_ref() == Some(id)) {
            return None;
        }
        // The reply to another request from there is none to this one.
        let others = |reply: &&Publish| {
            story.deliveries.iter().any(|it| {
                it.reply_to.as_ref() == Some(address) && it.correlation_id == reply.correlation_id
            })
        };
        Some((delivery, there().find(|reply| !others(reply))?))
    })?;
    Some(
        Finding::new(FindingId::ReplyWithoutId, story)
            .proved_by([delivery.got.event, reply.asked.event])
            .with("id", text(reply.correlation_id.as_deref()))
            .with("wanted", text(delivery.correlation_id.as_deref())),
    )
}

/// What the program published after it got a request, and that is no request itself.
///
/// A publish that was cut off before its content came tells neither whether it is a request nor which id it has.
fn replies<'s>(
    story: &'s Account<'_>,
    delivery: &'s Delivery,
) -> impl Iterator<Item = &'s Publish> {
    let later =
        |it: &&Publish| it.complete && it.reply_to.is_none() && it.asked.event > delivery.got.event;
    story.publishes.iter().filter(later)
}

fn text(property: Option<&str>) -> &str {
    property.unwrap_or("none")
}

fn name(name: &str) -> &str {
    if name.is_empty() { "\"\"" } else { name }
}
