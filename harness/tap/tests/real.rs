//! Through the tap to a real broker, with a real client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod support;

use amqp_tap::{Ending, Fate, Login, Tap, TapOptions, broker, client, message};
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::FieldTable,
};
use support::{DEADLINE, real_broker, soon};

fn login() -> Login {
    Login {
        user: "guest".to_owned(),
        password: "guest".to_owned(),
        vhost: "/".to_owned(),
    }
}

#[tokio::test]
async fn login_and_vhost_are_the_taps_whatever_the_program_says() {
    let Some(address) = real_broker("login_and_vhost_are_the_taps_whatever_the_program_says")
    else {
        return;
    };
    for mechanism in ["plain", "amqplain", "external", "anonymous"] {
        let tap = Tap::open(TapOptions {
            login: Some(login()),
            ..TapOptions::to(address)
        })
        .await
        .unwrap();
        let url = format!(
            "amqp://nobody:s3cr3t-pass@{}/nowhere?auth_mechanism={mechanism}",
            tap.endpoint()
        );
        let connection = soon(Connection::connect(&url, ConnectionProperties::default()))
            .await
            .unwrap();
        soon(connection.close(200, "bye".into())).await.unwrap();
        tap.tape()
            .wait_for_frame(DEADLINE, &amqp_tap::ended())
            .await
            .unwrap();
        let tape = tap.close().await;
        assert_eq!(tape.ending(1), Some(Ending::Closed));
        let start_ok = &tape.all(&client("connection.start-ok"))[0];
        assert_eq!(start_ok.fate, Fate::Rewritten);
        let open = &tape.all(&client("connection.open").with("virtual-host", "nowhere"))[0];
        assert_eq!(open.fate, Fate::Rewritten);
        let mut written = Vec::new();
        tape.write_jsonl(&mut written).unwrap();
        let text = String::from_utf8(written).unwrap();
        assert!(!text.contains("s3cr3t-pass"), "{text}");
        assert!(!text.contains(&hex("s3cr3t-pass")), "{text}");
    }
}

fn hex(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "{byte:02x}").unwrap();
        all
    })
}

#[tokio::test]
async fn a_message_is_one_event_both_ways() {
    let Some(address) = real_broker("a_message_is_one_event_both_ways") else {
        return;
    };
    let tap = Tap::open(TapOptions::to(address)).await.unwrap();
    let url = format!("amqp://{}/%2f", tap.endpoint());
    let connection = soon(Connection::connect(&url, ConnectionProperties::default()))
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = "amqp-tap.one-event";
    channel
        .queue_declare(
            queue.into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    // Larger than a frame, so that it travels in several.
    let body: Vec<u8> = (0..300_000_u32)
        .map(|number| number.to_be_bytes()[3])
        .collect();
    channel
        .basic_publish(
            "".into(),
            queue.into(),
            BasicPublishOptions::default(),
            &body,
            BasicProperties::default().with_correlation_id("seven".into()),
        )
        .await
        .unwrap()
        .await
        .unwrap();
    let mut consumer = channel
        .basic_consume(
            queue.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    let delivery = soon(consumer.next()).await.unwrap().unwrap();
    assert_eq!(delivery.data, body);
    delivery.ack(BasicAckOptions::default()).await.unwrap();
    let tape = tap.tape();
    tape.wait_for_frame(DEADLINE, &client("basic.ack"))
        .await
        .unwrap();
    tape.wait_for_frame(DEADLINE, &broker("queue.declare-ok").with("queue", queue))
        .await
        .unwrap();
    for name in ["basic.publish", "basic.deliver"] {
        let event = tape.wait_for_frame(DEADLINE, &message(name)).await.unwrap();
        let message = event.message().unwrap();
        assert_eq!(message.routing_key(), queue);
        assert_eq!(message.content.length, 300_000);
        assert_eq!(message.body(), &body[..64 * 1024]);
        assert_eq!(
            message
                .properties()
                .correlation_id()
                .as_ref()
                .unwrap()
                .as_str(),
            "seven"
        );
        assert!(message.content.sha256.is_some());
    }
    channel
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    soon(connection.close(200, "bye".into())).await.unwrap();
    soon(tap.close()).await;
}
