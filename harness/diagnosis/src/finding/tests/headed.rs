use amq_protocol::types::FieldTable;
use workbook_course::Ask;

use super::super::{
    FindingId as Id, Given,
    testing::{Script, found, ids, ids_given},
};
use crate::model::headers::{self, Binding, Headers, Match, Value};

fn header_logs() -> Given {
    Given {
        exchanges: ["header_logs".to_owned()].into(),
        asks: [Ask::OwnQueues, Ask::HeadersFromArguments].into(),
        ..Given::default()
    }
}

fn table(pairs: &[&str]) -> FieldTable {
    headers::table(&headers::of(pairs))
}

#[test]
fn a_message_has_the_headers_of_the_arguments() {
    let emit = |headers: FieldTable| {
        Script::connected("emit_log_headers format=pdf pages=3 -- report x=1")
            .publishes_headers("header_logs", headers)
    };
    let right = emit(table(&["pages=3", "format=pdf"]));
    assert_eq!(ids_given(&[&right], &header_logs()), []);
    let text = Headers::from([
        ("format".to_owned(), Value::Text("pdf".to_owned())),
        ("pages".to_owned(), Value::Text("3".to_owned())),
    ]);
    for wrong in [
        headers::table(&text),
        table(&["headers=format=pdf,pages=3"]),
        table(&["x-format=pdf", "x-pages=3"]),
        FieldTable::default(),
    ] {
        let found = found(&[&emit(wrong.clone())], &header_logs());
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            (found[0].id, &*found[0].arguments["wanted"]),
            (Id::OtherHeaders, "format=\"pdf\", pages=3")
        );
        assert_eq!(ids(&[&emit(wrong)]), []);
    }
}

#[test]
fn a_binding_asks_for_the_arguments() {
    let receive = |arguments: FieldTable| {
        Script::connected("receive_logs_headers any format=pdf pages=3")
            .declares_exchange("header_logs")
            .declares_exclusive("amq.gen-1")
            .binds_headers("amq.gen-1", "header_logs", arguments)
            .consumes("amq.gen-1", true)
    };
    let binding = |how| Binding::new(how, headers::of(&["format=pdf", "pages=3"])).arguments();
    let ids = |arguments| ids_given(&[&receive(arguments)], &header_logs());
    assert_eq!(ids(binding(Match::Any)), []);
    assert_eq!(ids(binding(Match::All)), [Id::OtherXMatch]);
    assert_eq!(
        ids(headers::counting(&binding(Match::Any))),
        [Id::OtherXMatch]
    );
    let one = Binding::new(Match::Any, headers::of(&["format=pdf"]));
    assert_eq!(ids(one.arguments()), [Id::OtherHeaders]);
}
