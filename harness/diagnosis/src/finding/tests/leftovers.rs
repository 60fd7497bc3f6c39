use std::collections::BTreeSet;

use super::super::{
    FindingId as Id, Given, Left,
    testing::{Script, found, ids, ids_given},
};

fn left(queues: &[&str], exchanges: &[&str], bindings: &[(&str, &str)]) -> Given {
    let names =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(ToString::to_string).collect() };
    let binding =
        |(source, destination): &(&str, &str)| (source.to_string(), destination.to_string());
    Given {
        left: Left {
            queues: names(queues),
            exchanges: names(exchanges),
            bindings: bindings.iter().map(binding).collect(),
        },
        ..Given::default()
    }
}

#[test]
fn what_stays_is_told_of_who_made_it() {
    let emit = Script::connected("emit_log")
        .declares_exchange("logs")
        .declares("backup")
        .binds("backup", "logs")
        .closes()
        .exits(0);
    let other = Script::connected("receive_logs").declares_exchange("logs");
    let given = left(&["backup"], &[], &[("logs", "backup")]);
    let all = found(&[&emit, &other], &given);
    let told: Vec<_> = all.iter().map(|it| (it.id, &*it.program)).collect();
    assert_eq!(told, [(Id::LeftBehind, "emit_log")]);
    let arguments = &all[0].arguments;
    assert_eq!(
        (
            &*arguments["kind"],
            &*arguments["name"],
            &*arguments["source"]
        ),
        ("queue", "backup", "logs")
    );
    // Who only looks at the tape does not know what is left.
    assert_eq!(ids(&[&emit]), []);
}

#[test]
fn a_binding_may_be_all_that_stays() {
    let send = Script::connected("send")
        .declares("hello")
        .binds_key("hello", "amq.direct", "hello")
        .closes()
        .exits(0);
    let given = left(&[], &[], &[("amq.direct", "hello")]);
    let all = found(&[&send], &given);
    assert_eq!(all[0].arguments["kind"], "binding");
    assert_eq!(ids_given(&[&send], &left(&["other"], &["logs"], &[])), []);
}

#[test]
fn an_exchange_may_stay() {
    let emit = Script::connected("emit_log").declares_exchange("all_logs");
    let given = left(&[], &["all_logs"], &[]);
    assert_eq!(ids_given(&[&emit], &given), [Id::LeftBehind]);
}
