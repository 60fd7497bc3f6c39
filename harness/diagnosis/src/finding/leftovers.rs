//! A rule about what programs leave in the broker.

use amqp_tap::story::{Bind, Declare};

use super::{Finding, FindingId, account::Account, world::World};

/// Made something that the text does not give, and that stays: a check has seen that it is there.
pub(super) fn left_behind(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let left = &world.given.left;
    let made = |it: &&Declare| {
        let names = match it.is_queue {
            true => &left.queues,
            false => &left.exchanges,
        };
        !it.passive && it.answered.is_some() && names.contains(&it.name)
    };
    let bound = |it: &&Bind| {
        let binding = (it.exchange.clone(), it.destination.clone());
        left.bindings.contains(&binding)
    };
    let finding = Finding::new(FindingId::LeftBehind, story);
    if let Some(declare) = story.declares.iter().find(made) {
        let feeds = story
            .binds
            .iter()
            .find(|it| it.to_queue == declare.is_queue && it.destination == declare.name);
        return Some(
            finding
                .proved_by([declare.asked.event])
                .proved_by(feeds.map(|bind| bind.asked.event))
                .with(
                    "kind",
                    if declare.is_queue {
                        "queue"
                    } else {
                        "exchange"
                    },
                )
                .with("name", &declare.name)
                .with("source", feeds.map_or("none", |bind| &bind.exchange)),
        );
    }
    let bind = story.binds.iter().find(bound)?;
    Some(
        finding
            .proved_by([bind.asked.event])
            .with("kind", "binding")
            .with("name", &bind.destination)
            .with("source", &bind.exchange),
    )
}
