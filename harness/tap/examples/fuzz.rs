//! Feeds the decoder and the session with bytes that nobody sane would send, and counts.
//!
//! ```text
//! cargo run --release -p amqp-tap --example fuzz -- [INPUTS] [SEED]
//! ```
//!
//! Half of the inputs are valid sessions with a few bytes changed, a quarter have frames cut, doubled or swapped, and a
//! quarter are noise. A panic, an abort or a hang is a bug; so is a byte that comes out of a cutting tap and is not the
//! one that went in. Ten million inputs are the default.
#![allow(
    clippy::print_stdout,
    reason = "this is a program with something to say"
)]

use amqp_tap::{
    Conversation, Replay, Side, TapLimits, Unreadable,
    amq_protocol::{
        frame::{AMQPContentHeader, AMQPFrame, ProtocolVersion, WriteContext, gen_frame},
        protocol::{AMQPClass, BasicProperties, basic, connection, queue},
        types::{AMQPValue, FieldTable},
    },
};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use std::{thread, time::Instant};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (inputs, seed) = (number(10_000_000), number(42));
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let begin = Instant::now();
    let totals: Vec<Tally> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|index| {
                let share = inputs / threads + u64::from(index < inputs % threads);
                scope.spawn(move || run(share, seed.wrapping_add(index)))
            })
            .collect();
        running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    let sum = |of: fn(&Tally) -> u64| totals.iter().map(of).sum::<u64>();
    println!(
        "{} inputs, {} bytes, {} events, {} cut, in {:?} on {threads} threads (seed {seed})",
        sum(|tally| tally.inputs),
        sum(|tally| tally.bytes),
        sum(|tally| tally.events),
        sum(|tally| tally.cut),
        begin.elapsed()
    );
    assert_eq!(sum(|tally| tally.inputs), inputs, "a thread panicked");
}

#[derive(Default)]
struct Tally {
    inputs: u64,
    bytes: u64,
    events: u64,
    cut: u64,
}

fn run(inputs: u64, seed: u64) -> Tally {
    let mut random = SmallRng::seed_from_u64(seed);
    let frames = frames();
    let mut tally = Tally::default();
    let mut bytes = Vec::new();
    for _ in 0..inputs {
        bytes.clear();
        make(&mut random, &frames, &mut bytes);
        let unreadable = if random.random_bool(0.75) {
            Unreadable::Cut
        } else {
            Unreadable::Forward
        };
        let side = if random.random_bool(0.8) {
            Side::Client
        } else {
            Side::Broker
        };
        let mut replay = Replay::new(None, unreadable, TapLimits::default());
        let mut out = 0;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && !replay.is_cut() {
            let (piece, behind) = rest.split_at(random.random_range(1..=rest.len()));
            let forwarded = replay.feed(side, piece);
            assert_eq!(
                Some(forwarded.as_slice()),
                bytes.get(out..out + forwarded.len()),
                "what comes out is not what went in"
            );
            out += forwarded.len();
            rest = behind;
        }
        tally.inputs += 1;
        tally.bytes += bytes.len() as u64;
        tally.cut += u64::from(replay.is_cut());
        let tape = replay.end();
        tally.events += tape.len();
        if tally.inputs % 64 == 0 {
            // The readers of tapes must bear whatever is on them.
            let _ = Conversation::of(&tape);
            let _ = tape.write_jsonl(std::io::sink());
        }
    }
    tally
}

/// One input.
fn make(random: &mut SmallRng, frames: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let kind = random.random_range(0..4);
    if kind == 3 {
        if random.random_bool(0.5) {
            bytes.extend(&frames[0]);
        }
        let length = random.random_range(0..400);
        bytes.extend((0..length).map(|_| random.random::<u8>()));
        return;
    }
    bytes.extend(&frames[0]);
    for _ in 0..random.random_range(1..8) {
        let frame = &frames[random.random_range(0..frames.len())];
        if kind == 2 && random.random_bool(0.3) {
            bytes.extend(&frame[..random.random_range(0..frame.len())]);
        } else {
            bytes.extend(frame);
        }
    }
    for _ in 0..random.random_range(0..6) {
        let at = random.random_range(0..bytes.len());
        bytes[at] = match random.random_range(0..4) {
            0 => random.random(),
            1 => bytes[at] ^ (1 << random.random_range(0..8)),
            2 => [0, 1, 206, 255, b'A', b'F', b'S'][random.random_range(0..7)],
            _ => bytes[random.random_range(0..bytes.len())],
        };
    }
}

/// Frames to begin with; the first is the greeting.
fn frames() -> Vec<Vec<u8>> {
    let mut table = FieldTable::default();
    table.insert("text".into(), AMQPValue::LongString("text".into()));
    table.insert(
        "list".into(),
        AMQPValue::FieldArray(vec![AMQPValue::Void, AMQPValue::LongInt(5)].into()),
    );
    let mut deeper = FieldTable::default();
    deeper.insert("table".into(), AMQPValue::FieldTable(table.clone()));
    let method = |channel, class| encode(&AMQPFrame::Method(channel, class));
    let header = |channel, body_size, headers: FieldTable| {
        encode(&AMQPFrame::Header(
            channel,
            AMQPContentHeader {
                class_id: 60,
                body_size,
                properties: BasicProperties::default()
                    .with_headers(headers)
                    .with_content_type("text/plain".into()),
            },
        ))
    };
    let publish = || AMQPClass::Basic(basic::AMQPMethod::Publish(basic::Publish::default()));
    let mut deep = vec![b'V'];
    for _ in 0..40 {
        let mut outer = vec![b'A'];
        outer.extend(u32::try_from(deep.len()).unwrap_or_default().to_be_bytes());
        outer.append(&mut deep);
        deep = outer;
    }
    let mut nested = FieldTable::default();
    nested.insert("k".into(), AMQPValue::LongString(deep.into()));
    vec![
        encode(&AMQPFrame::ProtocolHeader(ProtocolVersion::amqp_0_9_1())),
        encode(&AMQPFrame::Heartbeat),
        method(
            0,
            AMQPClass::Connection(connection::AMQPMethod::StartOk(connection::StartOk {
                client_properties: deeper.clone(),
                mechanism: "PLAIN".into(),
                response: "\0guest\0guest".into(),
                locale: "en_US".into(),
            })),
        ),
        method(
            0,
            AMQPClass::Connection(connection::AMQPMethod::TuneOk(connection::TuneOk {
                channel_max: 10,
                frame_max: 4096,
                heartbeat: 0,
            })),
        ),
        method(
            1,
            AMQPClass::Queue(queue::AMQPMethod::Declare(queue::Declare {
                queue: "hello".into(),
                arguments: deeper.clone(),
                ..Default::default()
            })),
        ),
        method(
            1,
            AMQPClass::Basic(basic::AMQPMethod::Consume(basic::Consume {
                arguments: nested,
                ..Default::default()
            })),
        ),
        method(
            1,
            AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack::default())),
        ),
        method(1, publish()),
        header(1, 10, table),
        encode(&AMQPFrame::Body(1, b"Hello".to_vec())),
        encode(&AMQPFrame::Body(1, b"World".to_vec())),
        method(2, publish()),
        header(2, 0, deeper),
    ]
}

fn encode(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new()))
        .map(|written| written.into_inner().0)
        .unwrap_or_default()
}
