//! What goes in comes out, and the tape tells it: against peers that say exactly what a test wants.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod support;

use std::time::Duration;

use amq_protocol::protocol::{AMQPClass, basic};
use amqp_tap::{
    Ending, Endpoint, Fate, Login, Tap, TapLimits, TapOptions, Tape, What, client, ended,
};
use support::{
    DEADLINE, ack, body, carry, close, close_ok, connect, declare, greeting, handshake, header,
    heartbeat, method, open, peers, publish, publish_method, read, read_all, soon, start, start_ok,
    tune_ok,
};
use tokio::io::AsyncWriteExt;

fn lab_login(options: TapOptions) -> TapOptions {
    TapOptions {
        login: Some(Login {
            user: "lab-user".to_owned(),
            password: "lab-password".to_owned(),
            vhost: "lab-vhost".to_owned(),
        }),
        ..options
    }
}

#[tokio::test]
async fn a_program_gets_the_labs_login_and_vhost() {
    for (mechanism, response) in [
        ("PLAIN", &b"\0guest\0h1dden"[..]),
        (
            "AMQPLAIN",
            b"\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x06h1dden",
        ),
        ("EXTERNAL", b"h1dden"),
        ("ANONYMOUS", b""),
        ("RABBIT-CR-DEMO", b"h1dden"),
    ] {
        let mut peers = peers(lab_login).await;
        carry(&mut peers.client, &mut peers.broker, &greeting()).await;
        carry(&mut peers.broker, &mut peers.client, &start()).await;
        let mut said = start_ok(mechanism, response);
        said.extend(open("/other"));
        let mut heard = start_ok("PLAIN", b"\0lab-user\0lab-password");
        heard.extend(open("lab-vhost"));
        soon(peers.client.write_all(&said)).await.unwrap();
        assert_eq!(read(&mut peers.broker, heard.len()).await, heard);
        let tape = soon(peers.tap.close()).await;
        let events = tape.all(&client("connection.open"));
        assert_eq!(events[0].fate, Fate::Rewritten);
        let text = format!("{tape:?} {}", jsonl(&tape));
        for secret in ["h1dden", "lab-password"] {
            assert!(!text.contains(secret), "{text}");
            let hex: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!text.contains(&hex.concat()), "{text}");
        }
    }
}

#[tokio::test]
async fn no_other_method_that_carries_a_secret_keeps_it() {
    use amqp_tap::amq_protocol::protocol::{AMQPClass, connection};
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    for class in [
        connection::AMQPMethod::SecureOk(connection::SecureOk {
            response: "h1dden".into(),
        }),
        connection::AMQPMethod::UpdateSecret(connection::UpdateSecret {
            new_secret: "h1dden".into(),
            reason: "renewal".into(),
        }),
    ] {
        let bytes = method(0, AMQPClass::Connection(class));
        carry(&mut peers.client, &mut peers.broker, &bytes).await;
    }
    let tape = soon(peers.tap.close()).await;
    assert_eq!(tape.all(&client("connection.secure-ok")).len(), 1);
    assert_eq!(tape.all(&client("connection.update-secret")).len(), 1);
    let text = format!("{tape:?} {}", jsonl(&tape));
    assert!(!text.contains("h1dden") && !text.contains("68316464656e"));
}

#[tokio::test]
async fn frames_cut_anywhere_are_whole_on_the_tape() {
    let mut peers = peers(|options| options).await;
    let mut all = handshake();
    all.extend(publish(1, "hello", b"Hello World!"));
    for byte in &all {
        soon(peers.client.write_all(&[*byte])).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&mut peers.broker, all.len()).await, all);
    let tape = peers.tap.tape();
    let sent = amqp_tap::message("basic.publish").with("routing-key", "hello");
    let event = tape.wait_for_frame(DEADLINE, &sent).await.unwrap();
    assert_eq!(event.message().unwrap().body(), b"Hello World!");
}

#[tokio::test]
async fn messages_that_interleave_over_channels_are_joined_each() {
    let mut peers = peers(|options| options).await;
    let mut all = handshake();
    for part in [
        publish_method(1, "one"),
        publish_method(2, "two"),
        header(2, 6),
        header(1, 6),
        body(1, b"aaa"),
        body(2, b"bbb"),
        heartbeat(),
        body(2, b"BBB"),
        body(1, b"AAA"),
    ] {
        all.extend(part);
    }
    carry(&mut peers.client, &mut peers.broker, &all).await;
    let tape = soon(peers.tap.close()).await;
    let messages = tape.messages(|message| message.is_publish());
    let told: Vec<_> = messages
        .iter()
        .map(|event| {
            let message = event.message().unwrap();
            (message.routing_key().to_owned(), message.body().to_vec())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("two".to_owned(), b"bbbBBB".to_vec()),
            ("one".to_owned(), b"aaaAAA".to_vec())
        ]
    );
}

#[tokio::test]
async fn a_long_body_is_told_by_its_beginning_its_length_and_its_hash() {
    let mut peers = peers(|options| TapOptions {
        limits: TapLimits {
            kept_body: 4,
            ..TapLimits::default()
        },
        ..options
    })
    .await;
    let mut all = handshake();
    all.extend(publish(1, "hello", b"abc"));
    all.extend(publish(1, "hello", b"abcdef"));
    carry(&mut peers.client, &mut peers.broker, &all).await;
    let tape = soon(peers.tap.close()).await;
    let messages = tape.messages(|_| true);
    let short = messages[0].message().unwrap().content;
    assert!(short.is_whole() && short.sha256.is_none());
    let long = messages[1].message().unwrap().content;
    assert_eq!((long.body.as_slice(), long.length), (&b"abcd"[..], 6));
    let hash: Vec<String> = long
        .sha256
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        hash.concat(),
        "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"
    );
}

#[tokio::test]
async fn the_end_of_a_connection_is_told_apart() {
    // Closed as it should be.
    let mut peers = peers(|options| options).await;
    let tape = peers.tap.tape().clone();
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    carry(&mut peers.client, &mut peers.broker, &close()).await;
    carry(&mut peers.broker, &mut peers.client, &close_ok()).await;
    drop(peers.client);
    assert_eq!(read_all(&mut peers.broker).await, b"");
    drop(peers.broker);
    tape.wait_for_nth(DEADLINE, &ended(), 1).await.unwrap();
    assert_eq!(tape.ending(1), Some(Ending::Closed));

    // Dropped by the client, without a word.
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    drop(client);
    assert_eq!(read_all(&mut broker).await, b"");
    drop(broker);
    tape.wait_for_nth(DEADLINE, &ended(), 2).await.unwrap();
    assert_eq!(tape.ending(2), Some(Ending::DroppedByClient));

    // Closed by the broker.
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    carry(&mut broker, &mut client, &close()).await;
    drop(broker);
    assert_eq!(read_all(&mut client).await, b"");
    drop(client);
    tape.wait_for_nth(DEADLINE, &ended(), 3).await.unwrap();
    assert_eq!(tape.ending(3), Some(Ending::ClosedByBroker));

    // Reset by the client, which had left something unread: it ended the connection, and the broker still answers what
    // it had sent before.
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    soon(broker.write_all(&start())).await.unwrap();
    let start = amqp_tap::broker("connection.start");
    tape.wait_for_nth(DEADLINE, &start, 1).await.unwrap();
    soon(client.write_all(&declare(1, "hello"))).await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(read_all(&mut broker).await, declare(1, "hello"));
    soon(broker.write_all(&close())).await.unwrap();
    let last = amqp_tap::broker("connection.close");
    tape.wait_for_nth(DEADLINE, &last, 2).await.unwrap();
    drop(broker);
    tape.wait_for_nth(DEADLINE, &ended(), 4).await.unwrap();
    assert_eq!(tape.ending(4), Some(Ending::ClosedByBroker));

    // Left open when the tap closes.
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    let tape = soon(peers.tap.close()).await;
    assert_eq!(tape.ending(5), Some(Ending::Cut));
    assert_eq!(read_all(&mut client).await, b"");
}

/// What a program leaves unread makes a reset of its end: it is the program's ending, however many of the broker's bytes
/// are still on their way.
#[tokio::test]
async fn whoever_ends_first_ended_it() {
    for unread in [0, 1, 2, 500] {
        let mut peers = peers(|options| options).await;
        let tape = peers.tap.tape().clone();
        carry(&mut peers.client, &mut peers.broker, &handshake()).await;
        let heartbeats = heartbeat().repeat(unread);
        soon(peers.broker.write_all(&heartbeats)).await.unwrap();
        tape.wait_until(DEADLINE, |events| {
            let arrived =
                |it: &&std::sync::Arc<amqp_tap::Event>| matches!(it.what, What::Heartbeat { .. });
            (events.iter().filter(arrived).count() == unread).then_some(())
        })
        .await
        .unwrap();
        soon(peers.client.write_all(&declare(1, "last")))
            .await
            .unwrap();
        drop(peers.client);
        assert_eq!(read_all(&mut peers.broker).await, declare(1, "last"));
        drop(peers.broker);
        tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
        assert_eq!(tape.ending(1), Some(Ending::DroppedByClient), "{unread}");
    }
    // The other way round: the broker goes, and the program's bytes are what is left unread.
    let mut peers = peers(|options| options).await;
    let tape = peers.tap.tape().clone();
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    soon(peers.client.write_all(&declare(1, "unread")))
        .await
        .unwrap();
    tape.wait_for_frame(DEADLINE, &client("queue.declare"))
        .await
        .unwrap();
    drop(peers.broker);
    assert_eq!(read_all(&mut peers.client).await, b"");
    drop(peers.client);
    tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
    assert_eq!(tape.ending(1), Some(Ending::DroppedByBroker));
}

#[tokio::test]
async fn a_half_closed_connection_still_hears_its_answer() {
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    soon(peers.client.shutdown()).await.unwrap();
    assert_eq!(read_all(&mut peers.broker).await, b"");
    carry(&mut peers.broker, &mut peers.client, &close()).await;
    let tape = soon(peers.tap.close()).await;
    assert!(
        tape.events()
            .iter()
            .any(|event| event.what == What::HalfClosed)
    );
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_told_and_resets_the_program() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = listener.local_addr().unwrap();
    drop(listener);
    let tap = Tap::open(TapOptions::to(nowhere)).await.unwrap();
    let mut client = tokio::net::TcpStream::connect(tap.endpoint().tcp().unwrap())
        .await
        .unwrap();
    assert_eq!(read_all(&mut client).await, b"");
    tap.tape().wait_for_frame(DEADLINE, &ended()).await.unwrap();
    assert_eq!(tap.tape().ending(1), Some(Ending::NoBroker));
}

#[tokio::test]
async fn unix_sockets_serve_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("tap"), folder.path().join("broker"));
    let listener = tokio::net::UnixListener::bind(&there).unwrap();
    let tap = Tap::open(TapOptions {
        listen: Endpoint::Unix(here.clone()),
        ..TapOptions::to(Endpoint::Unix(there))
    })
    .await
    .unwrap();
    let mut client = tokio::net::UnixStream::connect(&here).await.unwrap();
    let (mut broker, _) = soon(listener.accept()).await.unwrap();
    soon(client.write_all(&handshake())).await.unwrap();
    let mut heard = vec![0; handshake().len()];
    soon(tokio::io::AsyncReadExt::read_exact(&mut broker, &mut heard))
        .await
        .unwrap();
    assert_eq!(heard, handshake());
    soon(tap.close()).await;
    assert!(!here.exists());
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_the_writer() {
    let mut peers = peers(TapOptions::recorder_like).await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    let message = publish(1, "hello", &vec![7; 100_000]);
    let mut written = 0_usize;
    // The broker reads nothing: sooner or later nothing more can be written, and all that is in between is bounded.
    while let Ok(done) =
        tokio::time::timeout(Duration::from_millis(300), peers.client.write_all(&message)).await
    {
        done.unwrap();
        written += message.len();
        assert!(written < 200_000_000, "the tap swallows without end");
    }
}

#[tokio::test]
async fn waiting_counts_what_is_there_and_ends_with_the_tap() {
    let mut peers = peers(|options| options).await;
    let mut all = handshake();
    for tag in 1..=3 {
        all.extend(ack(1, tag));
    }
    carry(&mut peers.client, &mut peers.broker, &all).await;
    let tape = peers.tap.tape().clone();
    let third = tape
        .wait_for_nth(DEADLINE, &client("basic.ack"), 3)
        .await
        .unwrap();
    assert_eq!(third.method().unwrap().argument("delivery-tag").unwrap(), 3);
    // One that comes later wakes the waiter.
    let later = tape.clone();
    let waiter = tokio::spawn(async move {
        later
            .wait_for_frame(DEADLINE, &client("queue.declare").with("queue", "hello"))
            .await
    });
    carry(&mut peers.client, &mut peers.broker, &declare(1, "hello")).await;
    assert!(soon(waiter).await.unwrap().is_ok());
    // One that never comes.
    let short = Duration::from_millis(1);
    let error = tape
        .wait_for_frame(short, &client("basic.nack"))
        .await
        .unwrap_err();
    assert!(!error.closed);
    assert!(
        error
            .to_string()
            .starts_with("the client's basic.nack did not come within 1ms ("),
        "{error}"
    );
    let ended = tape.clone();
    let waiter = tokio::spawn(async move { ended.wait_for(DEADLINE, |_| false).await });
    soon(peers.tap.close()).await;
    assert!(soon(waiter).await.unwrap().unwrap_err().closed);
}

#[tokio::test]
async fn a_tape_is_the_same_after_writing_and_reading() {
    let mut peers = peers(|options| TapOptions {
        limits: TapLimits {
            kept_body: 5,
            ..TapLimits::default()
        },
        ..options
    })
    .await;
    carry(&mut peers.broker, &mut peers.client, &start()).await;
    let mut all = handshake();
    all.extend(publish(1, "hello", &[0, 159, 146, 150]));
    all.extend(publish(1, "hello", b"Hello World!"));
    all.extend(publish(1, "hello", b""));
    all.extend(tune_ok(0));
    all.extend(heartbeat());
    all.extend(publish_method(3, "cut short"));
    all.extend(header(3, 10));
    carry(&mut peers.client, &mut peers.broker, &all).await;
    let tape = soon(peers.tap.close()).await;
    let text = jsonl(&tape);
    let back = Tape::read_jsonl(text.as_bytes()).unwrap();
    assert_eq!(jsonl(&back), text);
    let micros = |event: &amqp_tap::Event| amqp_tap::Event {
        at: Duration::from_micros(u64::try_from(event.at.as_micros()).unwrap()),
        ..event.clone()
    };
    let (before, after) = (tape.events(), back.events());
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(micros(before), **after);
    }
    let began = |tape: &Tape| {
        tape.began()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_micros()
    };
    assert_eq!(began(&tape), began(&back));
}

#[tokio::test]
async fn a_recording_with_a_window_keeps_little_and_writes_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tape.jsonl");
    let mut peers = peers(|options| TapOptions {
        recording: amqp_tap::Recording {
            window: Some(10),
            file: Some(file.clone()),
        },
        ..options
    })
    .await;
    let mut all = handshake();
    for tag in 0..100 {
        all.extend(ack(1, tag));
    }
    carry(&mut peers.client, &mut peers.broker, &all).await;
    let tape = soon(peers.tap.close()).await;
    assert_eq!(tape.events().len(), 10);
    let whole =
        Tape::read_jsonl(std::io::BufReader::new(std::fs::File::open(file).unwrap())).unwrap();
    assert_eq!(whole.all(&client("basic.ack")).len(), 100);
    assert_eq!(whole.len(), tape.len());
}

/// A message with an empty body: its method, and a header with this correlation id.
fn message_with_id(method: Vec<u8>, id: &[u8]) -> Vec<u8> {
    let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x00];
    payload.push(u8::try_from(id.len()).unwrap());
    payload.extend(id);
    let mut all = method;
    all.extend([2, 0, 1, 0, 0, 0]);
    all.push(u8::try_from(payload.len()).unwrap());
    all.extend(payload);
    all.push(206);
    all
}

#[tokio::test]
async fn a_client_that_reads_utf8_only_gets_other_strings_spelled() {
    for spelled_strings in [false, true] {
        let mut peers = peers(|options| TapOptions {
            spelled_strings,
            ..options
        })
        .await;
        carry(&mut peers.client, &mut peers.broker, &handshake()).await;
        let deliver = || {
            method(
                1,
                AMQPClass::Basic(basic::AMQPMethod::Deliver(basic::Deliver::default())),
            )
        };
        let (bytes, shown) = (&b"\x8f\x12"[..], "⟨8f12⟩".as_bytes());
        let here = if spelled_strings { shown } else { bytes };
        // From the broker to the client …
        let sent = message_with_id(deliver(), bytes);
        soon(peers.broker.write_all(&sent)).await.unwrap();
        let expected = message_with_id(deliver(), here);
        assert_eq!(read(&mut peers.client, expected.len()).await, expected);
        // … and back.
        let sent = message_with_id(publish_method(1, "reply"), here);
        soon(peers.client.write_all(&sent)).await.unwrap();
        let expected = message_with_id(publish_method(1, "reply"), bytes);
        assert_eq!(read(&mut peers.broker, expected.len()).await, expected);
        // What was never spelled for it is the client's own.
        let own = message_with_id(publish_method(1, "own"), "⟨8f13⟩".as_bytes());
        carry(&mut peers.client, &mut peers.broker, &own).await;
    }
}

fn jsonl(tape: &Tape) -> String {
    let mut written = Vec::new();
    tape.write_jsonl(&mut written).unwrap();
    String::from_utf8(written).unwrap()
}

/// Options that only some tests want.
trait Like {
    fn recorder_like(self) -> Self;
}

impl Like for TapOptions {
    fn recorder_like(self) -> Self {
        Self {
            recording: amqp_tap::Recording {
                window: Some(10),
                file: None,
            },
            ..TapOptions::recorder(self.broker)
        }
    }
}
