//! Rules about connections: whether they are made, kept, and closed.

use std::time::Duration;

use amqp_tap::{Ending, Flaw, Protocol, Side, story::Mark};

use super::{Finding, FindingId, account::Account, spoken, world::World};
use crate::Ended;

/// So many connections …
const CHURN: usize = 10;
/// … in so short a time are too many.
const CHURN_TIME: Duration = Duration::from_secs(2);
/// How long a program has to end after Ctrl-C.
const INTERRUPT: Duration = Duration::from_secs(2);

/// Never came to the address that it was given.
///
/// Where it says that it sent or that it waits, or ended as if all were well, it may have talked to another broker.
pub(super) fn never_connected(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let seen = story.seen;
    if !seen.reachable || !story.connections.is_empty() || story.is_bent() {
        return None;
    }
    let claims = spoken::sent(seen).next().is_some() || spoken::waits(seen);
    let how = match seen.ended {
        _ if claims => "claims",
        Some(Ended::Code(0)) => "well",
        Some(Ended::Signal(9)) | None => return None,
        Some(_) if seen.interrupted.is_some() => return None,
        Some(_) => "badly",
    };
    let ended = match seen.ended {
        None | Some(Ended::Signal(9)) => "running".to_owned(),
        Some(ended) => word(ended),
    };
    Some(
        Finding::new(FindingId::NeverConnected, story)
            .with("how", how)
            .with("ended", ended),
    )
}

/// A program that only publishes, or asks and gets a reply, ended without `connection.close`.
///
/// A consumer may be ended by the very signal that asks it to end, so nothing is said about one.
pub(super) fn not_closed(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let asked = story.requests().next().is_some();
    let consumes = !asked && (!story.consumers.is_empty() || spoken::waits(story.seen));
    if !story.succeeded() || !story.ended_by_itself() || consumes {
        return None;
    }
    let (connection, mark) = story.connections.iter().find_map(|connection| {
        let mark = connection.dropped()?;
        // What was never open has nothing to close.
        let open = connection.opened.is_some() && connection.closing.is_none();
        (open && !connection.bent).then_some((connection, mark))
    })?;
    let published = story
        .publishes
        .iter()
        .filter(|it| it.lane.connection == connection.number)
        .count();
    Some(
        Finding::new(FindingId::ConnectionNotClosed, story)
            .proved_by([mark.event])
            .with("count", published),
    )
}

/// The connection broke, and the program exited as if all were well.
pub(super) fn lost_and_ignored(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !story.succeeded() || !story.ended_by_itself() {
        return None;
    }
    let last = story.connections.last()?;
    let (ending, mark) = last.ended?;
    let lost = matches!(
        ending,
        Ending::Fault | Ending::DroppedByBroker | Ending::ClosedByBroker
    ) && last.closing.is_none();
    lost.then(|| Finding::new(FindingId::LostConnectionIgnored, story).proved_by([mark.event]))
}

/// Goes on after Ctrl-C.
pub(super) fn interrupt_ignored(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let interrupted = story.seen.interrupted?;
    let patience = story.seen.looked.saturating_sub(interrupted) >= INTERRUPT;
    let lives = matches!(story.seen.ended, None | Some(Ended::Signal(9)));
    let closing = story.connections.last().and_then(|it| it.closing);
    (patience && lives).then(|| {
        Finding::new(FindingId::InterruptIgnored, story)
            .proved_by(closing.map(|mark| mark.event))
            .with("closing", if closing.is_some() { "yes" } else { "no" })
    })
}

/// Silent for so long that the broker took it for dead (AMQP 0-9-1 §4.2.7).
pub(super) fn heartbeat_missed(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (connection, last, end, silent) = story.connections.iter().find_map(|connection| {
        // A program that is stuck notices nothing, so its side may stay open.
        let ((Some((Side::Broker, end)), _) | (None, Some((Ending::DroppedByBroker, end)))) =
            (connection.gone, connection.ended)
        else {
            return None;
        };
        let last = connection.last_word?;
        let silent = end.at.saturating_sub(last.at);
        // The broker gives up after two intervals; clocks and scheduling take a little.
        let allowed = Duration::from_secs(connection.heartbeat.into()).mul_f64(1.5);
        (!connection.bent && connection.heartbeat > 0 && silent >= allowed)
            .then_some((connection, last, end, silent))
    })?;
    Some(
        Finding::new(FindingId::HeartbeatMissed, story)
            .proved_by([last.event, end.event])
            .with("interval", connection.heartbeat)
            .with("silent", silent.as_secs()),
    )
}

/// Many connections in a short time.
pub(super) fn churn(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let opened: Vec<Mark> = story.connections.iter().map(|it| it.connected).collect();
    let burst = opened
        .windows(CHURN)
        .find(|window| window[CHURN - 1].at.saturating_sub(window[0].at) <= CHURN_TIME)?;
    let lasted = burst[CHURN - 1].at.saturating_sub(burst[0].at);
    Some(
        Finding::new(FindingId::ConnectionChurn, story)
            .proved_by(burst.iter().map(|mark| mark.event))
            .with("count", opened.len())
            .with("burst", CHURN)
            .with("time", lasted.as_millis()),
    )
}

/// The broker takes no more messages for now, and the program publishes on, or waits without an end.
pub(super) fn blocked(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    story.connections.iter().find_map(|connection| {
        connection.blocked.iter().find_map(|(from, reason, to)| {
            let during: Vec<u64> = story
                .publishes
                .iter()
                .filter(|it| it.lane.connection == connection.number)
                .map(|it| it.asked.event)
                .filter(|event| *event > from.event && to.is_none_or(|to| *event < to.event))
                .collect();
            // One may have been on its way.
            (to.is_none() || during.len() > 1).then(|| {
                Finding::new(FindingId::ConnectionBlocked, story)
                    .proved_by([from.event])
                    .proved_by(during.iter().copied().take(4))
                    .with("reason", reason)
                    .with("count", during.len())
            })
        })
    })
}

/// Sent what is no AMQP 0-9-1.
pub(super) fn unreadable(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (mark, flaw) = story.flaws.first()?;
    let (sent, looks_like) = match flaw {
        Flaw::FrameSize { .. } => return None,
        Flaw::Greeting { start, looks_like } => (start.clone(), *looks_like),
        other => (other.to_string(), Protocol::Unknown),
    };
    Some(
        Finding::new(FindingId::Unreadable, story)
            .proved_by([mark.event])
            .with("flaw", sent)
            .with("protocol", looks_like.as_str()),
    )
}

/// Sent a frame that is larger than what was agreed.
pub(super) fn frame_too_large(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (mark, flaw) = story.flaws.first()?;
    let Flaw::FrameSize {
        kind,
        claimed,
        allowed,
    } = flaw
    else {
        return None;
    };
    Some(
        Finding::new(FindingId::FrameTooLarge, story)
            .proved_by([mark.event])
            .with("kind", kind)
            .with("claimed", claimed)
            .with("allowed", allowed),
    )
}

/// Answered `connection.tune` with what no broker accepts, or this one does not: it closes the socket without a word,
/// 3 s later. Whether the program waits so long is its own affair.
pub(super) fn negotiation_refused(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (connection, (asked, proposed), (answered, chosen)) =
        story.connections.iter().find_map(|it| {
            let mut refusals = story.refusals.iter();
            let told = refusals.any(|refusal| refusal.lane.connection == it.number);
            let closed = it.opened.is_none() && it.ended.is_some();
            Some((it, it.proposed?, it.chosen?)).filter(|_| closed && !it.bent && !told)
        })?;
    let least = match connection.version {
        Some(version) if version >= (4, 1) => 8192,
        _ => 4096,
    };
    // 0 stands for no limit, which is more than any other number.
    let above = |chosen: u32, proposed: u32| proposed != 0 && (chosen == 0 || chosen > proposed);
    let frame_max = above(chosen.frame_max, proposed.frame_max);
    let (what, proposed, chosen) = if frame_max || chosen.frame_max < least {
        ("frame_max", proposed.frame_max, chosen.frame_max)
    } else if above(chosen.channel_max.into(), proposed.channel_max.into()) {
        (
            "channel_max",
            proposed.channel_max.into(),
            chosen.channel_max.into(),
        )
    } else {
        return None;
    };
    Some(
        Finding::new(FindingId::NegotiationRefused, story)
            .proved_by([asked.event, answered.event])
            .proved_by(connection.ended.map(|(_, mark)| mark.event))
            .with("what", what)
            .with("proposed", proposed)
            .with("chosen", chosen),
    )
}

/// None of its connections was ever open, and nothing else is told about the last one.
pub(super) fn not_opened(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let own =
        !matches!(story.seen.ended, Some(Ended::Signal(9))) && story.seen.interrupted.is_none();
    let told = !story.flaws.is_empty()
        || !story.limits.is_empty()
        || !story.refusals.is_empty()
        || negotiation_refused(world, story).is_some();
    if !own || told || story.is_bent() || story.connections.iter().any(|it| it.opened.is_some()) {
        return None;
    }
    let last = story.connections.last()?;
    let (ending, mark) = last.ended?;
    let by = match ending {
        Ending::DroppedByClient | Ending::Closed => "program",
        Ending::DroppedByBroker => "broker",
        _ => return None,
    };
    Some(
        Finding::new(FindingId::ConnectionNotOpened, story)
            .proved_by(last.last_word.map(|word| word.event))
            .proved_by([mark.event])
            .with("by", by)
            .with("after", last.last_method.unwrap_or("none")),
    )
}

/// Passed a limit of the lab.
pub(super) fn limit_passed(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let (mark, limit, allowed) = story.limits.first()?;
    Some(
        Finding::new(FindingId::LimitPassed, story)
            .proved_by([mark.event])
            .with("limit", limit)
            .with("allowed", allowed),
    )
}

/// How it ended, for a text in any language.
fn word(ended: Ended) -> String {
    match ended {
        Ended::Code(code) => code.to_string(),
        Ended::Signal(signal) => format!("signal {signal}"),
        Ended::OverLimit(_) | Ended::Refused(_) | Ended::NoSandbox => "none".to_owned(),
    }
}
