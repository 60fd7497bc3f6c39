//! Rules about headers and what is bound to a headers exchange, for chapters whose programs take both from their
//! arguments.

use amq_protocol::types::FieldTable;
use workbook_course::Ask;

use super::{Finding, FindingId, account::Account, world::World};
use crate::model::headers;

/// Publishes with other headers than its arguments, or binds with others.
pub(super) fn other_headers(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let arguments = world.arguments(Ask::HeadersFromArguments, story)?;
    let differs = |table: &FieldTable, pairs: &[String]| {
        let wanted = headers::shown(&headers::of(pairs));
        let found = headers::shown_table(table);
        (found != wanted).then_some((found, wanted))
    };
    let finding = |what, event, (found, wanted): (String, String)| {
        let named = |shown: String| {
            if shown.is_empty() {
                "none".to_owned()
            } else {
                shown
            }
        };
        Finding::new(FindingId::OtherHeaders, story)
            .proved_by([event])
            .with("what", what)
            .with("found", named(found))
            .with("wanted", named(wanted))
    };
    if let Some(pairs) = bound_pairs(arguments) {
        return binds(world, story).find_map(|(event, table)| {
            let differ = differs(&headers::counting(table), pairs)?;
            Some(finding("bind", event, differ))
        });
    }
    let pairs = arguments.split(|argument| argument == "--").next()?;
    let mut publishes = story.publishes.iter();
    publishes.find_map(|publish| {
        let given = world.given.exchanges.contains(&publish.exchange);
        let differ = differs(&publish.headers, pairs).filter(|_| given && publish.complete)?;
        Some(finding("publish", publish.asked.event, differ))
    })
}

/// Binds with another `x-match` than its first argument.
pub(super) fn other_x_match(world: &World<'_>, story: &Account<'_>) -> Option<Finding> {
    let arguments = world.arguments(Ask::HeadersFromArguments, story)?;
    bound_pairs(arguments)?;
    let wanted = arguments.first()?;
    let (event, table) =
        binds(world, story).find(|(_, table)| headers::x_match(table) != *wanted)?;
    let missing = !table.contains_key("x-match");
    Some(
        Finding::new(FindingId::OtherXMatch, story)
            .proved_by([event])
            .with("missing", if missing { "yes" } else { "no" })
            .with("found", headers::x_match(table))
            .with("wanted", wanted),
    )
}

/// The pairs that a consumer was started with: after `all` or `any`.
fn bound_pairs(arguments: &[String]) -> Option<&[String]> {
    let (how, pairs) = arguments.split_first()?;
    ["all", "any"].contains(&how.as_str()).then_some(pairs)
}

/// Its bindings to the exchange that the text gives, each with the event that asks for it.
fn binds<'s>(
    world: &World<'_>,
    story: &'s Account<'_>,
) -> impl Iterator<Item = (u64, &'s FieldTable)> {
    let given = &world.given.exchanges;
    let bound = story.binds.iter();
    bound
        .filter(|bind| given.contains(&bind.exchange))
        .map(|bind| (bind.asked.event, &bind.arguments))
}
