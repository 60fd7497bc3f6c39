//! The three ways to a broker that the benchmarks compare, and the work that they carry.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each benchmark uses its part, and a failed step fails the run"
)]

use amqp_tap::{Recording, Tap, TapLimits, TapOptions};
use futures_util::{StreamExt, future::join_all};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions,
        BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions,
    },
    types::FieldTable,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The routes, in the order in which they are compared.
pub(crate) const ROUTES: [&str; 3] = ["direct", "plain", "tap"];

/// A connection to the broker over one route.
pub(crate) struct Route {
    pub(crate) name: &'static str,
    connection: Connection,
    channel: Channel,
    queue: String,
    tap: Option<Tap>,
    proxy: Option<JoinHandle<()>>,
}

/// The broker to measure with, or `None` after saying why nothing is measured.
pub(crate) fn broker() -> Option<SocketAddr> {
    let address = std::env::var("AMQP_TAP_TEST_BROKER").ok();
    if address.is_none() {
        eprintln!("SKIPPED: set AMQP_TAP_TEST_BROKER=HOST:PORT to run the benchmarks");
    }
    address.map(|address| address.parse().unwrap())
}

/// A proxy that knows nothing: what the tap is measured against.
pub(crate) async fn plain_proxy(broker: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut broker = TcpStream::connect(broker).await.unwrap();
                client.set_nodelay(true).unwrap();
                broker.set_nodelay(true).unwrap();
                let _ = copy_bidirectional(&mut client, &mut broker).await;
            });
        }
    });
    (address, task)
}

/// A tap as a lab opens it, without a lab's limits on how much may go through.
pub(crate) async fn tap(broker: SocketAddr) -> Tap {
    Tap::open(TapOptions {
        limits: TapLimits::none(),
        recording: Recording {
            window: Some(10_000),
            file: None,
        },
        ..TapOptions::to(broker)
    })
    .await
    .unwrap()
}

impl Route {
    pub(crate) async fn open(name: &'static str, broker: SocketAddr) -> Self {
        let (address, tap, proxy) = match name {
            "direct" => (broker, None, None),
            "plain" => {
                let (address, task) = plain_proxy(broker).await;
                (address, None, Some(task))
            }
            _ => {
                let tap = tap(broker).await;
                (tap.endpoint().tcp().unwrap(), Some(tap), None)
            }
        };
        let url = format!("amqp://guest:guest@{address}/%2f");
        let connection = Connection::connect(&url, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        channel
            .basic_qos(1000, BasicQosOptions::default())
            .await
            .unwrap();
        let queue = channel
            .queue_declare(
                "".into(),
                QueueDeclareOptions::exclusive(),
                FieldTable::default(),
            )
            .await
            .unwrap()
            .name()
            .to_string();
        Self {
            name,
            connection,
            channel,
            queue,
            tap,
            proxy,
        }
    }

    /// Publishes so many messages and waits for all confirms; answers how long it took.
    pub(crate) async fn publish(&self, count: usize, body: &[u8]) -> Duration {
        let begin = Instant::now();
        let mut confirms = Vec::with_capacity(count);
        for _ in 0..count {
            confirms.push(self.send(body).await);
        }
        join_all(confirms.into_iter().map(|confirm| async {
            confirm.await.unwrap();
        }))
        .await;
        begin.elapsed()
    }

    async fn send(&self, body: &[u8]) -> lapin::PublisherConfirm {
        self.channel
            .basic_publish(
                "".into(),
                self.queue.as_str().into(),
                BasicPublishOptions::default(),
                body,
                BasicProperties::default(),
            )
            .await
            .unwrap()
    }

    /// Consumes so many messages, which are there, and acknowledges each; answers how long it took.
    pub(crate) async fn consume(&self, count: usize) -> Duration {
        let begin = Instant::now();
        let mut consumer = self
            .channel
            .basic_consume(
                self.queue.as_str().into(),
                "bench".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        for _ in 0..count {
            let delivery = consumer.next().await.unwrap().unwrap();
            delivery.ack(BasicAckOptions::default()).await.unwrap();
        }
        // The answer comes after every acknowledgement was read.
        self.channel
            .basic_cancel("bench".into(), BasicCancelOptions::default())
            .await
            .unwrap();
        begin.elapsed()
    }

    /// One message there and its confirm back.
    pub(crate) async fn round_trip(&self) -> Duration {
        let begin = Instant::now();
        self.send(b"Hello World!").await.await.unwrap();
        begin.elapsed()
    }

    /// Empties the queue.
    pub(crate) async fn purge(&self) {
        self.channel
            .queue_purge(self.queue.as_str().into(), QueuePurgeOptions::default())
            .await
            .unwrap();
    }

    pub(crate) async fn close(self) {
        self.connection.close(200, "done".into()).await.unwrap();
        if let Some(tap) = self.tap {
            tap.close().await;
        }
        if let Some(proxy) = self.proxy {
            proxy.abort();
        }
    }
}
