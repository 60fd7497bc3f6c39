//! What a stranger may try: nothing that a program sends passes unread, and nothing takes more than its limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod support;

use amqp_tap::{
    Ending, Flaw, FrameKind, Protocol, TapLimits, TapOptions, Unreadable, What,
    amq_protocol::protocol::{AMQPClass, channel, exchange, queue, tx},
    ended,
};
use support::{
    DEADLINE, ack, body, carry, connect, declare, greeting, handshake, header, method, peers,
    publish, publish_method, read, read_all, soon, start, start_ok, tune,
};
use tokio::io::AsyncWriteExt;

/// A frame with that payload, well formed outside.
fn raw(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(channel.to_be_bytes());
    bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend(payload);
    bytes.push(206);
    bytes
}

/// `queue.declare` with a table of that many levels of arrays.
fn deep(levels: usize) -> Vec<u8> {
    let mut value = vec![b'V'];
    for _ in 0..levels {
        let mut outer = vec![b'A'];
        outer.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        outer.append(&mut value);
        value = outer;
    }
    let mut payload = vec![0, 50, 0, 10, 0, 0, 1, b'q', 0];
    payload.extend(u32::try_from(value.len() + 2).unwrap().to_be_bytes());
    payload.extend([1, b'k']);
    payload.extend(value);
    raw(1, 1, &payload)
}

/// Says `good`, which the broker must hear, and then `bad`, of which it must hear nothing; answers the flaw.
async fn refused(good: &[u8], bad: &[u8]) -> Flaw {
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, good).await;
    soon(peers.client.write_all(bad)).await.unwrap();
    assert_eq!(read_all(&mut peers.broker).await, b"");
    let tape = peers.tap.tape();
    tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
    assert_eq!(tape.ending(1), Some(Ending::Cut));
    tape.events()
        .iter()
        .find_map(|event| match &event.what {
            What::Unreadable(flaw) => Some(flaw.clone()),
            _ => None,
        })
        .expect("the tape says why")
}

#[tokio::test]
async fn only_the_greeting_of_0_9_1_is_let_through() {
    for (other, name) in [
        (&b"AMQP\0\x01\0\0"[..], Protocol::Amqp10),
        (b"AMQP\x03\x01\0\0", Protocol::Amqp10),
        (b"AMQP\x01\x01\x08\0", Protocol::Amqp08),
        (b"AMQP\x01\x01\x09\x01", Protocol::Amqp08),
        (b"AMQP\0\0\x09\0", Protocol::Unknown),
        (b"GET / HTTP/1.1\r\n\r\n", Protocol::Http),
        (b"\x16\x03\x01\x02\0\x01\0\x01", Protocol::Tls),
        (b"\0\0\0\x1a\0\x11\0\x01\0\0\0\x01", Protocol::Stream),
        (b"hello, broker", Protocol::Unknown),
    ] {
        let mut peers = peers(|options| options).await;
        soon(peers.client.write_all(other)).await.unwrap();
        assert_eq!(read_all(&mut peers.broker).await, b"");
        // As a broker does, it says what it speaks.
        assert_eq!(read_all(&mut peers.client).await, greeting());
        let tape = peers.tap.tape();
        tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
        let told = tape.events().iter().find_map(|event| match &event.what {
            What::Unreadable(Flaw::Greeting { looks_like, .. }) => Some(*looks_like),
            _ => None,
        });
        assert_eq!(told, Some(name), "{}", other.escape_ascii());
    }
}

/// RabbitMQ takes the greeting of 0-9 (Perl's `Net::AMQP` sends it) for that of 0-9-1, and so does the tap: with the lab's
/// login in place of the program's.
#[tokio::test]
async fn the_greeting_of_0_9_is_taken_for_the_same() {
    let mut peers = peers(|options| TapOptions {
        login: Some(amqp_tap::Login {
            user: "u".to_owned(),
            password: "p".to_owned(),
            vhost: "v".to_owned(),
        }),
        ..options
    })
    .await;
    carry(&mut peers.client, &mut peers.broker, b"AMQP\x01\x01\0\x09").await;
    let own = start_ok("PLAIN", b"\0guest\0guest");
    soon(peers.client.write_all(&own)).await.unwrap();
    let labs = start_ok("PLAIN", b"\0u\0p");
    assert_eq!(read(&mut peers.broker, labs.len()).await, labs);
}

#[tokio::test]
async fn a_login_that_the_codec_cannot_read_does_not_pass() {
    // A client property whose name is not UTF-8: the broker would accept it.
    let mut payload = vec![0, 10, 0, 11];
    payload.extend([0, 0, 0, 4, 2, 0xff, 0xfe, b'V']);
    payload.extend(b"\x05PLAIN\0\0\0\x0c\0guest\0guest\x05en_US");
    let flaw = refused(&greeting(), &raw(1, 0, &payload)).await;
    assert_eq!(
        flaw,
        Flaw::Method {
            class: 10,
            method: 11
        }
    );
}

/// A broker takes them, so the tap does: as they came, and spelled by their bytes on the tape.
#[tokio::test]
async fn short_strings_that_are_not_utf_8_pass_as_they_are() {
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    // basic.publish with such a key, and a header with such a correlation id and such a name in its headers.
    let publish = raw(1, 1, b"\0\x3c\0\x28\0\0\0\x03k\xff\xfe\0");
    let header = raw(
        2,
        1,
        b"\0\x3c\0\0\0\0\0\0\0\0\0\x02\x24\0\0\0\0\x09\x02\xc3(S\0\0\0\x01x\x02\x8f\x12",
    );
    for bytes in [&publish, &header, &body(1, b"hi")] {
        carry(&mut peers.client, &mut peers.broker, bytes).await;
    }
    let tape = soon(peers.tap.close()).await;
    let mut written = Vec::new();
    tape.write_jsonl(&mut written).unwrap();
    let again = amqp_tap::Tape::read_jsonl(written.as_slice()).unwrap();
    let said = |tape: &amqp_tap::Tape| -> Vec<What> {
        tape.events()
            .iter()
            .map(|event| event.what.clone())
            .collect()
    };
    assert_eq!(said(&again), said(&tape));
    let messages = tape.messages(|_| true);
    let message = messages[0].message().unwrap();
    assert_eq!(message.routing_key(), "⟨6bfffe⟩");
    let properties = message.readable_properties();
    assert_eq!(properties["correlation-id"], "⟨8f12⟩");
    assert_eq!(properties["headers"]["⟨c328⟩"], "x");
    assert_eq!(
        message.content.header.as_ref(),
        &header[7..header.len() - 1]
    );
}

/// What opens a connection is rewritten, so it is read as it is or not at all.
#[tokio::test]
async fn a_virtual_host_that_the_codec_cannot_read_does_not_pass() {
    let mut begun = greeting();
    begun.extend(start_ok("PLAIN", b""));
    begun.extend(support::tune_ok(8192));
    let open = raw(1, 0, b"\0\x0a\0\x28\x02/\xff\0\0");
    let flaw = refused(&begun, &open).await;
    assert!(matches!(
        flaw,
        Flaw::Method {
            class: 10,
            method: 40
        }
    ));
}

#[tokio::test]
async fn frames_that_lie_are_refused_by_their_head() {
    let mut huge = vec![3, 0, 1];
    huge.extend(u32::MAX.to_be_bytes());
    assert!(matches!(
        refused(&handshake(), &huge).await,
        Flaw::FrameSize {
            kind: FrameKind::Body,
            claimed: 4_294_967_303,
            allowed: 131_072,
        }
    ));
    assert_eq!(refused(&handshake(), &[9]).await, Flaw::FrameType(9));
    let mut no_end = ack(1, 1);
    *no_end.last_mut().unwrap() = 0;
    assert_eq!(refused(&handshake(), &no_end).await, Flaw::FrameEnd(0));
    assert!(matches!(
        refused(&handshake(), &raw(8, 0, b"x")).await,
        Flaw::Unexpected(_)
    ));
    // More than the broker proposed, whatever the program answers.
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &greeting()).await;
    carry(&mut peers.broker, &mut peers.client, &tune(8192)).await;
    let answer = support::tune_ok(1 << 20);
    carry(&mut peers.client, &mut peers.broker, &answer).await;
    let large = raw(3, 1, &[0; 8193]);
    soon(peers.client.write_all(&large)).await.unwrap();
    assert_eq!(read_all(&mut peers.broker).await, b"");
    // More than was negotiated, less than the tap allows.
    let mut small = greeting();
    small.extend(start_ok("PLAIN", b""));
    small.extend(support::tune_ok(4096));
    let mut large = publish_method(1, "q");
    large.extend(header(1, 5000));
    let mut bytes = small.clone();
    bytes.extend(&large);
    assert!(matches!(
        refused(&bytes, &body(1, &[0; 5000])).await,
        Flaw::FrameSize { allowed: 4096, .. }
    ));
}

/// RabbitMQ compares the payload with `frame_max` and not the whole frame, for frames of each kind.
#[tokio::test]
async fn a_payload_may_be_as_long_as_the_largest_frame() {
    let mut small = greeting();
    small.extend(start_ok("PLAIN", b""));
    small.extend(support::tune_ok(8192));
    let message = [publish_method(1, "q"), header(1, 20_000)].concat();
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &small).await;
    carry(&mut peers.client, &mut peers.broker, &message).await;
    let most = body(1, &[7; 8192]);
    carry(&mut peers.client, &mut peers.broker, &most).await;
    let begun = [small, message].concat();
    let flaw = refused(&begun, &body(1, &[7; 8193])).await;
    assert_eq!(
        flaw,
        Flaw::FrameSize {
            kind: FrameKind::Body,
            claimed: 8201,
            allowed: 8192
        }
    );
}

#[tokio::test]
async fn nesting_is_measured_before_it_is_decoded() {
    for levels in [32, 1000, 20_000] {
        assert_eq!(
            refused(&handshake(), &deep(levels)).await,
            Flaw::TooDeep(32)
        );
    }
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    carry(&mut peers.client, &mut peers.broker, &deep(31)).await;
}

#[test]
fn the_deepest_nesting_allowed_fits_a_small_stack() {
    // Half of what tokio gives a worker thread, without optimisation where this is a debug build.
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut peers = peers(|options| TapOptions {
                    limits: TapLimits::none(),
                    ..options
                })
                .await;
                carry(&mut peers.client, &mut peers.broker, &handshake()).await;
                let most = usize::try_from(TapLimits::DEEPEST).unwrap() - 1;
                carry(&mut peers.client, &mut peers.broker, &deep(most)).await;
            });
        })
        .unwrap()
        .join()
        .unwrap();
}

#[tokio::test]
async fn unknown_methods_and_misplaced_frames_are_refused() {
    assert_eq!(
        refused(&handshake(), &raw(1, 1, &[0, 99, 0, 1])).await,
        Flaw::Method {
            class: 99,
            method: 1
        }
    );
    let mut longer = vec![0, 60, 0, 80];
    longer.extend([0; 20]);
    assert!(matches!(
        refused(&handshake(), &raw(1, 1, &longer)).await,
        Flaw::Method {
            class: 60,
            method: 80
        }
    ));
    for (good, bad) in [
        (vec![], header(1, 5)),
        (vec![], body(1, b"x")),
        (publish_method(1, "q"), body(1, b"x")),
        (publish_method(1, "q"), ack(1, 1)),
        (
            [publish_method(1, "q"), header(1, 5)].concat(),
            header(1, 5),
        ),
        (
            [publish_method(1, "q"), header(1, 5)].concat(),
            body(1, b"123456"),
        ),
    ] {
        let good = [handshake(), good].concat();
        assert!(matches!(refused(&good, &bad).await, Flaw::Unexpected(_)));
    }
}

#[tokio::test]
async fn what_a_broker_says_must_be_readable_too() {
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &greeting()).await;
    soon(peers.broker.write_all(b"HTTP/1.1 400 Bad Request"))
        .await
        .unwrap();
    assert_eq!(read_all(&mut peers.client).await, b"");
    let tape = peers.tap.tape();
    tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
    assert_eq!(tape.ending(1), Some(Ending::Cut));
}

#[tokio::test]
async fn stand_alone_what_cannot_be_read_is_noted_once_and_forwarded() {
    let mut peers = peers(|options| TapOptions {
        unreadable: Unreadable::Forward,
        ..options
    })
    .await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    for _ in 0..3 {
        carry(&mut peers.client, &mut peers.broker, b"not AMQP at all").await;
    }
    carry(&mut peers.broker, &mut peers.client, &start()).await;
    let tape = soon(peers.tap.close()).await;
    let flaws = tape
        .events()
        .iter()
        .filter(|event| matches!(event.what, What::Unreadable(_)))
        .count();
    assert_eq!(flaws, 1);
    assert_eq!(tape.all(&amqp_tap::broker("connection.start")).len(), 1);
}

#[tokio::test]
async fn even_stand_alone_a_login_to_be_rewritten_does_not_pass_unread() {
    let mut peers = peers(|options| TapOptions {
        unreadable: Unreadable::Forward,
        login: Some(amqp_tap::Login {
            user: "u".to_owned(),
            password: "p".to_owned(),
            vhost: "v".to_owned(),
        }),
        ..options
    })
    .await;
    carry(&mut peers.client, &mut peers.broker, &greeting()).await;
    let login = start_ok("PLAIN", b"\0guest\0guest");
    // Its first half must not pass before it can be read either.
    soon(peers.client.write_all(&login[..20])).await.unwrap();
    soon(
        peers
            .client
            .write_all(&[&login[20..login.len() - 1], &[0]].concat()),
    )
    .await
    .unwrap();
    assert_eq!(read_all(&mut peers.broker).await, b"");
}

/// Says `bytes` through a tap with limits that `lower` lowered, and answers the limit that tripped.
async fn tripped(lower: fn(&mut TapLimits), bytes: &[u8]) -> Option<String> {
    let mut limits = TapLimits::default();
    lower(&mut limits);
    let mut peers = peers(|options| TapOptions { limits, ..options }).await;
    soon(peers.client.write_all(&handshake())).await.unwrap();
    soon(peers.client.write_all(bytes)).await.unwrap();
    read_all(&mut peers.broker).await;
    let tape = peers.tap.tape();
    tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
    assert_eq!(tape.ending(1), Some(Ending::Cut));
    tape.events().iter().find_map(|event| match &event.what {
        What::Limit { limit, .. } => Some(limit.clone()),
        _ => None,
    })
}

/// The frames that `make` makes for 1, 2, 3 and 4.
fn four(make: impl Fn(u16) -> Vec<u8>) -> Vec<u8> {
    (1..=4).flat_map(make).collect()
}

fn queue_of(number: u16, kind: &str) -> Vec<u8> {
    let declare = queue::Declare {
        queue: format!("q{number}").as_str().into(),
        arguments: support::table(&[("x-queue-type", kind)]),
        ..Default::default()
    };
    method(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)))
}

fn exchange(number: u16) -> Vec<u8> {
    let declare = exchange::Declare {
        exchange: format!("e{number}").as_str().into(),
        ..Default::default()
    };
    method(
        1,
        AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)),
    )
}

fn channel(number: u16) -> Vec<u8> {
    let open = channel::AMQPMethod::Open(channel::Open {});
    method(number, AMQPClass::Channel(open))
}

fn bind(_: u16) -> Vec<u8> {
    let bind = queue::AMQPMethod::Bind(queue::Bind::default());
    method(1, AMQPClass::Queue(bind))
}

fn select(number: u16) -> Vec<u8> {
    let select = tx::AMQPMethod::Select(tx::Select {});
    method(number, AMQPClass::Tx(select))
}

/// A limit by name, how it is lowered, and what trips it then.
type Case = (&'static str, fn(&mut TapLimits), Vec<u8>);

#[tokio::test]
async fn every_limit_trips() {
    let message = |size: usize| publish(1, "q", &vec![0; size]);
    let cases: Vec<Case> = vec![
        ("frames", |it| it.frames = 6, four(|n| ack(1, n.into()))),
        ("bytes", |it| it.bytes = 400, four(|_| message(100))),
        (
            "tape_bytes",
            |it| it.tape_bytes = 5000,
            four(|_| message(1000)),
        ),
        ("message", |it| it.message = 10, message(11)),
        (
            "unfinished",
            |it| it.unfinished = 3,
            four(|n| publish_method(n, "q")),
        ),
        ("channels", |it| it.channels = 3, four(channel)),
        (
            "queues",
            |it| it.queues = 3,
            four(|n| declare(1, &format!("q{n}"))),
        ),
        ("queues", |it| it.queues = 3, four(|_| declare(1, ""))),
        (
            "quorum_queues",
            |it| it.quorum_queues = 3,
            four(|n| queue_of(n, "quorum")),
        ),
        (
            "stream_queues",
            |it| it.stream_queues = 3,
            four(|n| queue_of(n, "stream")),
        ),
        ("exchanges", |it| it.exchanges = 3, four(exchange)),
        ("bindings", |it| it.bindings = 3, four(bind)),
        ("transactions", |it| it.transactions = 3, four(select)),
        (
            "uncommitted",
            |it| it.uncommitted = 3,
            [select(1), four(|_| message(1))].concat(),
        ),
    ];
    for (limit, lower, bytes) in cases {
        assert_eq!(tripped(lower, &bytes).await.as_deref(), Some(limit));
    }
}

#[tokio::test]
async fn one_queue_declared_often_is_one_queue() {
    let mut peers = peers(|options| TapOptions {
        limits: TapLimits {
            queues: 1,
            ..TapLimits::default()
        },
        ..options
    })
    .await;
    let all = [
        handshake(),
        declare(1, "q"),
        declare(1, "q"),
        declare(2, "q"),
    ]
    .concat();
    carry(&mut peers.client, &mut peers.broker, &all).await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_once() {
    let peers = peers(|options| TapOptions {
        limits: TapLimits {
            connections: 1,
            ..TapLimits::default()
        },
        ..options
    })
    .await;
    let address = peers.tap.endpoint().tcp().unwrap();
    for _ in 0..20 {
        let mut client = soon(tokio::net::TcpStream::connect(address)).await.unwrap();
        assert_eq!(read_all(&mut client).await, b"");
    }
    let tape = soon(peers.tap.close()).await;
    let limits = tape
        .events()
        .iter()
        .filter(|event| matches!(event.what, What::Limit { .. }))
        .count();
    assert_eq!((tape.connections().len(), limits), (2, 1));
}

#[tokio::test]
async fn another_connection_is_not_touched_by_a_cut() {
    let mut peers = peers(|options| options).await;
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    soon(peers.client.write_all(b"not AMQP")).await.unwrap();
    read_all(&mut peers.client).await;
    carry(&mut client, &mut broker, &publish(1, "q", b"still here")).await;
    assert_eq!(read(&mut peers.broker, 0).await, b"");
}
