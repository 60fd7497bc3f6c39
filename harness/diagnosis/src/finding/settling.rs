//! Rules about acknowledgement: what is settled, when, and what is lost.

use std::{collections::HashMap, time::Duration};

use amqp_tap::{Ending, story::Delivery};

use super::{
    Finding, FindingId,
    account::Account,
    spoken::{self, Carrier},
    world::World,
};
use crate::Ended;

/// How many frames of the same kind are enough as a proof.
const ENOUGH: usize = 8;
/// How often a message is put back before that is called a loop.
const LOOP: usize = 5;

/// Deliveries that the program was done with and never settled.
///
/// What it was still working on when it ended is no reason to tell: that goes back to the queue, and rightly so. Where
/// there is a reason, all that is not settled is counted, as whoever looks at the queue would.
pub(super) fn unacked(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if story.is_bent() || matches!(story.seen.ended, Some(Ended::Signal(9))) {
        return None;
    }
    let manual = || story.deliveries.iter().filter(|it| !it.automatic);
    let done = story
        .seen
        .printed
        .iter()
        .filter(|it| spoken::is_done(&it.line));
    let done = done.count();
    let says_done = done > 0 || story.seen.task_unit.is_some();
    // A `Done` does not tell which of them it is about, so those that are settled are taken to be among them.
    let finished = match says_done {
        true => done.saturating_sub(manual().filter(|it| it.settled.is_some()).count()),
        false => usize::MAX,
    };
    let open: Vec<&Delivery> = manual()
        .filter(|delivery| delivery.settled.is_none() && is_over(story, delivery))
        .filter(|delivery| match says_done {
            true => done_after(story, delivery).is_some(),
            false => is_left_behind(story, delivery),
        })
        .take(finished)
        .collect();
    let last = *open.last()?;
    let end = story.connection(last.lane.connection);
    let end = end.and_then(|it| it.closing.or(it.ended.map(|(_, mark)| mark)));
    Some(
        Finding::new(FindingId::UnackedDeliveries, story)
            .proved_by(open.iter().take(ENOUGH).map(|it| it.got.event))
            .proved_by(end.map(|mark| mark.event))
            .with("count", manual().filter(|it| it.settled.is_none()).count())
            .with("all", manual().count())
            .with("queue", &last.queue),
    )
}

/// Nothing can settle the delivery any more, or the program waits although it said that it is done.
fn is_over(story: &Account<'_>, delivery: &Delivery) -> bool {
    const PATIENCE: Duration = Duration::from_secs(1);
    let ended = story
        .connection(delivery.lane.connection)
        .is_some_and(|it| match it.ended {
            Some((ending, _)) => matches!(ending, Ending::Closed | Ending::DroppedByClient),
            None => it.closing.is_some(),
        });
    ended
        || done_after(story, delivery)
            .is_some_and(|done| story.seen.looked.saturating_sub(done) > PATIENCE)
}

/// The program printed it and went on to the next message.
fn is_left_behind(story: &Account<'_>, delivery: &Delivery) -> bool {
    let is_printed = |it: &Delivery| match spoken::carrier(story.seen, &it.body) {
        Carrier::Line(line) => line.at >= it.got.at,
        Carrier::Unknown | Carrier::None => false,
    };
    let next = story
        .deliveries
        .iter()
        .filter(|it| it.lane == delivery.lane && it.got.event > delivery.got.event);
    is_printed(delivery) && next.into_iter().any(is_printed)
}

/// When the program said `Done`, of this delivery or of one after it.
fn done_after(story: &Account<'_>, delivery: &Delivery) -> Option<Duration> {
    story
        .seen
        .printed
        .iter()
        .find(|printed| printed.at >= delivery.got.at && spoken::is_done(&printed.line))
        .map(|printed| printed.at)
}

/// Acknowledged before the work can have been done.
///
/// The program cannot have begun before the tap saw the delivery, so an acknowledgement that comes sooner after it
/// than the work takes is certainly too early. But who has said `Done` as soon as that took less time for the work than
/// it takes, which is another mistake: nothing shows that the acknowledgement came before it.
pub(super) fn ack_before_done(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let unit = story.seen.task_unit?;
    let printed = story.seen.printed.iter();
    let done: Vec<Duration> = printed
        .filter(|it| spoken::is_done(&it.line))
        .map(|it| it.at)
        .collect();
    let deliveries = story.deliveries.iter().enumerate();
    let (delivery, settled, work) = deliveries.into_iter().find_map(|(index, delivery)| {
        let settled = delivery.settled.filter(|settled| settled.acked)?;
        let work = work(unit, delivery)?;
        // A timer may be a little fast.
        let sooner = |at: Duration| at.saturating_sub(delivery.got.at) < work.mul_f64(0.9);
        let early = sooner(settled.mark.at) && !done.get(index).copied().is_some_and(sooner);
        early.then_some((delivery, settled, work))
    })?;
    let took = settled.mark.at.saturating_sub(delivery.got.at);
    Some(
        Finding::new(FindingId::AckBeforeDone, story)
            .proved_by([delivery.got.event, settled.mark.event])
            .with("body", String::from_utf8_lossy(&delivery.body))
            .with("work", readable(work))
            .with("took", readable(took)),
    )
}

/// How long the work for a delivery takes, where that is long enough to tell.
fn work(unit: Duration, delivery: &Delivery) -> Option<Duration> {
    const LEAST: Duration = Duration::from_millis(50);
    let dots = String::from_utf8_lossy(&delivery.body).matches('.').count();
    let work = unit.saturating_mul(u32::try_from(dots).unwrap_or(u32::MAX));
    (delivery.whole && work >= LEAST).then_some(work)
}

/// A time in the largest unit that leaves a whole number of some size, as people write it in any language.
fn readable(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// Messages that the broker has forgotten and that the program never got to: automatic acknowledgement.
pub(super) fn work_lost(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    // A program that is told to end lets go of what is on the way to it: only a chapter that asks for more minds.
    let told = story.seen.interrupted.is_some() && story.seen.task_unit.is_none();
    if story.seen.ended.is_none() || told {
        return None;
    }
    let automatic = || story.deliveries.iter().filter(|it| it.automatic);
    let lost: Vec<&Delivery> = match story.seen.task_unit {
        // One `Done` for each task, in order.
        Some(_) => {
            let printed = story.seen.printed.iter();
            let done = printed.filter(|it| spoken::is_done(&it.line)).count();
            automatic().skip(done).collect()
        }
        None => automatic()
            .filter(|it| it.whole && !spoken::is_printed(story.seen, &it.body))
            .collect(),
    };
    // Programs that print nothing of what they get lose nothing in that way, nor does one that waits for its reply.
    let asked = story.requests().next().is_some();
    if asked || lost.is_empty() || (story.seen.task_unit.is_none() && !spoken::waits(story.seen)) {
        return None;
    }
    Some(
        Finding::new(FindingId::WorkLost, story)
            .proved_by(lost.iter().take(ENOUGH).map(|it| it.got.event))
            .with("count", lost.len())
            .with("queue", &lost[0].queue),
    )
}

/// The same message put back into its queue, again and again.
pub(super) fn redelivery_loop(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let mut back: HashMap<(&str, &str, &[u8]), Vec<&Delivery>> = HashMap::new();
    for delivery in &story.deliveries {
        if delivery.settled.is_some_and(|settled| settled.requeued) {
            let message = (
                delivery.exchange.as_str(),
                delivery.key.as_str(),
                delivery.body.as_slice(),
            );
            back.entry(message).or_default().push(delivery);
        }
    }
    let worst = back
        .into_values()
        .filter(|again| again.iter().filter(|it| it.redelivered).count() + 1 >= LOOP)
        .max_by_key(|again| (again.len(), std::cmp::Reverse(again[0].got.event)))?;
    let marks = worst
        .iter()
        .take(ENOUGH / 2)
        .flat_map(|it| [Some(it.got), it.settled.map(|settled| settled.mark)]);
    Some(
        Finding::new(FindingId::RedeliveryLoop, story)
            .proved_by(marks.flatten().map(|mark| mark.event))
            .with("count", worst.len())
            .with("queue", &worst[0].queue)
            .with("body", String::from_utf8_lossy(&worst[0].body)),
    )
}
