#![expect(clippy::format_push_string, reason = "a test is no hot path")]

use proptest::prelude::*;

use super::*;

fn all(output: &str, bodies: &[&str]) -> Carried {
    let bodies: Vec<String> = bodies.iter().map(ToString::to_string).collect();
    carried(output, &bodies, false)
}

#[test]
fn decorations_do_not_matter() {
    for line in [
        "Received 'x y'",
        " [x] Received \"x y\"",
        "Received b'x y'",
        "x y",
        "Received message: x y\r",
        " [x] x y",
        "收到消息：x y",
        "Got `x y`",
        "Received '\"x y\"'",
        "received: \"x y\"",
        " [x] Received <<\"x y\">>",
        "Received <<\"x y\"/utf8>>",
        " [*] x y",
    ] {
        assert_eq!(all(&format!("{line}\n"), &["x y"]), Carried::All, "{line}");
    }
}

#[test]
fn the_rest_must_equal_the_body_exactly() {
    for line in [
        "Received 'x y '",
        "Received 'x Y'",
        "Received [120, 32, 121]",
        "Received 'x y' and 'x z'",
        "[x] Received x y z",
    ] {
        let wrong = Carried::Wrong {
            index: 0,
            line: line.into(),
            cut: false,
        };
        assert_eq!(all(&format!("{line}\n"), &["x y"]), wrong);
    }
}

#[test]
fn chatter_is_passed_over_but_a_message_too_many_is_not() {
    let waiting = " [*] Waiting for messages. To exit press CTRL+C\n\nconnected\n";
    assert_eq!(all(&format!("{waiting}a\nb\n"), &["a", "b"]), Carried::All);
    assert_eq!(
        all("a\na\nb\n", &["a", "b"]),
        Carried::Wrong {
            index: 1,
            line: "a".into(),
            cut: false,
        }
    );
    assert_eq!(
        all("Received a\nReceived b\nReceived c\n", &["a", "b"]),
        Carried::Wrong {
            index: 2,
            line: "Received c".into(),
            cut: false,
        }
    );
}

#[test]
fn an_output_that_stops_in_the_middle_may_go_on() {
    assert_eq!(all("Received 'one\ntw", &["one\ntwo"]), Carried::SoFar(0));
    assert_eq!(all("Received 'one\ntwo'", &["one\ntwo"]), Carried::SoFar(0));
    assert_eq!(all("Received 'one\ntwo'\n", &["one\ntwo"]), Carried::All);
    assert_eq!(all("Recei", &["one"]), Carried::SoFar(0));
    assert_eq!(carried("Received one", &["one".into()], true), Carried::All);
}

#[test]
fn one_style_serves_the_whole_output() {
    let bodies = ["a\nb", "c\nd"];
    assert_eq!(
        all("Received \"a\\nb\"\nReceived \"c\\nd\"\n", &bodies),
        Carried::All
    );
    assert_eq!(all("Received a\nb\nReceived c\nd\n", &bodies), Carried::All);
    assert!(matches!(
        all("Received \"a\\nb\"\nReceived 'c\nd'\n", &bodies),
        Carried::Wrong { index: 1, .. }
    ));
}

#[test]
fn literals_of_python_and_json_are_understood() {
    assert_eq!(all("b'\\xc3\\xa9\\n'\n", &["é\n"]), Carried::All);
    assert_eq!(
        all("Received '\\x85\\u2028'\n", &["\u{85}\u{2028}"]),
        Carried::All
    );
    assert_eq!(all("Received \"\\ud83d\\ude00\"\n", &["😀"]), Carried::All);
    assert_eq!(all("Received b\"it's\"\n", &["it's"]), Carried::All);
}

#[test]
fn a_key_may_stand_before_the_body() {
    let carried = |output: &str, key: &str, body: &str| {
        messages_carried(output, &[Message::keyed(key, body)], false)
    };
    for line in [
        "Received 'info:x y'",
        " [x] info:x y",
        " [x] info:b'x y'",
        " [x] info: 'x y'",
        " [x] Received 'info':'x y'",
        " [x] \"info\":\"x y\"",
        " [x] info:\"x y\"",
        "Received \"info:x y\"",
        " [x] Received [info] x y",
        " [x] Sent '[info] x y'",
        " [x] Send info: x y",
        " [x] <<\"info\">>:<<\"x y\">>",
        "Received 'x y'",
        " [x] x y",
    ] {
        assert_eq!(
            carried(&format!("{line}\n"), "info", "x y"),
            Carried::All,
            "{line}"
        );
    }
    for line in [
        "Received 'error:x y'",
        " [x] inf:x y",
        " [x] info x y",
        "Received 'info:x y z'",
    ] {
        let wrong = Carried::Wrong {
            index: 0,
            line: line.into(),
            cut: false,
        };
        assert_eq!(carried(&format!("{line}\n"), "info", "x y"), wrong);
    }
    assert_eq!(carried("Received ':x y'\n", "", "x y"), Carried::All);
    assert_eq!(
        carried(" [x] info:one\ntw", "info", "one\ntwo"),
        Carried::SoFar(0)
    );
    assert_eq!(
        carried(" [x] info:one\ntwo\n", "info", "one\ntwo"),
        Carried::All
    );
    assert_eq!(carried(" [x] info:\n", "info", ""), Carried::All);
}

#[test]
fn blank_lines_may_be_decoration() {
    let received = "Received 'a'\n\nReceived ''\n\nReceived 'b'\n\n";
    assert_eq!(all(received, &["a", "", "b"]), Carried::All);
    let apart = "\nReceived ''\n\nReceived 'b'\n";
    assert_eq!(all(apart, &["", "b"]), Carried::All);
    assert_eq!(all("Received ''\n\n", &["", ""]), Carried::SoFar(1));
    // A program that prints bodies alone has nothing else for an empty one.
    assert_eq!(all("\n\nb\n", &["", "", "b"]), Carried::All);
    assert!(matches!(
        all("a\nb\n", &["a", "", "b"]),
        Carried::Wrong { index: 1, .. }
    ));
    assert!(matches!(
        all("\nReceived 'b'\n", &["a", "b"]),
        Carried::Wrong { index: 0, .. }
    ));
}

#[test]
fn a_missing_line_break_is_told() {
    for output in [
        "Received ''\nReceived 'end'\n",
        "\nend\n",
        "Received \"\"\n",
    ] {
        let carried = all(output, &["\n", "end"]);
        let told = matches!(
            carried,
            Carried::Wrong {
                index: 0,
                cut: true,
                ..
            }
        );
        assert!(told, "{output:?}: {carried:?}");
    }
    let carried = all("Received 'two'\n", &["two\r\n"]);
    assert!(matches!(carried, Carried::Wrong { cut: true, .. }));
    let carried = all("Received 'twi'\n", &["two\n"]);
    assert!(matches!(carried, Carried::Wrong { cut: false, .. }));
    assert_eq!(all("Received '\n'\nend\n", &["\n", "end"]), Carried::All);
}

#[test]
fn a_program_may_end_each_line_with_a_blank() {
    let bodies = ["a", " b ", ""];
    assert_eq!(all(" [x] a \n [x]  b  \n [x]  \n", &bodies), Carried::All);
    assert_eq!(
        all("Received 'a' \nReceived ' b ' \nReceived '' \n", &bodies),
        Carried::All
    );
    assert!(matches!(
        all(" [x] a \n [x]  b \n", &bodies),
        Carried::Wrong { index: 1, .. }
    ));
    assert!(matches!(
        all("a \nb\n", &["a", "b"]),
        Carried::Wrong { index: 1, .. }
    ));
}

#[test]
fn literals_of_erlang_and_ruby_are_understood() {
    let line = "<<\"a\\n\\x{1F600}\\e\"/utf8>>\n";
    assert_eq!(all(line, &["a\n😀\u{1b}"]), Carried::All);
    assert_eq!(all("Received \"\\#{x}\"\n", &["#{x}"]), Carried::All);
}

fn bodies() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any::<String>(), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_body_is_found_however_it_is_written(bodies in bodies(), style in 0..4) {
        let mut output = String::from(" [*] Waiting for messages. To exit press CTRL+C\n");
        for body in &bodies {
            output += &match style {
                0 => format!("Received '{body}'\n"),
                1 => format!(" [x] Received {body:?}\n"),
                2 => format!("{}\n", serde_json::to_string(body).unwrap()),
                _ => format!("Received b\"{}\"\n", body.as_bytes().escape_ascii()),
            };
        }
        prop_assert_eq!(carried(&output, &bodies, false), Carried::All);
    }

    #[test]
    fn a_missing_body_is_never_overlooked(bodies in bodies(), missing in any::<prop::sample::Index>()) {
        prop_assume!(!bodies.is_empty());
        let missing = missing.index(bodies.len());
        let mut output = String::new();
        for (index, body) in bodies.iter().enumerate() {
            if index != missing {
                output += &format!("Received {body:?}\n");
            }
        }
        prop_assert_ne!(carried(&output, &bodies, true), Carried::All);
    }
}
