//! What a lease promises, on every kind of broker: a vhost of one's own, nothing beyond it, and nothing
//! left behind.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Holder, World, asked, have, leases_on};
use futures_util::StreamExt as _;
use lapin::options::{
    ConfirmSelectOptions, ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties, Event, ExchangeKind};
use workbook_broker::{Address, Broker, Choice, Error, Kind, Lease, Lent};

#[tokio::test]
async fn leases_on_a_local_broker() {
    if have(Kind::Local) {
        keep_their_promises(Kind::Local).await;
    }
}

#[tokio::test]
async fn leases_on_a_container() {
    if have(Kind::Docker) {
        keep_their_promises(Kind::Docker).await;
    }
}

/// One broker for all of them: a start takes longer than everything else here.
async fn keep_their_promises(kind: Kind) {
    let world = World::of_kind(kind);
    let broker = Broker::find_or_start(&world.options).await.unwrap();
    eprintln!("{kind} {}", broker.version());

    a_lease_is_quick(&broker).await;
    a_lent_lease_stays_its_owners(&broker).await;
    a_user_reaches_its_own_vhost_only(&broker).await;
    a_transient_queue_that_is_not_exclusive_may_be_declared(&broker).await;
    the_topology_is_what_was_declared(&broker).await;
    a_cleared_lease_is_as_good_as_a_fresh_one(&broker).await;
    a_bounded_queue_refuses_what_is_too_much(&broker).await;
    the_connections_of_a_lease_are_closed_and_no_others(&broker).await;
    guest_works_by_hand_and_governs_nothing(&broker).await;
    what_is_left_by_hand_can_be_deleted(&broker).await;
    a_lease_may_cross_runtimes(&broker);
    a_lease_goes_with_a_panic(&broker);
    assert_eq!(
        leases_on(&world, &broker),
        Vec::<String>::new(),
        "all were released"
    );

    if kind == Kind::Docker {
        a_containers_data_is_in_memory(&world);
    }
    what_a_killed_process_leaves_is_swept(&world, &broker);
    somebody_elses_broker_is_used_by_its_address(&world, &broker).await;
}

async fn a_lease_is_quick(broker: &Broker) {
    // The first pays for the sweep.
    broker.lease().await.unwrap().release().await.unwrap();
    let (mut take, mut release) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let started = Instant::now();
        let lease = broker.lease().await.unwrap();
        take.push(started.elapsed());
        let started = Instant::now();
        lease.release().await.unwrap();
        release.push(started.elapsed());
    }
    for (what, times) in [("take", &mut take), ("release", &mut release)] {
        times.sort();
        eprintln!("  {what}: median {:?}, slowest {:?}", times[10], times[19]);
        assert!(times[10] < Duration::from_secs(1), "far from its 30 ms");
    }
}

async fn a_lent_lease_stays_its_owners(broker: &Broker) {
    let lease = broker.lease().await.unwrap();
    let lent = lease.lend();
    assert!(!format!("{lent:?}").contains(lease.password()));
    let json = serde_json::to_string(&lent).unwrap();
    let again = || -> Lent { serde_json::from_str(&json).unwrap() };

    let borrowed = broker.borrow(again()).unwrap();
    assert!(borrowed.is_borrowed() && !lease.is_borrowed());
    assert_eq!(borrowed.amqp_url(), lease.amqp_url());
    borrowed.release().await.unwrap();
    drop(broker.borrow(again()));
    let connection = connect(&lease.amqp_url()).await.unwrap();
    connection
        .close(200, "it is still there".into())
        .await
        .unwrap();

    let elsewhere = json.replace(&broker.amqp_address().to_string(), "127.0.0.1:1");
    let elsewhere = serde_json::from_str(&elsewhere).unwrap();
    assert!(
        broker.borrow(elsewhere).is_none(),
        "it is on another broker"
    );
    let url = lease.amqp_url();
    lease.release().await.unwrap();
    connect(&url).await.unwrap_err();
}

async fn connect(url: &str) -> Result<Connection, lapin::Error> {
    Connection::connect(url, ConnectionProperties::default()).await
}

async fn a_user_reaches_its_own_vhost_only(broker: &Broker) {
    let (one, other) = (broker.lease().await.unwrap(), broker.lease().await.unwrap());
    connect(&one.amqp_url())
        .await
        .unwrap()
        .close(200, "bye".into())
        .await
        .unwrap();
    let address = one.amqp_address();
    for vhost in [other.vhost(), "%2f"] {
        let url = format!("amqp://{}:{}@{address}/{vhost}", one.user(), one.password());
        let refused = connect(&url).await.unwrap_err().to_string();
        assert!(refused.contains("refused"), "{vhost}: {refused}");
    }
    let url = format!("amqp://{}:wrong@{address}/{}", one.user(), one.vhost());
    let refused = connect(&url).await.unwrap_err().to_string();
    assert!(
        refused.contains("ACCESS_REFUSED") || refused.contains("403"),
        "{refused}"
    );
    // Nor does it reach the management API.
    let (status, _) = asked(broker, (one.user(), one.password()), "vhosts");
    assert_eq!(status, 401);
    one.release().await.unwrap();
    other.release().await.unwrap();
}

async fn a_transient_queue_that_is_not_exclusive_may_be_declared(broker: &Broker) {
    let lease = broker.lease().await.unwrap();
    let connection = connect(&lease.amqp_url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions {
        durable: false,
        exclusive: false,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("hello".into(), options, FieldTable::default())
        .await
        .unwrap();
    let queues = lease.queues().await.unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!(
        (queues[0].name.as_str(), queues[0].durable),
        ("hello", false)
    );
    lease.release().await.unwrap();
}

async fn the_topology_is_what_was_declared(broker: &Broker) {
    let lease = broker.lease().await.unwrap();
    let empty = lease.topology().await.unwrap();
    assert_eq!(empty, workbook_broker::Topology::default());

    let connection = connect(&lease.amqp_url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(5000));
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("tasks".into(), durable, arguments)
        .await
        .unwrap();
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("mine".into(), exclusive, FieldTable::default())
        .await
        .unwrap();
    let mut quorum = FieldTable::default();
    quorum.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    channel
        .queue_declare("safe".into(), durable, quorum)
        .await
        .unwrap();
    channel
        .exchange_declare(
            "logs".into(),
            ExchangeKind::Topic,
            ExchangeDeclareOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    channel
        .queue_bind(
            "tasks".into(),
            "logs".into(),
            "*.error".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();

    let topology = lease.topology().await.unwrap();
    let queues: Vec<_> = topology
        .queues
        .iter()
        .map(|queue| {
            (
                queue.name.as_str(),
                queue.kind.as_str(),
                queue.durable,
                queue.exclusive,
            )
        })
        .collect();
    assert_eq!(
        queues,
        [
            ("mine", "classic", false, true),
            ("safe", "quorum", true, false),
            ("tasks", "classic", true, false),
        ]
    );
    assert_eq!(topology.queues[2].arguments["x-message-ttl"], 5000);
    let exchanges: Vec<_> = topology
        .exchanges
        .iter()
        .map(|exchange| (exchange.name.as_str(), exchange.kind.as_str()))
        .collect();
    assert_eq!(exchanges, [("logs", "topic")]);
    let bindings: Vec<_> = topology
        .bindings
        .iter()
        .map(|binding| {
            (
                binding.source.as_str(),
                binding.destination.as_str(),
                binding.routing_key.as_str(),
            )
        })
        .collect();
    assert_eq!(bindings, [("logs", "tasks", "*.error")]);
    lease.release().await.unwrap();
}

async fn a_cleared_lease_is_as_good_as_a_fresh_one(broker: &Broker) {
    let lease = broker.lease().await.unwrap();
    let connection = connect(&lease.amqp_url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for exclusive in [false, true] {
        let options = QueueDeclareOptions {
            exclusive,
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let name = format!("exclusive is {exclusive}");
        channel
            .queue_declare(name.into(), options, FieldTable::default())
            .await
            .unwrap();
    }
    channel
        .exchange_declare(
            "logs".into(),
            ExchangeKind::Fanout,
            ExchangeDeclareOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    assert!(
        !lease.clear().await.unwrap(),
        "an exclusive queue is another connection's"
    );
    connection
        .close(200, "the exclusive queue goes".into())
        .await
        .unwrap();
    // RabbitMQ 4.3.6 lists it for some milliseconds more.
    while !lease.clear().await.unwrap() {}
    let left = lease.topology().await.unwrap();
    assert_eq!(left, workbook_broker::Topology::default());

    let connection = connect(&lease.amqp_url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel
        .exchange_bind(
            "amq.fanout".into(),
            "amq.topic".into(),
            "#".into(),
            ExchangeBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    assert!(
        !lease.clear().await.unwrap(),
        "a binding between exchanges that nobody may delete stays"
    );
    lease.release().await.unwrap();
}

async fn a_bounded_queue_refuses_what_is_too_much(broker: &Broker) {
    let lease = broker.lease().await.unwrap();
    let connection = connect(&lease.amqp_url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let publish = async |queue: &str| {
        let properties = BasicProperties::default();
        let published =
            channel.basic_publish("".into(), queue.into(), <_>::default(), b"x", properties);
        published.await.unwrap().await.unwrap()
    };
    // The name is taken as it is, and not as a pattern.
    for queue in ["a.b", "a-b"] {
        let durable = QueueDeclareOptions::durable();
        channel
            .queue_declare(queue.into(), durable, FieldTable::default())
            .await
            .unwrap();
    }
    lease.refuse_beyond("a.b", 2).await.unwrap();
    let mut taken = 0;
    while publish("a.b").await.is_ack() {
        taken += 1;
        assert!(taken < 1000, "nothing is refused");
    }
    assert!(taken >= 2, "{taken}");
    channel
        .queue_purge("a.b".into(), <_>::default())
        .await
        .unwrap();
    assert!(publish("a.b").await.is_ack());
    assert!(publish("a.b").await.is_ack());
    assert!(publish("a.b").await.is_nack());
    for _ in 0..3 {
        assert!(publish("a-b").await.is_ack());
    }
    connection.close(200, "bye".into()).await.unwrap();
    assert!(!lease.clear().await.unwrap(), "the policy is left");
    lease.release().await.unwrap();
}

/// `connection.close` with 320 (`CONNECTION_FORCED`) for everybody in it.
async fn the_connections_of_a_lease_are_closed_and_no_others(broker: &Broker) {
    let (one, two) = tokio::join!(broker.lease(), broker.lease());
    let (one, two) = (one.unwrap(), two.unwrap());
    // That there is none is no error.
    one.close_connections(0, "nobody is there").await.unwrap();
    let url = one.amqp_url();
    let other = connect(&two.amqp_url()).await.unwrap();
    // Also one that has only just been opened, which the broker does not list yet.
    for _ in 0..20 {
        let (first, second) = tokio::join!(connect(&url), connect(&url));
        let connections = [first.unwrap(), second.unwrap()];
        let heard = connections
            .each_ref()
            .map(|it| Box::pin(it.events_listener()));
        one.close_connections(2, "the course is over")
            .await
            .unwrap();
        for mut events in heard {
            let error = loop {
                let next = tokio::time::timeout(Duration::from_secs(20), events.next());
                let event = next.await.expect("it is closed");
                if let Event::Error(error) = event.expect("it ends with an error") {
                    break error.to_string();
                }
            };
            assert!(error.contains("the course is over"), "{error}");
        }
    }
    let channel = other.create_channel().await.unwrap();
    channel.close(200, "bye".into()).await.unwrap();
    other.close(200, "bye".into()).await.unwrap();
    one.release().await.unwrap();
    two.release().await.unwrap();
}

/// A first try with other options stands in the way of the next, until its queue is gone.
async fn what_is_left_by_hand_can_be_deleted(broker: &Broker) {
    let connection = connect(&broker.amqp_url()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let declare = async |name: &str, options: QueueDeclareOptions| {
        let declared = channel.queue_declare(name.into(), options, FieldTable::default());
        declared.await.unwrap().message_count()
    };
    declare("left", QueueDeclareOptions::durable()).await;
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    declare("in use", exclusive).await;
    let exchange = channel.exchange_declare(
        "left too".into(),
        ExchangeKind::Fanout,
        ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        },
        FieldTable::default(),
    );
    exchange.await.unwrap();
    let removed = broker.reset().await.unwrap();
    let queues: Vec<&str> = removed.queues.iter().map(|it| it.name.as_str()).collect();
    let exchanges: Vec<&str> = removed
        .exchanges
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!((queues, exchanges), (vec!["left"], vec!["left too"]));
    // It takes other options now; and who is running keeps what is its own.
    let mut limited = FieldTable::default();
    limited.insert("x-max-length".into(), AMQPValue::LongInt(1));
    let durable = QueueDeclareOptions::durable();
    let declared = channel.queue_declare("left".into(), durable, limited);
    declared.await.unwrap();
    declare("in use", exclusive).await;
    broker.reset().await.unwrap();
    connection.close(200, "bye".into()).await.unwrap();
    let nothing = broker.reset().await.unwrap();
    assert!(nothing.queues.is_empty() && nothing.exchanges.is_empty());
}

/// A disk that is slow for a moment holds nothing up.
fn a_containers_data_is_in_memory(world: &World) {
    let name = world.record(Kind::Docker)["place"]["container"]
        .as_str()
        .unwrap()
        .to_owned();
    let script = "find /workbook-data -name 'rabbit*' | grep -q . && stat -f -c %T /workbook-data";
    let output = Command::new("docker")
        .args(["exec", &name, "sh", "-c", script])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "tmpfs",
        "{output:?}"
    );
}

async fn guest_works_by_hand_and_governs_nothing(broker: &Broker) {
    connect(&broker.amqp_url())
        .await
        .unwrap()
        .close(200, "bye".into())
        .await
        .unwrap();
    assert_eq!(asked(broker, ("guest", "guest"), "overview").0, 200);
    assert_eq!(asked(broker, ("guest", "guest"), "users").0, 401);
    let lease = broker.lease().await.unwrap();
    let url = format!(
        "amqp://guest:guest@{}/{}",
        lease.amqp_address(),
        lease.vhost()
    );
    assert!(connect(&url).await.is_err());
    lease.release().await.unwrap();
}

/// As when each `#[test]` has a runtime of its own, and a lease outlives the one it was made in.
fn a_lease_may_cross_runtimes(broker: &Broker) {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let lease = runtime().block_on(broker.lease()).unwrap();
            assert_eq!(runtime().block_on(lease.queues()).unwrap(), []);
            runtime().block_on(lease.topology()).unwrap();
            runtime().block_on(lease.release()).unwrap();
            // And dropped where there is none.
            let lease: Lease = runtime().block_on(broker.lease()).unwrap();
            drop(lease);
        });
    });
}

fn a_lease_goes_with_a_panic(broker: &Broker) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let failed = catch_unwind(AssertUnwindSafe(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let _lease = broker.lease().await.unwrap();
                    // As a panic, without its message.
                    std::panic::resume_unwind(Box::new("on purpose"));
                });
            }));
            assert!(failed.is_err());
        });
    });
}

fn what_a_killed_process_leaves_is_swept(world: &World, broker: &Broker) {
    let alive = Holder::start(world);
    let killed = Holder::start(world).kill();
    let there = leases_on(world, broker);
    // A vhost and a user each.
    assert_eq!(
        there.iter().filter(|name| **name == killed).count(),
        2,
        "{there:?}"
    );

    // The next process sweeps; this one has long taken its first lease.
    let next = Holder::start(world);
    let there = leases_on(world, broker);
    assert!(!there.contains(&killed), "{there:?}");
    assert!(
        there.contains(&alive.told) && there.contains(&next.told),
        "{there:?}"
    );
    let locks = world.options.state.path().join("leases");
    let id = killed.split('-').nth(2).unwrap();
    assert!(!locks.join(format!("{id}.lock")).exists());
    next.end();
    alive.end();
    assert_eq!(leases_on(world, broker), Vec::<String>::new());
}

async fn somebody_elses_broker_is_used_by_its_address(world: &World, broker: &Broker) {
    let (user, password) = world.administrator(broker.kind());
    let amqp = broker.amqp_address();
    let elsewhere = |login: &str| -> World {
        let address: Address = format!("amqp://{login}@{amqp}/%2f").parse().unwrap();
        World::new(Choice::Address(
            address.with_management_url(broker.management_url().clone()),
        ))
    };
    let other = elsewhere(&format!("{user}:{password}"));
    let found = Broker::find_or_start(&other.options).await.unwrap();
    assert_eq!(found.kind(), Kind::Address);
    assert_eq!(found.version(), broker.version());
    assert!(
        !found.amqp_url().contains(&password),
        "{}",
        found.amqp_url()
    );
    let refused = found.reset().await.unwrap_err();
    assert!(matches!(refused, Error::Setting { .. }), "{refused}");
    let lease = found.lease().await.unwrap();
    connect(&lease.amqp_url())
        .await
        .unwrap()
        .close(200, "bye".into())
        .await
        .unwrap();
    // Another machine's leases, as far as names tell, are left alone by our sweep.
    Holder::start(world).end();
    assert_eq!(lease.queues().await.unwrap(), []);
    lease.release().await.unwrap();
    assert!(
        Broker::down(&other.options).await.unwrap().is_empty(),
        "theirs is never stopped"
    );
    Broker::find_or_start(&other.options).await.unwrap();

    let wrong = elsewhere("me:hush");
    let error = Broker::find_or_start(&wrong.options).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Management {
                status: Some(401),
                ..
            }
        ),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
    // A user without the tag `administrator` may look, and may make no vhost.
    let guest = elsewhere("guest:guest");
    let error = Broker::find_or_start(&guest.options)
        .await
        .unwrap()
        .lease()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Management {
                status: Some(401 | 403),
                ..
            }
        ),
        "{error}"
    );
}
