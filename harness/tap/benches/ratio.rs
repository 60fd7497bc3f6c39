//! What the tap costs, as ratios measured in one run: the routes take turns, and the ratio is the median of the rounds'
//! own, so that whatever else the machine does meets all of them. Then the memory that a million messages of one connection take while they are recorded to disk.
//!
//! `AMQP_TAP_TEST_BROKER=127.0.0.1:5672 cargo bench -p amqp-tap --bench ratio`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a report of measurements is printed, and a failed step fails the run"
)]

mod routes;

use amqp_tap::{
    Recording, Tap, TapLimits, TapOptions,
    amq_protocol::{
        frame::{AMQPContentHeader, AMQPFrame, ProtocolVersion, WriteContext, gen_frame},
        protocol::{AMQPClass, BasicProperties, basic},
    },
};
use routes::{ROUTES, Route, broker};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ROUNDS: usize = 40;
const ROUND_TRIPS: usize = 3000;
const MESSAGES: usize = 1_000_000;

#[tokio::main]
async fn main() {
    if let Some(address) = broker() {
        throughput(address).await;
        latency(address).await;
    }
    memory().await;
}

async fn throughput(address: SocketAddr) {
    let mut routes = Vec::new();
    for name in ROUTES {
        routes.push(Route::open(name, address).await);
    }
    println!(
        "messages a second, median of {ROUNDS} rounds      direct     plain       tap   tap/plain"
    );
    for (name, size, count) in [("12 B  ", 12, 2000), ("64 KiB", 64 * 1024, 150)] {
        let body = vec![b'x'; size];
        let mut publish = vec![Vec::new(); 3];
        let mut consume = vec![Vec::new(); 3];
        for _ in 0..ROUNDS {
            for (index, route) in routes.iter().enumerate() {
                publish[index].push(route.publish(count, &body).await);
                consume[index].push(route.consume(count).await);
            }
        }
        for (what, times) in [("publish + confirm", publish), ("consume + ack", consume)] {
            // Round by round, as whatever else the machine does changes from round to round.
            let mut ratios: Vec<f64> = times[1]
                .iter()
                .zip(&times[2])
                .map(|(plain, tap)| plain.as_secs_f64() / tap.as_secs_f64())
                .collect();
            ratios.sort_unstable_by(f64::total_cmp);
            let rates: Vec<f64> = times
                .into_iter()
                .map(|mut times| count as f64 / median(&mut times).as_secs_f64())
                .collect();
            println!(
                "{what:<20} {name}              {:>12.0} {:>9.0} {:>9.0}        {:.3}",
                rates[0],
                rates[1],
                rates[2],
                ratios[ratios.len() / 2]
            );
        }
    }
    for route in routes {
        route.close().await;
    }
}

async fn latency(address: SocketAddr) {
    let mut routes = Vec::new();
    for name in ROUTES {
        routes.push(Route::open(name, address).await);
    }
    let mut times = vec![Vec::new(); 3];
    for _ in 0..ROUND_TRIPS {
        for (index, route) in routes.iter().enumerate() {
            times[index].push(route.round_trip().await);
        }
    }
    let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
    println!(
        "round trip, one in flight, median of {ROUND_TRIPS}: direct {:?}, plain {:?}, tap {:?}: the tap adds {:?}",
        medians[0],
        medians[1],
        medians[2],
        medians[2].saturating_sub(medians[1])
    );
    for route in routes {
        route.close().await;
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A million messages through one connection, recorded to disk, between two sockets of our own.
async fn memory() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tap = Tap::open(TapOptions {
        limits: TapLimits::none(),
        recording: Recording {
            window: Some(1000),
            file: Some(folder.path().join("tape.jsonl")),
        },
        ..TapOptions::to(listener.local_addr().unwrap())
    })
    .await
    .unwrap();
    let mut client = TcpStream::connect(tap.endpoint().tcp().unwrap())
        .await
        .unwrap();
    let (mut broker, _) = listener.accept().await.unwrap();
    let reading = tokio::spawn(async move {
        let mut bytes = vec![0; 64 * 1024];
        while broker.read(&mut bytes).await.unwrap() > 0 {}
    });
    let greeting = frame(&AMQPFrame::ProtocolHeader(ProtocolVersion::amqp_0_9_1()));
    client.write_all(&greeting).await.unwrap();
    let mut message = frame(&AMQPFrame::Method(
        1,
        AMQPClass::Basic(basic::AMQPMethod::Publish(basic::Publish {
            routing_key: "hello".into(),
            ..Default::default()
        })),
    ));
    let header = AMQPContentHeader {
        class_id: 60,
        body_size: 12,
        properties: BasicProperties::default(),
    };
    message.extend(frame(&AMQPFrame::Header(1, header)));
    message.extend(frame(&AMQPFrame::Body(1, b"Hello World!".to_vec())));
    let batch = message.repeat(1000);
    let begin = Instant::now();
    let mut sizes = Vec::new();
    for sent in 1..=MESSAGES / 1000 {
        client.write_all(&batch).await.unwrap();
        if sent % (MESSAGES / 10_000) == 0 {
            sizes.push(resident());
        }
    }
    drop(client);
    reading.await.unwrap();
    let tape = tap.close().await;
    println!(
        "{MESSAGES} messages recorded to disk in {:?} ({} events); resident after each tenth, MiB: {sizes:?}",
        begin.elapsed(),
        tape.len()
    );
}

fn frame(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new()))
        .unwrap()
        .into_inner()
        .0
}

/// The memory that this process has in use, in MiB (0 where there is no `/proc`).
fn resident() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default()
        / 1024
}
