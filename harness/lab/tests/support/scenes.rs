//! Small lapin programs that each do one thing wrong: through taps of their own, and on a real broker.

use std::sync::{Arc, mpsc};

use amqp_tap::{Cut, Event, Fault, Rule, Side, TapOptions, What, broker};
use futures_util::{StreamExt as _, future::join_all};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use workbook_broker::{Lease, OwnBroker};

use super::DEADLINE;
pub use super::stage::Recorded;
use super::stage::{
    Stage, acks, closes, connect, consumes_as, declares, declares_as, gets, is_refused, publishes,
    publishes_as,
};
use super::wire::Wire;

/// A scene, and what has to be found in it.
#[derive(Debug)]
pub struct Scene {
    pub name: &'static str,
    /// The only finding: whose, which, and the frames that prove it.
    pub finding: &'static str,
    /// It takes a broker that may be starved and told what to refuse.
    pub own: bool,
}

const fn scene(name: &'static str, finding: &'static str) -> Scene {
    Scene {
        name,
        finding,
        own: false,
    }
}

const fn own(name: &'static str, finding: &'static str) -> Scene {
    Scene {
        name,
        finding,
        own: true,
    }
}

/// All of them.
pub const SCENES: &[Scene] = &[
    scene(
        "exclusive-consumer",
        "two: access-refused: basic.consume, channel.close",
    ),
    scene(
        "reserved-name",
        "program: access-refused: queue.declare, channel.close",
    ),
    scene(
        "wrong-password",
        "program: access-refused: connection.close",
    ),
    scene(
        "exclusive-queue",
        "two: resource-locked: queue.declare, channel.close, queue.declare of one",
    ),
    scene(
        "acks-twice",
        "program: double-ack: basic.ack, channel.close",
    ),
    scene(
        "acks-on-another-channel",
        "program: ack-on-other-channel: basic.deliver, basic.ack, channel.close",
    ),
    scene(
        "acks-although-automatic",
        "program: ack-after-automatic-ack: basic.deliver, basic.ack, channel.close",
    ),
    scene(
        "acks-an-invented-tag",
        "program: unknown-delivery-tag: basic.ack, channel.close",
    ),
    scene(
        "publishes-immediate",
        "program: broker-error: basic.publish, connection.close",
    ),
    scene("declares-nothing", "two: declared-nothing: basic.publish"),
    scene(
        "awaits-no-confirm",
        "program: confirm-not-awaited: basic.publish, channel.close",
    ),
    scene(
        "ignores-a-return",
        "program: returned-message-ignored: basic.return",
    ),
    scene(
        "connects-for-each-message",
        "program: connection-churn: connected",
    ),
    scene(
        "blocks-its-thread",
        "program: heartbeat-missed: basic.consume, gone",
    ),
    scene("never-connects", "program: never-connected: "),
    scene(
        "ignores-a-cut",
        "program: lost-connection-ignored: cut by a fault",
    ),
    scene("speaks-http", "program: unreadable: unreadable"),
    scene(
        "sends-a-long-header",
        "program: frame-too-large: unreadable",
    ),
    scene(
        "chooses-small-frames",
        "program: negotiation-refused: connection.tune, connection.tune-ok, dropped by the broker without connection.close",
    ),
    scene(
        "leaves-while-opening",
        "program: connection-not-opened: connection.tune-ok, dropped by the client without connection.close",
    ),
    scene(
        "opens-many-channels",
        "program: limit-passed: limit: channels",
    ),
    own(
        "is-blocked",
        "program: connection-blocked: connection.blocked",
    ),
    own(
        "transient-queue",
        "program: transient-queue-refused: queue.declare, connection.close",
    ),
];

/// What happens in a scene: each program as it was recorded, and its tape as JSON lines.
pub async fn play(scene: &Scene, lease: &Lease, own: Option<&OwnBroker>) -> Vec<Recorded> {
    let stage = Stage { lease };
    match scene.name {
        "exclusive-consumer" => exclusive_consumer(&stage).await,
        "reserved-name" => reserved_name(&stage).await,
        "wrong-password" => wrong_password(&stage).await,
        "exclusive-queue" => exclusive_queue(&stage).await,
        "acks-twice" => acks_twice(&stage).await,
        "acks-on-another-channel" => acks_on_another_channel(&stage).await,
        "acks-although-automatic" => acks_although_automatic(&stage).await,
        "acks-an-invented-tag" => acks_an_invented_tag(&stage).await,
        "publishes-immediate" => publishes_immediate(&stage).await,
        "declares-nothing" => declares_nothing(&stage).await,
        "awaits-no-confirm" => awaits_no_confirm(&stage).await,
        "ignores-a-return" => ignores_a_return(&stage).await,
        "connects-for-each-message" => connects_for_each_message(&stage).await,
        "blocks-its-thread" => blocks_its_thread(&stage).await,
        "never-connects" => vec![stage.enters("program").await.recorded(Some(0))],
        "ignores-a-cut" => ignores_a_cut(&stage).await,
        "speaks-http" => speaks_http(&stage).await,
        "sends-a-long-header" => sends_a_long_header(&stage).await,
        "chooses-small-frames" => chooses_small_frames(&stage).await,
        "leaves-while-opening" => leaves_while_opening(&stage).await,
        "opens-many-channels" => opens_many_channels(&stage).await,
        "is-blocked" => is_blocked(&stage, own.expect("a broker of its own")).await,
        "transient-queue" => transient_queue(&stage, own.expect("a broker of its own")).await,
        other => panic!("there is no scene {other}"),
    }
}

async fn exclusive_consumer(stage: &Stage<'_>) -> Vec<Recorded> {
    let (one, two) = (stage.enters("one").await, stage.enters("two").await);
    let (first, channel) = one.begins().await;
    declares(&channel, "hello").await;
    let exclusive = BasicConsumeOptions {
        exclusive: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = consumes_as(&channel, "hello", exclusive).await;
    let _consumer = consumer.expect("nobody else consumes");
    let (second, other) = two.begins().await;
    declares(&other, "hello").await;
    let refused = consumes_as(&other, "hello", BasicConsumeOptions::default()).await;
    refused.expect_err("it is refused");
    closes(&second).await;
    let two = two.exits(1).await;
    closes(&first).await;
    vec![one.exits(0).await, two]
}

async fn reserved_name(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    let declared = declares_as(&channel, "amq.hello", QueueDeclareOptions::durable());
    declared.await.expect_err("the name is the broker's own");
    closes(&connection).await;
    vec![program.exits(1).await]
}

async fn wrong_password(stage: &Stage<'_>) -> Vec<Recorded> {
    let own_login = |options: &mut TapOptions| options.login = None;
    let program = stage.enters_as("program", own_login).await;
    let url = program.url().replace("guest:guest", "guest:guess");
    let refused = Connection::connect(&url, ConnectionProperties::default());
    refused.await.expect_err("it is refused");
    vec![program.exits(1).await]
}

async fn exclusive_queue(stage: &Stage<'_>) -> Vec<Recorded> {
    let (one, two) = (stage.enters("one").await, stage.enters("two").await);
    let (first, channel) = one.begins().await;
    let declared = declares_as(&channel, "mine", QueueDeclareOptions::exclusive());
    declared.await.expect("a queue");
    let (second, other) = two.begins().await;
    let refused = declares_as(&other, "mine", QueueDeclareOptions::exclusive());
    refused.await.expect_err("it is the other's");
    closes(&second).await;
    let two = two.exits(1).await;
    closes(&first).await;
    vec![one.exits(0).await, two]
}

async fn acks_twice(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    let (_consumer, delivery) = gets(&channel, false).await;
    acks(&channel, delivery.delivery_tag).await;
    acks(&channel, delivery.delivery_tag).await;
    is_refused(&channel).await;
    closes(&connection).await;
    vec![program.exits(1).await]
}

async fn acks_on_another_channel(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    let other = connection.create_channel().await.expect("a channel");
    let (_consumer, delivery) = gets(&channel, false).await;
    acks(&other, delivery.delivery_tag).await;
    is_refused(&other).await;
    closes(&connection).await;
    vec![program.exits(1).await]
}

async fn acks_although_automatic(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    let (_consumer, delivery) = gets(&channel, true).await;
    acks(&channel, delivery.delivery_tag).await;
    is_refused(&channel).await;
    closes(&connection).await;
    vec![program.exits(1).await]
}

async fn acks_an_invented_tag(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    let (_consumer, delivery) = gets(&channel, false).await;
    acks(&channel, delivery.delivery_tag + 6).await;
    is_refused(&channel).await;
    closes(&connection).await;
    vec![program.exits(1).await]
}

/// RabbitMQ has no `immediate` any more: 540.
async fn publishes_immediate(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (_connection, channel) = program.begins().await;
    declares(&channel, "hello").await;
    let immediate = BasicPublishOptions {
        immediate: true,
        ..BasicPublishOptions::default()
    };
    publishes_as(&channel, "hello", immediate).await;
    is_refused(&channel).await;
    vec![program.exits(1).await]
}

async fn declares_nothing(stage: &Stage<'_>) -> Vec<Recorded> {
    let (one, two) = (stage.enters("one").await, stage.enters("two").await);
    let (first, channel) = one.begins().await;
    declares(&channel, "hello").await;
    closes(&first).await;
    let one = one.exits(0).await;
    let (second, channel) = two.begins().await;
    publishes(&channel, "hello").await;
    closes(&second).await;
    vec![one, two.exits(0).await]
}

/// Messages of a quorum queue are on disk before they are confirmed, so their confirms come later than what the program
/// sends without waiting for them: nearly always, and it does so again and again.
async fn awaits_no_confirm(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let connection = program.connects().await;
    for _ in 0..5 {
        let channel = connection.create_channel().await.expect("a channel");
        let mut quorum = FieldTable::default();
        let kind = AMQPValue::LongString("quorum".into());
        quorum.insert("x-queue-type".into(), kind);
        channel
            .queue_declare("hello".into(), QueueDeclareOptions::durable(), quorum)
            .await
            .expect("a queue");
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        confirms.await.expect("confirms");
        for _ in 0..10 {
            publishes(&channel, "hello").await;
        }
        let closed = channel.close(200, "done".into());
        closed.await.expect("it closes");
    }
    closes(&connection).await;
    vec![program.exits(0).await]
}

async fn ignores_a_return(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    let confirms = channel.confirm_select(ConfirmSelectOptions::default());
    confirms.await.expect("confirms");
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    declares(&channel, "hello").await;
    let properties = BasicProperties::default();
    let published = channel.basic_publish("".into(), "news".into(), mandatory, b"hi", properties);
    let confirmed = published.await.expect("published");
    confirmed.await.expect("it is confirmed all the same");
    closes(&connection).await;
    vec![program.exits(0).await]
}

/// At the same time, so that they are near each other however busy the machine is.
async fn connects_for_each_message(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let message = async |_| {
        let (connection, channel) = program.begins().await;
        declares(&channel, "hello").await;
        publishes(&channel, "hello").await;
        closes(&connection).await;
    };
    join_all((0..10).map(message)).await;
    vec![program.exits(0).await]
}

/// The program's only thread waits for something else than the broker, as long work does.
async fn blocks_its_thread(stage: &Stage<'_>) -> Vec<Recorded> {
    let soon = |options: &mut TapOptions| options.heartbeat = Some(1);
    let program = stage.enters_as("program", soon).await;
    let url = program.url();
    let (work, done) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let connection = connect(&url).await;
            let channel = connection.create_channel().await.expect("a channel");
            declares(&channel, "hello").await;
            let consumer = consumes_as(&channel, "hello", BasicConsumeOptions::default()).await;
            let _consumer = consumer.expect("a consumer");
            let _ = done.recv();
        });
    });
    let tape = program.tap.tape().clone();
    let given_up = |events: &[Arc<Event>]| {
        // A side that still had something to read resets the connection.
        let left = |it: &&Arc<Event>| {
            matches!(it.what, What::Closed(_))
                || (it.from == Side::Broker && it.what == What::HalfClosed)
        };
        events.iter().find(left).map(|_| ())
    };
    tape.wait_until(DEADLINE, given_up)
        .await
        .expect("the broker gives up");
    drop(work);
    let ended = tokio::task::spawn_blocking(move || thread.join()).await;
    ended.expect("a thread").expect("it ends well");
    vec![program.exits(1).await]
}

async fn ignores_a_cut(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    declares(&channel, "hello").await;
    let consumer = consumes_as(&channel, "hello", BasicConsumeOptions::default()).await;
    let mut consumer = consumer.expect("a consumer");
    let cut = program.tap.inject(Fault::Cut(Cut::Reset), Rule::now());
    cut.hit_by(DEADLINE).await.expect("it hits");
    while let Some(Ok(_)) = consumer.next().await {}
    drop(connection);
    vec![program.exits(0).await]
}

async fn speaks_http(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let address = program.tap.endpoint().tcp().expect("a port");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = b"GET /api/overview HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.expect("written");
    vec![program.exits(1).await]
}

async fn sends_a_long_header(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let mut wire = Wire::greets(&program).await;
    wire.tunes(8192).await;
    wire.opens().await;
    wire.publishes_a_header(9000).await;
    wire.until_ended().await;
    vec![program.exits(1).await]
}

/// The broker closes the socket after 3 s, without a word.
async fn chooses_small_frames(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let mut wire = Wire::greets(&program).await;
    wire.tunes(1024).await;
    wire.until_ended().await;
    vec![program.exits(1).await]
}

async fn leaves_while_opening(stage: &Stage<'_>) -> Vec<Recorded> {
    let program = stage.enters("program").await;
    let mut wire = Wire::greets(&program).await;
    wire.tunes(131_072).await;
    drop(wire);
    vec![program.exits(1).await]
}

async fn opens_many_channels(stage: &Stage<'_>) -> Vec<Recorded> {
    let few = |options: &mut TapOptions| options.limits.channels = 8;
    let program = stage.enters_as("program", few).await;
    let connection = program.connects().await;
    let mut channels = Vec::new();
    while let Ok(channel) = connection.create_channel().await {
        channels.push(channel);
    }
    assert_eq!(channels.len(), 8);
    vec![program.exits(1).await]
}

/// lapin holds back what it is asked to publish while the connection is blocked, so the program waits and says nothing.
async fn is_blocked(stage: &Stage<'_>, own: &OwnBroker) -> Vec<Recorded> {
    let mut program = stage.enters("program").await;
    let (connection, channel) = program.begins().await;
    declares(&channel, "hello").await;
    let confirms = channel.confirm_select(ConfirmSelectOptions::default());
    confirms.await.expect("confirms");
    own.starve().await.expect("a memory alarm");
    program.says("Sent 'hi'");
    // The broker tells those who publish once the alarm has reached them.
    let told = broker("connection.blocked");
    loop {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let published =
            channel.basic_publish("".into(), "hello".into(), options, b"hi", properties);
        let confirmed = published.await.expect("published");
        tokio::select! {
            biased;
            blocked = program.tap.tape().wait_for_frame(DEADLINE, &told) => {
                blocked.expect("it is told");
                break;
            }
            confirmed = confirmed => drop(confirmed.expect("it is confirmed")),
        }
    }
    let recorded = program.waits();
    own.feed().await.expect("no memory alarm");
    closes(&connection).await;
    vec![recorded]
}

async fn transient_queue(stage: &Stage<'_>, own: &OwnBroker) -> Vec<Recorded> {
    let refuses = own.refuse_transient_queues().await;
    refuses.expect("the broker knows the setting");
    let program = stage.enters("program").await;
    let (_connection, channel) = program.begins().await;
    let refused = declares_as(&channel, "hello", QueueDeclareOptions::default());
    refused.await.expect_err("it is refused");
    vec![program.exits(1).await]
}
