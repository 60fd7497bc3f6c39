//! The table of all findings: name, severity, and the page that teaches it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Severity;

macro_rules! findings {
    ($($(#[$doc:meta])* $variant:ident $name:literal $severity:ident $chapter:literal;)*) => {
        /// What a finding is about. Its name (`discarded-publish`) is also its key in the message catalogue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FindingId {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl FindingId {
            /// All of them, in the order in which they are told.
            pub const ALL: &[FindingId] = &[$(FindingId::$variant,)*];

            /// Its name, in kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How grave it is.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }

            /// The page and anchor that teach it.
            pub const fn chapter(self) -> &'static str {
                match self {
                    $(Self::$variant => $chapter,)*
                }
            }
        }
    };
}

findings! {
    // What the broker refused.
    /// 404: no queue of that name.
    QueueNotFound "queue-not-found" Error "hello-world.html#receive-declares-nothing";
    /// 404: no exchange of that name.
    ExchangeNotFound "exchange-not-found" Error "publish-subscribe.html#no-exchange";
    /// 406: declared again, with other options.
    InequivalentArguments "inequivalent-arguments" Error "hello-world.html#different-arguments";
    /// 406: a delivery was acknowledged twice.
    DoubleAck "double-ack" Error "work-queues.html#acks-twice";
    /// 406: a delivery was acknowledged on a channel that did not deliver it.
    AckOnOtherChannel "ack-on-other-channel" Error "work-queues.html#acks-on-another-channel";
    /// 406: acknowledged, although the consumer's acknowledgement is automatic.
    AckAfterAutomaticAck "ack-after-automatic-ack" Error "work-queues.html#automatic-ack";
    /// 406: no such delivery, for another reason.
    UnknownDeliveryTag "unknown-delivery-tag" Error "work-queues.html#acks-twice";
    /// 405: another connection's exclusive queue.
    ResourceLocked "resource-locked" Error "publish-subscribe.html#subscribing";
    /// 403: the login, a permission, or an exclusive consumer.
    AccessRefused "access-refused" Error "hello-world.html#when-it-goes-wrong";
    /// 541: this broker does not permit queues that are transient and not exclusive.
    TransientQueueRefused "transient-queue-refused" Error "hello-world.html#internal-error-541";
    /// 406: direct reply-to without its conditions.
    DirectReplyTo "direct-reply-to" Error "rpc.html#direct-reply-to-refused";
    /// Any other error of the broker.
    BrokerError "broker-error" Error "hello-world.html#when-it-goes-wrong";

    // Publishing.
    /// Published, and no queue was there to take it.
    DiscardedPublish "discarded-publish" Error "hello-world.html#send-declares-nothing";
    /// Ended before the publish left the program.
    PublishNotFlushed "publish-not-flushed" Error "hello-world.html#ends-before-flush";
    /// Said `Sent` before it had even reached the broker.
    SentTooEarly "sent-too-early" Error "hello-world.html#no-broker";
    /// Another body than the text or the arguments give.
    OtherBody "other-body" Error "hello-world.html#wrong-body";
    /// A queue that nobody else uses, and whose name is nearly right.
    UnusedQueue "unused-queue" Error "hello-world.html#wrong-queue-name";
    /// Threw away messages that waited.
    QueuePurged "queue-purged" Error "hello-world.html#running-it";
    /// Closed before the confirms that it asked for had arrived.
    ConfirmNotAwaited "confirm-not-awaited" Error "hello-world.html#sending";
    /// A message came back, and the program behaved as if it had not.
    ReturnedMessageIgnored "returned-message-ignored" Error "hello-world.html#sending";
    /// Published outside of confirm mode, where the chapter asks for confirms.
    ConfirmModeMissing "confirm-mode-missing" Error "publisher-confirms.html#no-confirm-mode";
    /// Said `confirmed` of a message that came back or was refused.
    ReportedAsConfirmed "reported-as-confirmed" Error "publisher-confirms.html#returned-as-confirmed";
    /// Took a confirm for many as one for the last of them.
    MultipleIgnored "multiple-ignored" Error "publisher-confirms.html#multiple-ignored";
    /// Published again without a sign that it may be there already.
    RepublishedUnmarked "republished-unmarked" Error "publisher-confirms.html#republished-unmarked";
    /// Uses a queue that only others declare.
    DeclaredNothing "declared-nothing" Advice "hello-world.html#receive-declares-nothing";
    /// A queue that does not survive a restart, where the chapter asks that it does.
    QueueNotDurable "queue-not-durable" Error "work-queues.html#transient-queue";
    /// A message that does not survive a restart, where the chapter asks that it does.
    MessageNotPersistent "message-not-persistent" Error "work-queues.html#not-persistent";
    /// An exchange that the text does not give.
    OtherExchange "other-exchange" Error "publish-subscribe.html#other-exchange";
    /// Another routing key than the program was started with.
    OtherRoutingKey "other-routing-key" Error "routing.html#other-key";
    /// Other headers than the program was started with, in a message or in a binding.
    OtherHeaders "other-headers" Error "headers.html#other-headers";
    /// A binding that asks for another number of headers than the program was started with.
    OtherXMatch "other-x-match" Error "headers.html#other-x-match";

    /// Something that stays in the broker, and that the text does not give.
    LeftBehind "left-behind" Error "hello-world.html#leaves-something-behind";

    // Subscribing.
    /// Subscribers that take each other's messages away.
    SharedQueue "shared-queue" Error "publish-subscribe.html#shared-queue";
    /// A queue that anybody may use, and that stays.
    QueueNotExclusive "queue-not-exclusive" Error "publish-subscribe.html#leftover-queue";
    /// A queue that no exchange knows of.
    QueueNotBound "queue-not-bound" Error "publish-subscribe.html#forgets-to-bind";
    /// A key that the program was started with, and no binding.
    ArgumentNotBound "argument-not-bound" Error "routing.html#first-only";
    /// A queue for each binding, where one queue with all of them is meant.
    QueuePerBinding "queue-per-binding" Error "routing.html#queue-for-each";

    // Remote calls.
    /// A reply to another place than the request asks for.
    MisdirectedReply "misdirected-reply" Error "rpc.html#wrong-exchange";
    /// A reply without the correlation id of its request.
    ReplyWithoutId "reply-without-id" Error "rpc.html#reply-without-id";
    /// A request that the broker has forgotten before there is a reply.
    AckBeforeReply "ack-before-reply" Error "rpc.html#acks-first";
    /// Two calls with the same correlation id.
    ReusedCorrelationId "reused-correlation-id" Error "rpc.html#fixed-id";
    /// The reply to somebody else's call, taken for the result.
    ForeignReply "foreign-reply" Error "rpc.html#takes-any-reply";

    // Consuming.
    /// Deliveries that it was done with and never settled.
    UnackedDeliveries "unacked-deliveries" Error "work-queues.html#forgets-to-ack";
    /// Acknowledged before the work can have been done.
    AckBeforeDone "ack-before-done" Error "work-queues.html#acks-before-the-work";
    /// Messages lost, because acknowledgement was automatic.
    WorkLost "work-lost" Error "work-queues.html#automatic-ack";
    /// The same message put back, again and again.
    RedeliveryLoop "redelivery-loop" Error "work-queues.html#requeues-for-ever";
    /// Ended by itself although it ought to wait for more.
    StoppedEarly "stopped-early" Error "hello-world.html#stops-after-one";
    /// Asks for messages again and again, instead of letting the broker send them.
    Polls "polls" Error "hello-world.html#polls";
    /// A body that it could not handle ended it.
    DiedOnDelivery "died-on-delivery" Error "hello-world.html#dies-on-bytes";
    /// Printed the numbers of the bytes instead of the text.
    BytesPrinted "bytes-printed" Error "hello-world.html#prints-bytes";
    /// `basic.qos` after `basic.consume`: it does nothing for that consumer.
    PrefetchTooLate "prefetch-too-late" Advice "work-queues.html#prefetch-after-consume";
    /// No prefetch is in force.
    PrefetchMissing "prefetch-missing" Advice "work-queues.html#no-prefetch";
    /// `basic.qos` with `global`.
    PrefetchGlobal "prefetch-global" Advice "work-queues.html#global-prefetch";

    // Connections.
    /// Never came to the address that it was given.
    NeverConnected "never-connected" Error "hello-world.html#other-address";
    /// Ended without `connection.close`.
    ConnectionNotClosed "connection-not-closed" Error "hello-world.html#never-closes";
    /// The connection broke, and it exited as if all were well.
    LostConnectionIgnored "lost-connection-ignored" Error "hello-world.html#no-broker";
    /// Goes on after Ctrl-C.
    InterruptIgnored "interrupt-ignored" Error "hello-world.html#receiving";
    /// Silent for so long that the broker took it for dead.
    HeartbeatMissed "heartbeat-missed" Error "work-queues.html#blocks-io";
    /// Many connections in a short time.
    ConnectionChurn "connection-churn" Advice "hello-world.html#in-production";
    /// The broker takes no more messages for now.
    ConnectionBlocked "connection-blocked" Advice "hello-world.html#in-production";
    /// Sent what is no AMQP 0-9-1.
    Unreadable "unreadable" Error "how-it-sees.html#not-amqp";
    /// Sent a frame that is larger than what was agreed.
    FrameTooLarge "frame-too-large" Error "how-it-sees.html#frame-too-large";
    /// Answered `connection.tune` with what the broker does not accept.
    NegotiationRefused "negotiation-refused" Error "how-it-sees.html#negotiation-refused";
    /// Ended, or was ended, while it was being opened.
    ConnectionNotOpened "connection-not-opened" Error "how-it-sees.html#connection-not-opened";
    /// Passed a limit of the lab.
    LimitPassed "limit-passed" Error "hello-world.html#when-it-goes-wrong";
}

/// Where other chapters teach a finding in their own words: theirs comes first for who works on them.
const ALSO: &[(FindingId, &str)] = &[
    (
        FindingId::ExchangeNotFound,
        "hello-world.html#publishes-to-exchange-hello",
    ),
    (
        FindingId::UnackedDeliveries,
        "hello-world.html#never-acknowledges",
    ),
    (FindingId::WorkLost, "hello-world.html#stops-after-one"),
    (
        FindingId::LostConnectionIgnored,
        "publish-subscribe.html#ignores-cut",
    ),
    (FindingId::SharedQueue, "routing.html#shared-queue"),
    (FindingId::QueuePerBinding, "topics.html#queue-per-pattern"),
    (
        FindingId::ArgumentNotBound,
        "topics.html#first-pattern-only",
    ),
    (
        FindingId::ConfirmNotAwaited,
        "publisher-confirms.html#closes-too-early",
    ),
    (
        FindingId::ReturnedMessageIgnored,
        "publisher-confirms.html#returned",
    ),
];

impl FindingId {
    /// The page and anchor that teach it to who works on the chapter `slug`: on the chapter's own page, where that
    /// has a section for it.
    pub fn chapter_in(self, slug: &str) -> &'static str {
        let own = |section: &str| {
            section
                .strip_prefix(slug)
                .is_some_and(|rest| rest.starts_with(".html#"))
        };
        let mut also = ALSO.iter().filter(|(id, _)| *id == self);
        match also.find(|(_, section)| own(section)) {
            Some((_, section)) if !own(self.chapter()) => section,
            _ => self.chapter(),
        }
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
