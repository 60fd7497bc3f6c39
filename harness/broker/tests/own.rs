//! A broker for one check alone.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use std::net::{SocketAddr, TcpStream};

use common::{Holder, Traces, World, have};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use workbook_broker::{Broker, Kind};

#[tokio::test]
async fn a_local_broker_of_ones_own_restarts_and_starves() {
    restarts_and_starves(Kind::Local).await;
}

#[tokio::test]
async fn a_container_of_ones_own_restarts_and_starves() {
    restarts_and_starves(Kind::Docker).await;
}

async fn restarts_and_starves(kind: Kind) {
    if !have(kind) {
        return;
    }
    let world = World::of_kind(kind);
    let own = Broker::start_own(&world.options).await.unwrap();
    let nested = std::fs::read_dir(world.options.state.path().join("own"))
        .unwrap()
        .flatten()
        .find(|entry| entry.path().is_dir())
        .unwrap();
    let mut inner = World::of_kind(kind);
    inner.options.state = workbook_broker::StateDir::at(nested.path());
    inner.options.data.clone_from(&world.options.data);
    let traces = Traces::of(&inner, own.broker());
    assert!(
        Broker::running(&world.options).await.unwrap().is_empty(),
        "it is nobody else's"
    );

    let lease = own.broker().lease().await.unwrap();
    let connection = connect(&lease.amqp_url()).await;
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("kept".into(), durable, FieldTable::default())
        .await
        .unwrap();
    channel
        .queue_declare(
            "lost".into(),
            QueueDeclareOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();

    own.starve().await.unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let publish = async {
        channel
            .basic_publish(
                "".into(),
                "kept".into(),
                BasicPublishOptions::default(),
                b"hi",
                BasicProperties::default(),
            )
            .await
            .unwrap()
            .await
            .unwrap();
    };
    tokio::pin!(publish);
    // The broker reads nothing from a publisher while it starves, so no confirm comes; a fed one
    // confirms at once.
    let starving = tokio::time::timeout(std::time::Duration::from_secs(1), &mut publish).await;
    assert!(
        starving.is_err(),
        "it was confirmed while the broker starved"
    );
    own.feed().await.unwrap();
    publish.await;

    own.restart().await.unwrap();
    let queues: Vec<String> = lease
        .queues()
        .await
        .unwrap()
        .into_iter()
        .map(|queue| queue.name)
        .collect();
    assert_eq!(queues, ["kept"]);
    connect(&lease.amqp_url()).await;
    lease.release().await.unwrap();
    own.stop().await.unwrap();
    let left: Vec<String> = traces.left();
    assert_eq!(left, Vec::<String>::new());
}

async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_dropped_broker_of_ones_own_leaves_nothing() {
    if !have(Kind::Docker) {
        return;
    }
    let world = World::of_kind(Kind::Docker);
    let own = Broker::start_own(&world.options).await.unwrap();
    let port = own.broker().amqp_address();
    drop(own);
    let left = Broker::down(&world.options).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert!(TcpStream::connect(port).is_err());
    assert!(!world.options.state.path().exists());
}

#[tokio::test]
async fn the_broker_of_a_killed_check_goes_when_the_next_starts() {
    if !have(Kind::Docker) {
        return;
    }
    let world = World::of_kind(Kind::Docker);
    let lost = Holder::of(&world, "own").kill();
    let address: SocketAddr = lost.split(' ').nth(2).unwrap().parse().unwrap();
    TcpStream::connect(address).expect("it outlives its owner");
    let own = Broker::start_own(&world.options).await.unwrap();
    assert!(TcpStream::connect(address).is_err());
    own.stop().await.unwrap();
    let lost = Holder::of(&world, "own").kill();
    let address: SocketAddr = lost.split(' ').nth(2).unwrap().parse().unwrap();
    assert_eq!(Broker::down(&world.options).await.unwrap().len(), 1);
    assert!(TcpStream::connect(address).is_err());
    assert!(!world.options.state.path().exists());
}
