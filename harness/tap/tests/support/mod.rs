//! Peers for a tap: sockets that say what a test tells them, and the real broker where there is one.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses its part, and a failed step here fails the test"
)]

use amqp_tap::{
    Tap, TapOptions,
    amq_protocol::{
        frame::{AMQPContentHeader, AMQPFrame, ProtocolVersion, WriteContext, gen_frame},
        protocol::{AMQPClass, BasicProperties, basic, channel, connection, queue},
        types::{AMQPValue, FieldTable, ShortString},
    },
};
use std::{future::Future, io::Write, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Every await of a test ends by then.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Awaits with the deadline.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it should not take this long")
}

/// The real broker's address, or `None` after saying loudly that the test is skipped.
pub(crate) fn real_broker(test: &str) -> Option<SocketAddr> {
    if let Ok(address) = std::env::var("AMQP_TAP_TEST_BROKER") {
        return Some(address.parse().expect("AMQP_TAP_TEST_BROKER is HOST:PORT"));
    }
    assert!(
        std::env::var("WORKBOOK_NO_SKIP").as_deref() != Ok("1"),
        "{test} needs a broker in AMQP_TAP_TEST_BROKER, and WORKBOOK_NO_SKIP=1 forbids to skip it"
    );
    // Not by a macro, whose output the test runner would keep to itself.
    let words = format!("SKIPPED: {test}: set AMQP_TAP_TEST_BROKER=HOST:PORT to run it\n");
    std::io::stderr().write_all(words.as_bytes()).unwrap();
    None
}

/// A tap with a socket at either end.
pub(crate) struct Peers {
    pub(crate) tap: Tap,
    pub(crate) client: TcpStream,
    pub(crate) broker: TcpStream,
    pub(crate) listener: TcpListener,
}

/// Opens a tap with these options, except for the broker, which is a socket of the test's.
pub(crate) async fn peers(change: impl FnOnce(TapOptions) -> TapOptions) -> Peers {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = change(TapOptions::to(listener.local_addr().unwrap()));
    let tap = Tap::open(options).await.unwrap();
    let (client, broker) = connect(&tap, &listener).await;
    Peers {
        tap,
        client,
        broker,
        listener,
    }
}

/// One more connection through the tap.
pub(crate) async fn connect(tap: &Tap, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let address = tap.endpoint().tcp().unwrap();
    let client = soon(TcpStream::connect(address)).await.unwrap();
    let (broker, _) = soon(listener.accept()).await.unwrap();
    (client, broker)
}

/// Reads exactly so many bytes.
pub(crate) async fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    soon(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

/// Reads until the end, however it ends.
pub(crate) async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    bytes
}

/// Writes, and expects the other side to get exactly that.
pub(crate) async fn carry(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
    soon(from.write_all(bytes)).await.unwrap();
    assert_eq!(read(to, bytes.len()).await, bytes);
}

pub(crate) fn frame(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new()))
        .unwrap()
        .into_inner()
        .0
}

pub(crate) fn method(channel: u16, class: AMQPClass) -> Vec<u8> {
    frame(&AMQPFrame::Method(channel, class))
}

pub(crate) fn greeting() -> Vec<u8> {
    frame(&AMQPFrame::ProtocolHeader(ProtocolVersion::amqp_0_9_1()))
}

pub(crate) fn heartbeat() -> Vec<u8> {
    frame(&AMQPFrame::Heartbeat)
}

/// `connection.start` as a broker says it.
pub(crate) fn start() -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::Start(connection::Start {
            version_major: 0,
            version_minor: 9,
            server_properties: table(&[("product", "RabbitMQ")]),
            mechanisms: "PLAIN AMQPLAIN".into(),
            locales: "en_US".into(),
        })),
    )
}

pub(crate) fn start_ok(mechanism: &str, response: &[u8]) -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::StartOk(connection::StartOk {
            client_properties: table(&[("product", "test")]),
            mechanism: mechanism.into(),
            response: response.to_vec().into(),
            locale: "en_US".into(),
        })),
    )
}

/// `connection.tune` as a broker says it.
pub(crate) fn tune(frame_max: u32) -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::Tune(connection::Tune {
            channel_max: 2047,
            frame_max,
            heartbeat: 60,
        })),
    )
}

pub(crate) fn tune_ok(frame_max: u32) -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::TuneOk(connection::TuneOk {
            channel_max: 2047,
            frame_max,
            heartbeat: 60,
        })),
    )
}

pub(crate) fn open(vhost: &str) -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::Open(connection::Open {
            virtual_host: vhost.into(),
        })),
    )
}

pub(crate) fn close() -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::Close(connection::Close {
            reply_code: 200,
            reply_text: "bye".into(),
            class_id: 0,
            method_id: 0,
        })),
    )
}

pub(crate) fn close_ok() -> Vec<u8> {
    method(
        0,
        AMQPClass::Connection(connection::AMQPMethod::CloseOk(connection::CloseOk {})),
    )
}

pub(crate) fn declare(channel: u16, queue: &str) -> Vec<u8> {
    method(
        channel,
        AMQPClass::Queue(queue::AMQPMethod::Declare(queue::Declare {
            queue: queue.into(),
            durable: true,
            ..Default::default()
        })),
    )
}

pub(crate) fn ack(channel: u16, delivery_tag: u64) -> Vec<u8> {
    method(
        channel,
        AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
            delivery_tag,
            multiple: false,
        })),
    )
}

/// `basic.ack` for all up to a tag.
pub(crate) fn ack_up_to(channel: u16, delivery_tag: u64) -> Vec<u8> {
    method(
        channel,
        AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
            delivery_tag,
            multiple: true,
        })),
    )
}

pub(crate) fn nack(channel: u16, delivery_tag: u64) -> Vec<u8> {
    method(
        channel,
        AMQPClass::Basic(basic::AMQPMethod::Nack(basic::Nack {
            delivery_tag,
            multiple: false,
            requeue: false,
        })),
    )
}

pub(crate) fn open_channel(number: u16) -> Vec<u8> {
    method(
        number,
        AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})),
    )
}

pub(crate) fn publish_method(channel: u16, key: &str) -> Vec<u8> {
    method(
        channel,
        AMQPClass::Basic(basic::AMQPMethod::Publish(basic::Publish {
            routing_key: key.into(),
            ..Default::default()
        })),
    )
}

pub(crate) fn header(channel: u16, size: u64) -> Vec<u8> {
    frame(&AMQPFrame::Header(
        channel,
        AMQPContentHeader {
            class_id: 60,
            body_size: size,
            properties: BasicProperties::default().with_delivery_mode(2),
        },
    ))
}

pub(crate) fn body(channel: u16, bytes: &[u8]) -> Vec<u8> {
    frame(&AMQPFrame::Body(channel, bytes.to_vec()))
}

/// A whole message to the default exchange.
pub(crate) fn publish(channel: u16, key: &str, bytes: &[u8]) -> Vec<u8> {
    let mut all = publish_method(channel, key);
    all.extend(header(channel, bytes.len() as u64));
    if !bytes.is_empty() {
        all.extend(body(channel, bytes));
    }
    all
}

pub(crate) fn table(entries: &[(&str, &str)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in entries {
        table.insert(
            ShortString::from(*key),
            AMQPValue::LongString((*value).into()),
        );
    }
    table
}

/// The client's side of a handshake, as one run of bytes. The secret is as long as what stands in its place on a tape.
pub(crate) fn handshake() -> Vec<u8> {
    let mut all = greeting();
    all.extend(start_ok("PLAIN", b"\0user\0word"));
    all.extend(tune_ok(131_072));
    all.extend(open("/"));
    all
}
