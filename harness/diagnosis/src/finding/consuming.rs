//! Rules about how a program consumes and what it makes of its messages.

use amqp_tap::story::{Consumer, Delivery};
use workbook_course::Ask;

use super::{Finding, FindingId, account::Account, spoken, world::World};
use crate::{Ended, finding::DIRECT};

/// Ended by itself, without an error, although it had said that it waits.
pub(super) fn stopped_early(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    // Who asked for something ends when it is there.
    let asked = story.requests().next().is_some();
    if !story.succeeded() || !story.ended_by_itself() || story.is_bent() || asked {
        return None;
    }
    // Where the broker, or the network, ended the connection, that is another matter.
    let last = story.connections.last()?;
    let own = last.closing.or(last.dropped())?;
    if !spoken::waits(story.seen) || (story.consumers.is_empty() && story.empty.is_empty()) {
        return None;
    }
    let last = story.deliveries.last().map(|it| it.got.event);
    Some(
        Finding::new(FindingId::StoppedEarly, story)
            .proved_by(story.empty.last().map(|mark| mark.event).or(last))
            .proved_by([own.event])
            .with("count", story.deliveries.len())
            .with("empty", if story.empty.is_empty() { "no" } else { "yes" }),
    )
}

/// Asks for messages with `basic.get`, and again after there was none; it never consumes.
pub(super) fn polls(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !story.consumers.is_empty() || story.empty.len() < 2 {
        return None;
    }
    let first = story.gets.first()?;
    Some(
        Finding::new(FindingId::Polls, story)
            .proved_by(story.empty.iter().take(2).map(|mark| mark.event))
            .with("queue", &first.queue)
            .with("count", story.gets.len()),
    )
}

/// A body that it could not handle ended it.
pub(super) fn died_on_delivery(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let died = match story.seen.ended? {
        Ended::Code(code) => code != 0,
        // SIGABRT, SIGSEGV and their like; not what the lab or a person sends.
        Ended::Signal(signal) => matches!(signal, 4 | 6 | 7 | 8 | 11),
        Ended::OverLimit(_) | Ended::Refused(_) | Ended::NoSandbox => false,
    };
    // The reply to a request may be an error, and rightly make one of the program's end.
    let asked = story.requests().next().is_some();
    if !died || asked || story.is_bent() || story.seen.interrupted.is_some() {
        return None;
    }
    // Where the broker, or the network, ended the connection, that is why.
    let lost = story.connections.last()?.ended;
    if lost.is_some_and(|(ending, _)| {
        use amqp_tap::Ending;
        matches!(
            ending,
            Ending::Fault | Ending::DroppedByBroker | Ending::ClosedByBroker
        )
    }) {
        return None;
    }
    // The broker may have sent more by then than the program took: what it could not read is told, else what it printed
    // last, else the first of all.
    let deliveries = || story.deliveries.iter().filter(|it| it.whole);
    let unreadable = |it: &&Delivery| std::str::from_utf8(&it.body).is_err();
    let printed = |it: &&Delivery| {
        let carrier = spoken::carrier(story.seen, &it.body);
        matches!(carrier, spoken::Carrier::Line(_))
    };
    let culprit = deliveries()
        .find(unreadable)
        .or_else(|| deliveries().rfind(printed))
        .or_else(|| deliveries().next())
        .or(story.deliveries.first())?;
    let why = match spoken::carrier(story.seen, &culprit.body) {
        _ if std::str::from_utf8(&culprit.body).is_err() => "bytes",
        spoken::Carrier::Line(_) => "printed",
        spoken::Carrier::Unknown | spoken::Carrier::None => "text",
    };
    Some(
        Finding::new(FindingId::DiedOnDelivery, story)
            .proved_by([culprit.got.event])
            .with("body", culprit.body.escape_ascii())
            .with("why", why),
    )
}

/// Printed the numbers of the bytes instead of the text.
pub(super) fn bytes_printed(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (delivery, line) = story.deliveries.iter().find_map(|delivery| {
        let list = byte_list(delivery)?;
        let line = story
            .seen
            .printed
            .iter()
            .find(|printed| printed.line.contains(&list))?;
        // The body itself may be such a list.
        let meant = |it: &Delivery| {
            String::from_utf8_lossy(&it.body)
                .lines()
                .any(|part| part.contains(&list))
        };
        (!story.deliveries.iter().any(meant)).then_some((delivery, line))
    })?;
    Some(
        Finding::new(FindingId::BytesPrinted, story)
            .proved_by([delivery.got.event])
            .with("body", String::from_utf8_lossy(&delivery.body))
            .with("line", &line.line),
    )
}

/// `[72, 101, …` as most languages print it: its beginning, where that is long enough to be no accident.
fn byte_list(delivery: &Delivery) -> Option<String> {
    let start = &delivery.body[..delivery.body.len().min(6)];
    (start.len() >= 3).then(|| {
        let numbers: Vec<String> = start.iter().map(u8::to_string).collect();
        format!("[{}", numbers.join(", "))
    })
}

/// `basic.qos` after `basic.consume`: it holds for consumers to come, and there is none to come.
pub(super) fn prefetch_too_late(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (consumer, late) = manual(story).find_map(|consumer| {
        if consumer.prefetch > 0 {
            return None;
        }
        let late = story.prefetches.iter().find(|it| {
            it.lane == consumer.lane
                && it.count > 0
                && !it.global
                && it.mark.event > consumer.asked.event
        })?;
        let next = story
            .consumers
            .iter()
            .any(|it| it.lane == late.lane && it.asked.event > late.mark.event);
        (!next).then_some((consumer, late))
    })?;
    Some(
        Finding::new(FindingId::PrefetchTooLate, story)
            .proved_by([consumer.asked.event, late.mark.event])
            .graver(fails_for_it(world, story, consumer))
            .with("queue", &consumer.queue)
            .with("prefetch", late.count),
    )
}

/// No prefetch is in force: told where the chapter asks for one, or where another consumer got nothing because of it.
pub(super) fn prefetch_missing(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let consumer = manual(story).find(|consumer| {
        let late = |it: &amqp_tap::story::Prefetch| {
            it.lane == consumer.lane && it.count > 0 && it.mark.event > consumer.asked.event
        };
        consumer.prefetch == 0
            && !story.prefetches.iter().any(late)
            && (world.given.asks.contains(&Ask::Prefetch) && !is_own(story, consumer)
                || starves_another(world, story, consumer))
    })?;
    let got = story.deliveries_of(&consumer.queue).count();
    Some(
        Finding::new(FindingId::PrefetchMissing, story)
            .proved_by([consumer.asked.event])
            .graver(fails_for_it(world, story, consumer))
            .with("queue", &consumer.queue)
            .with("count", got),
    )
}

/// Whether a check may fail because this consumer has no prefetch, in a chapter that asks for one: several deliveries
/// waited in it at the same time, or it has got none yet, and nothing but how it consumes can be wrong.
///
/// Who was given one after the other fails for another reason.
fn fails_for_it(world: &World<'_>, story: &Account<'_>, consumer: &Consumer) -> bool {
    let deliveries = || story.deliveries_of(&consumer.queue);
    let waited = deliveries().zip(deliveries().skip(1)).any(|(one, next)| {
        one.settled
            .is_none_or(|settled| settled.mark.event > next.got.event)
    });
    world.given.asks.contains(&Ask::Prefetch) && (waited || deliveries().next().is_none())
}

/// Nobody else can consume from the queue.
fn is_own(story: &Account<'_>, consumer: &Consumer) -> bool {
    let mut declares = story.declares.iter();
    consumer.queue == DIRECT
        || declares.any(|it| it.is_queue && it.exclusive && it.name == consumer.queue)
}

/// Another program consumed from the same queue all the time that this one was sent several messages at once, and got
/// none.
fn starves_another(world: &World<'_>, story: &Account<'_>, consumer: &Consumer) -> bool {
    let mut deliveries = story.deliveries_of(&consumer.queue);
    let (Some(first), Some(_), Some(last)) =
        (deliveries.next(), deliveries.next(), deliveries.last())
    else {
        return false;
    };
    let second_was_early = story
        .deliveries_of(&consumer.queue)
        .nth(1)
        .is_some_and(|second| {
            first
                .settled
                .is_none_or(|settled| settled.mark.event > second.got.event)
        });
    let (from, until) = (world.time(story, first.got), world.time(story, last.got));
    second_was_early
        && world.stories.iter().any(|other| {
            other.place != story.place
                && other.deliveries.is_empty()
                && other.consumers.iter().any(|it| {
                    it.queue == consumer.queue
                        && it
                            .answered
                            .is_some_and(|mark| world.time(other, mark) <= from)
                })
                && other.connections.iter().all(|it| {
                    it.ended
                        .is_none_or(|(_, mark)| world.time(other, mark) > until)
                })
        })
}

/// `basic.qos` with `global`, where the chapter asks for a prefetch: new brokers take it for something else.
pub(super) fn prefetch_global(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.asks.contains(&Ask::Prefetch) {
        return None;
    }
    let global = story.prefetches.iter().find(|it| it.global)?;
    Some(
        Finding::new(FindingId::PrefetchGlobal, story)
            .proved_by([global.mark.event])
            .graver(true)
            .with("prefetch", global.count),
    )
}

fn manual<'s>(story: &'s Account<'_>) -> impl Iterator<Item = &'s Consumer> {
    story
        .consumers
        .iter()
        .filter(|consumer| !consumer.automatic)
}
