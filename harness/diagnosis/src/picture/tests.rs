use amqp_tap::{Ending, Side};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::finding::{
    Given,
    testing::{Script, found},
};

fn send() -> Script {
    Script::connected("send")
        .publishes("", "hello", b"Hello World!")
        .prints("Sent 'Hello World!'")
        .closes()
        .exits(0)
}

fn receive() -> Script {
    let receive = Script::connected("receive")
        .passes(100)
        .declares("hello")
        .consumes("hello", false);
    (1..=40)
        .fold(receive, |stage, tag| {
            let stage = stage.delivered(tag, format!("message {tag}").as_bytes());
            if tag % 2 == 0 {
                stage.acks_up_to(tag)
            } else {
                stage
            }
        })
        .event(Side::Client, amqp_tap::What::Heartbeat { channel: 0 })
        .event(Side::Broker, amqp_tap::What::Heartbeat { channel: 0 })
        .delivered(41, "<b>\u{202e}消息 & \u{1b}[31m</b>".as_bytes())
        .vanishing()
        .acks(41)
        .fault("cuts the connection")
        .ends(Side::Broker, Ending::Fault)
        .exits(1)
}

fn both(draw: impl Fn(&[Seen<'_>], &[Finding]) -> String) -> String {
    let (send, receive) = (send(), receive());
    let findings = found(&[&send, &receive], &Given::default());
    draw(&[send.seen(), receive.seen()], &findings)
}

#[test]
fn a_tape_as_text() {
    insta::assert_snapshot!(both(|all, findings| text(all, findings, &Look::default())));
}

#[test]
fn a_tape_as_text_in_chinese_with_times() {
    let look = Look {
        width: 100,
        times: true,
        language: Language::Chinese,
    };
    insta::assert_snapshot!(both(|all, findings| text(all, findings, &look)));
}

/// What proves each finding, and no more of the tape.
#[test]
fn what_proves_a_finding_is_shown_alone() {
    insta::assert_snapshot!(both(|all, findings| {
        let excerpts = findings.iter().zip(1..).map(|(finding, number)| {
            let frames = excerpt(all, findings, number, &Look::default());
            format!("{}\n{frames}\n", finding.id)
        });
        excerpts.collect()
    }));
}

#[test]
fn a_tape_as_svg() {
    insta::assert_snapshot!(both(|all, findings| svg(all, findings, &Look::default())));
}

#[test]
fn no_line_is_wider_than_it_may_be() {
    for width in [0, 40, 41, 60, 79, 200] {
        for (times, language) in [(false, Language::English), (true, Language::Chinese)] {
            let look = Look {
                width,
                times,
                language,
            };
            let picture = both(|all, findings| text(all, findings, &look));
            for line in picture.lines() {
                assert!(
                    line.width() <= width.max(Look::NARROWEST),
                    "{width}: {line}"
                );
            }
        }
    }
}

#[test]
fn nothing_in_a_picture_is_harmful() {
    let picture = both(|all, findings| text(all, findings, &Look::default()));
    let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!picture.contains(harmful));
    let drawing = both(|all, findings| svg(all, findings, &Look::default()));
    assert!(!drawing.contains(harmful));
    assert!(!drawing.contains("<b>"));
}

#[test]
fn a_program_that_never_connected_has_a_picture() {
    let stage = Script::new("send").exits(1);
    let picture = text(&[stage.seen()], &[], &Look::default());
    assert!(picture.contains("never connected"), "{picture}");
    assert_eq!(text(&[], &[], &Look::default()), "");
}

#[test]
fn what_proves_a_finding_is_never_folded_away() {
    let send = (0..100).fold(Script::connected("send"), |stage, _| {
        stage.publishes("", "hello", b"one")
    });
    let send = send.closes().exits(0);
    let findings = found(&[&send], &Given::default());
    let picture = text(&[send.seen()], &findings, &Look::default());
    assert_eq!(picture.matches('①').count(), findings[0].evidence.len());
    assert!(picture.contains("× basic.publish"), "{picture}");
}
