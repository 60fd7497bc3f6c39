//! Rules about publisher confirms: asked for, awaited, believed, and what is published again without one.

use std::{collections::BTreeMap, time::Duration};

use amqp_tap::story::Publish;
use workbook_course::Ask;

use super::{Finding, FindingId, account::Account, world::World};
use crate::printed;

/// How many frames of the same kind are enough as a proof.
const ENOUGH: usize = 8;
/// Who has a confirm so long and says nothing of it has not understood it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Published outside of confirm mode, where the chapter asks for confirms.
pub(super) fn mode_missing(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    if !world.given.asks.contains(&Ask::Confirms) {
        return None;
    }
    let blind: Vec<&Publish> = story.publishes.iter().filter(|it| !it.confirms).collect();
    let first = *blind.first()?;
    let later = story.publishes.iter().any(|it| it.confirms);
    Some(
        Finding::new(FindingId::ConfirmModeMissing, story)
            .proved_by(blind.iter().take(ENOUGH).map(|it| it.asked.event))
            .with("count", blind.len())
            .with("queue", &first.key)
            .with("later", if later { "yes" } else { "no" }),
    )
}

/// Said `confirmed` of a message that came back or was refused.
pub(super) fn reported_as_confirmed(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let confirmed = claimed(story);
    let failed = |it: &Publish| it.nacked || it.returned.is_some();
    // Where one of several with the same body was confirmed, the line may mean that one.
    let publish = story.publishes.iter().find(|publish| {
        let same = || story.publishes.iter().filter(|it| it.body == publish.body);
        let body = String::from_utf8_lossy(&publish.body);
        failed(publish) && same().all(failed) && confirmed.iter().any(|it| *it == body)
    })?;
    let proof = match publish.nacked {
        true => publish.confirmed,
        false => publish.returned,
    };
    Some(
        Finding::new(FindingId::ReportedAsConfirmed, story)
            .proved_by([publish.asked.event])
            .proved_by(proof.map(|mark| mark.event))
            .with(
                "how",
                if publish.nacked {
                    "refused"
                } else {
                    "returned"
                },
            )
            .with("body", String::from_utf8_lossy(&publish.body)),
    )
}

/// Has a confirm for many, says something of the last of them, and nothing of the others.
pub(super) fn multiple_ignored(_: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let confirmed = claimed(story);
    let told = |publish: &Publish| {
        let body = String::from_utf8_lossy(&publish.body);
        confirmed.iter().any(|it| *it == body)
    };
    // The confirms for many, each with the messages of which nothing is said, and the last one.
    let mut confirms: BTreeMap<u64, Vec<&Publish>> = BTreeMap::new();
    for publish in &story.publishes {
        if let Some(mark) = publish.confirmed
            && publish.confirmed_with.is_some()
            && mark.at + PATIENCE <= story.seen.looked
        {
            confirms.entry(mark.event).or_default().push(publish);
        }
    }
    let (event, others) = confirms
        .into_iter()
        .find(|(_, others)| !others.iter().any(|it| told(it)))?;
    let last = story
        .publishes
        .iter()
        .rfind(|it| it.confirmed.is_some_and(|mark| mark.event == event))?;
    let named = last.confirmed_with.is_none() && told(last);
    named.then(|| {
        Finding::new(FindingId::MultipleIgnored, story)
            .proved_by(others.iter().take(ENOUGH).map(|it| it.asked.event))
            .proved_by([event])
            .with("count", others.len() + 1)
            .with("body", String::from_utf8_lossy(&last.body))
    })
}

/// Published again after a lost connection, so that nobody can tell it from another message.
pub(super) fn unmarked(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    // While it runs, the rest may be still to come.
    if !world.given.asks.contains(&Ask::Confirms) || story.seen.ended.is_none() {
        return None;
    }
    let complete = || story.publishes.iter().filter(|it| it.complete);
    let (before, again, what) = complete().find_map(|again| {
        let mut earlier = complete()
            .filter(|it| it.lane.connection < again.lane.connection && it.body == again.body);
        if let Some(before) = earlier.clone().find(|it| it.message_id == again.message_id) {
            let marked = again.headers.inner().contains_key("republished");
            return (!marked).then_some((before, again, "header"));
        }
        // Lines may be the same; a message that is marked is certainly no new one.
        let known = |id: &Option<String>| {
            let mut others = story.publishes.iter();
            others.any(|it| it.lane.connection == again.lane.connection && it.message_id == *id)
        };
        let lost = earlier.find(|it| it.confirmed.is_none() && !known(&it.message_id))?;
        Some((lost, again, "id"))
    })?;
    Some(
        Finding::new(FindingId::RepublishedUnmarked, story)
            .proved_by([before.asked.event, again.asked.event])
            .with("what", what)
            .with("body", String::from_utf8_lossy(&again.body)),
    )
}

/// The bodies of which it says `confirmed`, however it decorates them.
fn claimed(story: &Account<'_>) -> Vec<String> {
    let lines = story.seen.printed.iter().map(|printed| &printed.line[..]);
    let output: String = lines.flat_map(|line| [line, "\n"]).collect();
    let forms = printed::find_words(&output, &["confirmed"], true);
    let bodies = forms.into_iter().flatten().map(|(_, body)| body);
    bodies.collect()
}
