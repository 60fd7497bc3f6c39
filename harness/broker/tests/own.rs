//! A broker for one check alone.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

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
    let inner = nested(&world);
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

/// The only broker of a single check, as a world of its own. It is stopped when that is dropped.
fn nested(world: &World) -> World {
    let entries = std::fs::read_dir(world.options.state.path().join("own")).unwrap();
    let mut folders = entries.flatten().map(|entry| entry.path());
    let folder = folders.find(|path| path.is_dir()).unwrap();
    let mut inner = World::new(world.options.choice.clone());
    inner.options.state = workbook_broker::StateDir::at(folder);
    inner.options.data.clone_from(&world.options.data);
    inner
}

async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_broker_that_is_given_back_is_the_next_ones() {
    if !have(Kind::Docker) {
        return;
    }
    let world = World::of_kind(Kind::Docker);
    let first = Broker::start_own(&world.options).await.unwrap();
    let address = first.broker().amqp_address();
    let second = Broker::start_own(&world.options).await.unwrap();
    let other = second.broker().amqp_address();
    assert_ne!(address, other, "a held one is nobody else's");
    first.give_back().await.unwrap();
    second.give_back().await.unwrap();
    assert!(TcpStream::connect(other).is_err(), "one is kept");
    assert!(Broker::has_spare(&world.options));

    let again = Broker::start_own(&world.options).await.unwrap();
    assert_eq!(again.broker().amqp_address(), address);
    assert!(!Broker::has_spare(&world.options), "it is in use");
    again.restart().await.unwrap();
    again.give_back().await.unwrap();
    let again = Broker::start_own(&world.options).await.unwrap();
    assert_eq!(again.broker().amqp_address(), address);
    again.starve().await.unwrap();
    again.give_back().await.unwrap();
    assert!(TcpStream::connect(address).is_err(), "no worn one is kept");
    assert!(Broker::down(&world.options).await.unwrap().is_empty());
    assert!(!world.options.state.path().exists());
}

#[tokio::test]
async fn a_kept_broker_that_has_died_is_replaced() {
    if !have(Kind::Docker) {
        return;
    }
    let world = World::of_kind(Kind::Docker);
    let first = Broker::start_own(&world.options).await.unwrap();
    first.give_back().await.unwrap();
    let inner = nested(&world);
    let record = inner.record(Kind::Docker);
    let container = record["place"]["container"].as_str().unwrap();
    let killed = Command::new("docker").args(["kill", container]).output();
    assert!(killed.unwrap().status.success());
    let again = Broker::start_own(&world.options).await.unwrap();
    let lease = again.broker().lease().await.unwrap();
    lease.release().await.unwrap();
    again.stop().await.unwrap();
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
