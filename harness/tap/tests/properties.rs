//! Any bytes, cut anywhere: what comes out is what went in, the tape holds the same bytes, and nothing panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod support;

use amqp_tap::{
    Content, Recording, Replay, Side, TapLimits, TapOptions, Tape, Unreadable, What,
    amq_protocol::{
        frame::AMQPFrame,
        protocol::{AMQPClass, basic, connection},
        types::{AMQPValue, FieldTable, ShortString},
    },
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use std::collections::BTreeMap;
use support::{
    body, declare, frame, handshake, heartbeat, method, peers, publish_method, read_all,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many cases; the same everywhere, whatever the environment says.
const CASES: u32 = 256;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Frames of up to three channels, with contents that interleave.
fn session() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..12).prop_map(|pieces| {
        let mut channels: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        let mut all = handshake();
        for (turn, (channel, frames)) in pieces.into_iter().enumerate() {
            channels.entry(channel).or_default().extend(frames);
            // One frame of some channel after each piece, so that they interleave.
            let numbers: Vec<u16> = channels.keys().copied().collect();
            let number = numbers[turn % numbers.len()];
            if let Some(frames) = channels.get_mut(&number)
                && !frames.is_empty()
            {
                all.extend(frames.remove(0));
            }
        }
        all.extend(channels.into_values().flatten().flatten());
        all
    })
}

fn piece() -> impl Strategy<Value = (u16, Vec<Vec<u8>>)> {
    (1..4_u16).prop_flat_map(|channel| {
        let content = (".{0,20}", vec(vec(any::<u8>(), 1..300), 0..4), table()).prop_map(
            move |(key, bodies, headers)| {
                let size = bodies.iter().map(|body| body.len() as u64).sum();
                let mut frames = vec![
                    publish_method(channel, &key),
                    headed(channel, size, headers),
                ];
                frames.extend(bodies.iter().map(|bytes| body(channel, bytes)));
                frames
            },
        );
        let other = prop_oneof![
            Just(heartbeat()),
            "[a-z]{0,9}".prop_map(move |queue| declare(channel, &queue)),
            (any::<u64>(), any::<bool>()).prop_map(move |(delivery_tag, multiple)| method(
                channel,
                AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
                    delivery_tag,
                    multiple
                }))
            )),
        ]
        .prop_map(|one| vec![one]);
        (Just(channel), prop_oneof![content, other])
    })
}

fn headed(channel: u16, size: u64, headers: FieldTable) -> Vec<u8> {
    use amqp_tap::amq_protocol::{frame::AMQPContentHeader, protocol::BasicProperties};
    frame(&AMQPFrame::Header(
        channel,
        AMQPContentHeader {
            class_id: 60,
            body_size: size,
            properties: BasicProperties::default().with_headers(headers),
        },
    ))
}

fn table() -> impl Strategy<Value = FieldTable> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        "[a-z]{0,9}".prop_map(|text| AMQPValue::LongString(text.into())),
        Just(AMQPValue::Void),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        vec(inner, 0..4).prop_map(|values| AMQPValue::FieldArray(values.into()))
    });
    vec(("[a-z]{1,5}", value), 0..3).prop_map(|entries| {
        let mut table = FieldTable::default();
        for (key, value) in entries {
            table.insert(ShortString::from(key), value);
        }
        table
    })
}

/// The bytes that a side sent on connection 1, put together again from the tape.
fn bytes_of(tape: &Tape, side: Side) -> Vec<u8> {
    let mut pieces: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for event in tape.events().iter().filter(|event| event.from == side) {
        match &event.what {
            What::Greeting(version) => {
                pieces.insert(event.offset, [b"AMQP".as_slice(), version].concat());
            }
            What::Method(method) => {
                pieces.insert(event.offset, outside(1, method.channel(), method.payload()));
            }
            What::Content(content) => {
                let channel = content.method.channel();
                pieces.insert(event.offset, outside(2, channel, &content.header));
                pieces.extend(bodies(content));
            }
            What::Heartbeat { channel } => {
                pieces.insert(event.offset, outside(8, *channel, &[]));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for (offset, piece) in pieces {
        assert_eq!(offset, all.len() as u64, "the tape has a gap");
        all.extend(piece);
    }
    all
}

fn bodies(content: &Content) -> Vec<(u64, Vec<u8>)> {
    let mut rest = content.body.as_slice();
    content
        .frames
        .iter()
        .map(|(offset, length)| {
            let (bytes, behind) = rest.split_at(usize::try_from(*length).unwrap());
            rest = behind;
            (*offset, outside(3, content.method.channel(), bytes))
        })
        .collect()
}

fn outside(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(channel.to_be_bytes());
    bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend(payload);
    bytes.push(206);
    bytes
}

/// `connection.start-ok` without its secret: what a tape holds of it.
fn redacted(bytes: &[u8]) -> Vec<u8> {
    use amqp_tap::amq_protocol::frame::parse_frame;
    let (mut rest, mut all) = (bytes, Vec::new());
    while let Ok((behind, mut one)) = parse_frame(rest) {
        if let AMQPFrame::Method(
            _,
            AMQPClass::Connection(connection::AMQPMethod::StartOk(method)),
        ) = &mut one
        {
            method.response = "[redacted]".into();
        }
        all.extend(frame(&one));
        rest = behind;
    }
    all
}

/// Sends the bytes through a tap in pieces, and answers what came out and the tape.
async fn through(bytes: &[u8], cuts: &[usize], options: TapOptions) -> (Vec<u8>, Tape) {
    let peers = peers(|own| TapOptions {
        broker: own.broker,
        ..options
    })
    .await;
    let (mut client, mut broker) = (peers.client, peers.broker);
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        // A tap that cuts may reset.
        let _ = broker.read_to_end(&mut all).await;
        all
    });
    let mut at = 0;
    for cut in cuts.iter().map(|cut| cut % (bytes.len() + 1)) {
        if cut > at {
            if client.write_all(&bytes[at..cut]).await.is_err() {
                break;
            }
            at = cut;
            tokio::task::yield_now().await;
        }
    }
    let _ = client.write_all(&bytes[at..]).await;
    let _ = client.shutdown().await;
    let out = support::soon(reading).await.unwrap();
    read_all(&mut client).await;
    (out, support::soon(peers.tap.close()).await)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn forwarding() -> TapOptions {
    let nowhere: std::net::SocketAddr = "127.0.0.1:1".parse().unwrap();
    TapOptions::recorder(nowhere)
}

fn cutting() -> TapOptions {
    TapOptions {
        unreadable: Unreadable::Cut,
        ..forwarding()
    }
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(any::<usize>(), 0..12).prop_map(|mut cuts| {
        for cut in &mut cuts {
            *cut %= 6000;
        }
        cuts.sort_unstable();
        cuts
    })
}

#[test]
fn a_session_cut_anywhere_comes_out_the_same_and_is_whole_on_the_tape() {
    let cases = (session(), cuts(), any::<bool>());
    TestRunner::new(config())
        .run(&cases, |(bytes, cuts, strict)| {
            let options = if strict { cutting() } else { forwarding() };
            let (out, tape) = block_on(through(&bytes, &cuts, options));
            prop_assert_eq!(&out, &bytes);
            prop_assert_eq!(bytes_of(&tape, Side::Client), redacted(&bytes));
            let mut written = Vec::new();
            tape.write_jsonl(&mut written).unwrap();
            let back = Tape::read_jsonl(written.as_slice()).unwrap();
            prop_assert_eq!(bytes_of(&back, Side::Client), redacted(&bytes));
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_bytes_cut_anywhere_come_out_the_same_when_recording() {
    let mutated =
        (session(), vec((any::<usize>(), any::<u8>()), 0..6)).prop_map(|(mut bytes, changes)| {
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes
        });
    let bytes = prop_oneof![vec(any::<u8>(), 0..2000), mutated];
    TestRunner::new(config())
        .run(&(bytes, cuts()), |(bytes, cuts)| {
            let (out, _) = block_on(through(&bytes, &cuts, forwarding()));
            prop_assert_eq!(out, bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn noise_after_a_beginning_never_panics_and_nothing_is_made_up() {
    let noise = (session(), vec(any::<u8>(), 0..300), any::<usize>());
    let config = ProptestConfig {
        cases: 1500,
        ..config()
    };
    TestRunner::new(config)
        .run(&(noise, any::<bool>()), |((mut bytes, noise, at), cut)| {
            let at = at % bytes.len();
            bytes.splice(at..at, noise);
            let unreadable = if cut {
                Unreadable::Cut
            } else {
                Unreadable::Forward
            };
            for side in [Side::Client, Side::Broker] {
                let mut replay = Replay::new(None, unreadable, TapLimits::default());
                let mut out = Vec::new();
                for piece in bytes.chunks(61) {
                    out.extend(replay.feed(side, piece));
                }
                prop_assert!(bytes.starts_with(&out));
                prop_assert!(cut || !replay.is_cut());
                replay.end().write_jsonl(std::io::sink()).unwrap();
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn when_cutting_only_a_beginning_comes_out_of_a_session_that_was_changed() {
    let changes = vec((any::<usize>(), any::<u8>()), 1..6);
    TestRunner::new(config())
        .run(
            &(session(), changes, cuts()),
            |(mut bytes, changes, cuts)| {
                for (at, byte) in changes {
                    let at = at % bytes.len();
                    bytes[at] = byte;
                }
                let options = TapOptions {
                    limits: TapLimits::default(),
                    recording: Recording::default(),
                    ..cutting()
                };
                let (out, _) = block_on(through(&bytes, &cuts, options));
                prop_assert!(bytes.starts_with(&out));
                Ok(())
            },
        )
        .unwrap();
}
