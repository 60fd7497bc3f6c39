//! A program without a client library: it says what no library would.

use amqp_tap::{
    Frame,
    amq_protocol::{
        frame::{AMQPContentHeader, AMQPFrame, ProtocolVersion, WriteContext, gen_frame},
        protocol::{AMQPClass, basic, channel, connection},
        types::{AMQPValue, FieldTable},
    },
    broker,
};
use lapin::BasicProperties;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{DEADLINE, stage::Actor};

/// A connection that reads nothing: what the broker says is on the tape.
pub(super) struct Wire<'a> {
    actor: &'a Actor,
    stream: TcpStream,
}

impl<'a> Wire<'a> {
    /// Connects and greets, and waits for the broker's `connection.start`.
    pub(super) async fn greets(actor: &'a Actor) -> Self {
        let address = actor.tap.endpoint().tcp().expect("a port");
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut this = Self { actor, stream };
        let version = ProtocolVersion::amqp_0_9_1();
        this.says(&AMQPFrame::ProtocolHeader(version)).await;
        this.hears(&broker("connection.start")).await;
        this
    }

    /// Logs in, and chooses that size of frames.
    pub(super) async fn tunes(&mut self, frame_max: u32) {
        let login = connection::StartOk {
            mechanism: "PLAIN".into(),
            response: "\0guest\0guest".into(),
            locale: "en_US".into(),
            ..connection::StartOk::default()
        };
        self.connection(connection::AMQPMethod::StartOk(login))
            .await;
        self.hears(&broker("connection.tune")).await;
        let chosen = connection::TuneOk {
            channel_max: 16,
            frame_max,
            heartbeat: 60,
        };
        self.connection(connection::AMQPMethod::TuneOk(chosen))
            .await;
    }

    /// Opens the connection and a channel.
    pub(super) async fn opens(&mut self) {
        let open = connection::AMQPMethod::Open(connection::Open {
            virtual_host: "/".into(),
        });
        self.connection(open).await;
        self.hears(&broker("connection.open-ok")).await;
        let open = channel::AMQPMethod::Open(channel::Open::default());
        self.says(&AMQPFrame::Method(1, AMQPClass::Channel(open)))
            .await;
        self.hears(&broker("channel.open-ok")).await;
    }

    /// Publishes an empty message with a header so long.
    pub(super) async fn publishes_a_header(&mut self, length: usize) {
        let publish = basic::AMQPMethod::Publish(basic::Publish {
            routing_key: "hello".into(),
            ..basic::Publish::default()
        });
        self.says(&AMQPFrame::Method(1, AMQPClass::Basic(publish)))
            .await;
        let mut headers = FieldTable::default();
        let trace = "x".repeat(length);
        headers.insert("trace".into(), AMQPValue::LongString(trace.into()));
        let header = AMQPContentHeader {
            class_id: 60,
            body_size: 0,
            properties: BasicProperties::default().with_headers(headers),
        };
        self.says(&AMQPFrame::Header(1, header)).await;
    }

    /// Waits until the other side ends the connection, and ends it as well.
    pub(super) async fn until_ended(mut self) {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(DEADLINE, self.stream.read_to_end(&mut rest));
        // A reset is an end, too.
        drop(read.await.expect("the other side ends it"));
    }

    async fn connection(&mut self, method: connection::AMQPMethod) {
        self.says(&AMQPFrame::Method(0, AMQPClass::Connection(method)))
            .await;
    }

    async fn says(&mut self, frame: &AMQPFrame) {
        let written = gen_frame(frame)(WriteContext::from(Vec::new())).expect("a frame");
        let bytes = written.into_inner().0;
        self.stream.write_all(&bytes).await.expect("written");
    }

    async fn hears(&self, frame: &Frame) {
        let heard = self.actor.tap.tape().wait_for_frame(DEADLINE, frame).await;
        heard.expect("it is on the tape");
    }
}
