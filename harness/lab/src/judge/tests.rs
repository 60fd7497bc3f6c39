#![allow(
    clippy::expect_used,
    reason = "a test may stop at what it does not expect"
)]

use std::rc::Rc;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use workbook_broker::{Broker, Options};

use super::{Declare, Judge, Outgoing};
use crate::wait::{Bell, DEADLINE};

/// Ways to declare a queue in which a message may overtake another one.
fn kinds() -> Vec<(&'static str, FieldTable)> {
    let with = |name: &str, value| {
        let mut arguments = FieldTable::default();
        arguments.insert(name.into(), value);
        arguments
    };
    let quorum = AMQPValue::LongString("quorum".into());
    vec![
        ("plain", FieldTable::default()),
        ("five", with("x-max-priority", AMQPValue::LongInt(5))),
        ("quorum", with("x-queue-type", quorum)),
    ]
}

#[tokio::test]
async fn all_is_taken_from_a_queue_whatever_its_priorities() {
    let options = Options::from_env().expect("the choice of a broker");
    let broker = Broker::find_or_start(&options).await.expect("a broker");
    let lease = broker.lease().await.expect("a virtual host");
    let judge = Judge::connect(&lease, &Rc::default(), &Bell::new(DEADLINE))
        .await
        .expect("a connection");
    let priorities = [Some(0), None, Some(1), Some(4), Some(5), Some(255)];
    for (queue, arguments) in kinds() {
        let declare = Declare {
            queue: queue.into(),
            durable: true,
            arguments,
            ..Declare::default()
        };
        judge.declare_as(&declare).await.expect("a queue");
        let messages = priorities.iter().map(|priority| Outgoing {
            key: queue,
            properties: match priority {
                None => BasicProperties::default(),
                Some(priority) => BasicProperties::default().with_priority(*priority),
            },
            body: b"one of them",
        });
        let routed = judge.emit("", "they are published", messages).await;
        assert!(routed.expect("the broker takes them"), "{queue}");

        let taken = judge.take(queue).await.expect("they can be taken");
        let taken = taken.expect("there is such a queue");
        let mut found: Vec<_> = (taken.iter())
            .map(|message| *message.properties.priority())
            .collect();
        found.sort_unstable();
        let mut wanted = priorities.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{queue}");
        let left = judge.queue(queue).await.expect("it can be looked at");
        assert_eq!(left.map(|depth| depth.messages), Some(0), "{queue}");
    }
    drop(judge);
    lease.release().await.expect("the virtual host goes");
}
