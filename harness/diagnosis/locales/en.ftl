# What a finding is called, and what it means. One message for each finding; its name is the message's name.
#
# Each message has a title (its value, a fragment that can follow the program's name) and an explanation (one
# paragraph: what happened in AMQP's words, why, what to do). `$program` is the program. Where an argument has no
# value, it is `none`.

queue-not-found = consumes from or names a queue that does not exist: 404 NOT_FOUND
    .explanation = `{ $program }` sent { $method } for the queue `{ $queue }`. The broker has no queue of that name, so it
        answered 404 NOT_FOUND and closed the channel. A queue exists from the moment in which some program declares
        it. { $similar ->
            [none] { $later ->
                [none] Declare the queue before you use it, with the options that the other programs use.
               *[other] `{ $later }` declares it, but only afterwards. You cannot know which program runs first, so
                    declare the queue in both, with the same options.
            }
           *[other] There is a queue named `{ $similar }`: is that the one you mean?
        }

exchange-not-found = uses an exchange that does not exist: 404 NOT_FOUND
    .explanation = `{ $program }` sent { $method } for an exchange named `{ $exchange }`. The broker has no such exchange, so it
        answers 404 NOT_FOUND and closes the channel; what was published to it is lost. { $queue ->
            [yes] `{ $exchange }` is the name of a queue. To reach a queue by its name, publish to the default exchange,
                whose name is the empty string, with the queue's name as the routing key.
           *[no] Declare the exchange before you use it. To reach a queue by its name, publish to the default
                exchange, whose name is the empty string, with the queue's name as the routing key.
        }

inequivalent-arguments = declares `{ $name }` again with other options: 406 PRECONDITION_FAILED
    .explanation = `{ $program }` declared the { $kind ->
            [exchange] exchange
           *[queue] queue
        } `{ $name }` with { $argument } = { $received }, but it exists with { $argument } = { $current }{ $owner ->
            [none] {""}
           *[other] , as `{ $owner }` declared it first
        }. To declare it again is harmless only when all options and arguments are the same; otherwise the broker
        answers 406 PRECONDITION_FAILED and closes the channel. Declare it in the same way in every program. (One
        that was left from before must be deleted first.)

double-ack = acknowledges a delivery twice: 406 PRECONDITION_FAILED
    .explanation = `{ $program }` settled the delivery with tag { $tag }, and then settled it again with { $method }. The broker
        forgets a delivery when it is acknowledged, so the second time it knows no such tag: it answers 406
        PRECONDITION_FAILED, closes the channel, and puts everything that is still unacknowledged back into its
        queue. Acknowledge each delivery once; one basic.ack with `multiple` settles all deliveries up to its tag.

ack-on-other-channel = acknowledges on another channel than the one that delivered: 406 PRECONDITION_FAILED
    .explanation = `{ $program }` got the delivery with tag { $tag } on one channel and sent { $method } for it on another one.
        Delivery tags count from 1 on each channel, and mean nothing on any other. So the broker answers 406
        PRECONDITION_FAILED and closes the channel. Acknowledge on the channel that the delivery came on.

ack-after-automatic-ack = acknowledges although acknowledgement is automatic: 406 PRECONDITION_FAILED
    .explanation = `{ $program }` consumes with automatic acknowledgement (no_ack), and then sent { $method } for the delivery with
        tag { $tag }. With automatic acknowledgement the broker has forgotten the message when it was sent, so it
        knows no such tag: it answers 406 PRECONDITION_FAILED and closes the channel. Choose one: consume without
        no_ack and acknowledge each delivery, or consume with no_ack and acknowledge none.

unknown-delivery-tag = settles a delivery that does not exist: 406 PRECONDITION_FAILED
    .explanation = `{ $program }` sent { $method } for the delivery tag { $tag }, and no unsettled delivery on that channel has this
        tag. The broker answered 406 PRECONDITION_FAILED and closed the channel. Use the tag that came with the
        delivery, on the same channel; tags from before a reconnect are dead.

resource-locked = uses another connection's exclusive queue: 405 RESOURCE_LOCKED
    .explanation = `{ $program }` sent { $method } for the queue `{ $queue }`, which is exclusive{ $owner ->
            [none] {""}
           *[other] {" "}and belongs to a connection of `{ $owner }`
        }. Only the connection that declared an exclusive queue may use it; all others get 405 RESOURCE_LOCKED, and the
        channel is closed. Share a queue that is not exclusive, or let each program declare one of its own.

access-refused = is refused: 403 ACCESS_REFUSED
    .explanation = The broker answered { $method ->
            [none] the login
           *[other] { $method }
        } of `{ $program }` with 403 ACCESS_REFUSED: "{ $text }". { $about ->
            [consumer] Another consumer has the queue for itself, or this one asked to have it while there was another.
                Consume without `exclusive` in all programs.
            [login] The user name or the password is wrong, or the user may not come from here.
           *[other] The user lacks the permission to configure, write or read that name. Names that begin with `amq.`
                are the broker's own.
        }

transient-queue-refused = declares a transient, shared queue, which this broker does not permit: 541 INTERNAL_ERROR
    .explanation = `{ $program }` declared the queue `{ $queue }` neither durable nor exclusive. This broker does not permit such
        queues any more (the deprecated feature `transient_nonexcl_queues`): it answered 541 INTERNAL_ERROR and closed
        the whole connection. Declare the queue durable, in every program that declares it.

direct-reply-to = uses direct reply-to without what it needs: 406 PRECONDITION_FAILED
    .explanation = `{ $program }` uses `amq.rabbitmq.reply-to`, which is no queue but a way straight back to the channel.
        { $why ->
            [acks] It consumed from it without no_ack. Such a reply is stored nowhere, so there is nothing to
                acknowledge. Consume with automatic acknowledgement (no_ack).
            [twice] It consumed from it a second time on the same channel. One consumer for each channel gets all its
                replies.
            [channel] It consumed from it on one channel, and published its request on another one. The reply comes to
                the channel that sent the request. Do both on the same channel.
           *[late] It published a request before it consumed from it. The broker must know the way back when the request
                comes. Consume first, then publish.
        } The broker answered 406 PRECONDITION_FAILED and closed the channel.

broker-error = gets an error from the broker: { $code }
    .explanation = The broker answered { $method ->
            [none] something that `{ $program }` sent
           *[other] { $method } of `{ $program }`
        } with an error and closed the channel or the connection: "{ $text }".

discarded-publish = publishes to a queue that does not exist: the message is discarded
    .explanation = `{ $program }` published { $count ->
            [one] a message
           *[other] { $count } messages
        } to the exchange { $exchange } with the routing key `{ $queue }` when no queue was there to take it, so the broker
        discarded it in silence: no error, nothing in the log. { $later ->
            [none] { $similar ->
                [none] Declare the queue before you publish to it.
               *[other] There is a queue named `{ $similar }`: is that the one you mean? Declare the queue before you
                    publish to it.
            }
           *[other] `{ $later }` declares the queue, but only afterwards. You cannot know which program runs first, so
                declare it in both.
        } (With `mandatory` the broker returns such a message instead.)

publish-not-flushed = { $cut ->
        [never] says that it sent a message, and publishes none
       *[other] ends before its message has left it
    }
    .explanation = { $cut ->
            [yes] `{ $program }` began to send a message (basic.publish), and its connection ended before all of it was sent.
               The broker drops such a message.
            [never] `{ $program }` says that it sent, and closed its connection in order, but no basic.publish came before that: it
               asked the broker for nothing of the kind.
           *[no] `{ $program }` connected and says that it sent, but no basic.publish ever came before the process ended.
        } { $cut ->
            [never] Publish, and print what you sent afterwards.
           *[other] A client library writes in the background. Await the publish, then close the connection and await that,
               too: connection.close-ok comes after everything that was sent before it.
        }

sent-too-early = says `Sent` before it has reached the broker
    .explanation = `{ $program }` printed "{ $line }" { $opened ->
            [yes] before the broker had even opened its connection
           *[no] although no broker ever opened a connection for it
        }. Nothing can have been sent by then. Print it after the publish has returned without an error.

other-body = publishes `{ $body }` instead of `{ $wanted }`
    .explanation = `{ $program }` published the body `{ $body }`, where `{ $wanted }` is meant. { $how ->
            [case] They differ in upper and lower case only; a body is a sequence of bytes, and those of `h` and `H` are
                different.
           *[other] A body is a sequence of bytes, and each of them counts.
        } Nobody on the way makes them equal: send exactly these bytes, and print what you sent.

unused-queue = uses the queue `{ $queue }`, where `{ $wanted }` is meant
    .explanation = `{ $program }` uses a queue named `{ $queue }`; the name that is meant is `{ $wanted }`. To the broker these are two queues that have nothing to do with each other: what is put into one
        never comes out of the other. Names are compared byte by byte.

queue-purged = throws away { $count ->
        [one] a waiting message
       *[other] { $count } waiting messages
    } with { $method }
    .explanation = `{ $program }` sent { $method } for the queue `{ $queue }`, and the broker answered that { $count ->
            [one] one message was
           *[other] { $count } messages were
        } in it. They are gone. To declare a queue that exists changes nothing and needs no cleaning first.

confirm-not-awaited = ends before its messages are confirmed
    .explanation = `{ $program }` asked for confirms (confirm.select), published, and ended before it had read { $count ->
            [one] the confirm of one message
           *[other] the confirms of { $count } messages
        }. So it does not know whether the broker has them, which is what confirms are for. Await each
        confirm, and then close.

returned-message-ignored = ignores { $count ->
        [one] a returned message
       *[other] { $count } returned messages
    }
    .explanation = `{ $program }` published with `mandatory`, and the broker sent { $count ->
            [one] a message
           *[other] { $count } messages
        } back (basic.return), because no queue took it. The program exited with code 0 all the same. A returned message
        is confirmed like any other, so look at what is returned, and report it or send it elsewhere.

confirm-mode-missing = publishes { $later ->
        [yes] before it asks for confirms
       *[no] without asking for confirms
    }
    .explanation = `{ $program }` published { $count ->
            [one] a message
           *[other] { $count } messages
        } to `{ $queue }` on a channel that was not in confirm mode. The broker says nothing of such a message, so the
        program cannot know what became of it. Send confirm.select before the first basic.publish (with lapin:
        `channel.confirm_select`). Without it, lapin's confirm is ready at once and says `NotRequested`.

reported-as-confirmed = { $how ->
        [returned] says `confirmed` of a message that came back
       *[refused] says `confirmed` of a message that was refused
    }
    .explanation = { $how ->
            [returned] The broker found no queue for `{ $body }` and returned it (basic.return, 312 NO_ROUTE). Then it
                acknowledged it: an ack means that the broker is done with a message, and not that a queue has it.
           *[refused] The broker did not take `{ $body }`: it sent basic.nack. Nothing says that any queue has the message.
        } `{ $program }` said that it is confirmed. { $how ->
            [returned] Compare the message_id of each returned message with those of your messages before you say so.
           *[refused] Tell an ack from a nack (with lapin: `Confirmation::Ack` and `Confirmation::Nack`).
        }

multiple-ignored = takes a confirm for many messages as one for the last
    .explanation = The broker confirmed { $count } messages at once: basic.ack with multiple = true, and the tag of the last one,
        `{ $body }`. `{ $program }` told of that one only, and still waits for the others. No more confirms will come for
        them. With multiple, a confirm stands for all messages up to its tag.

republished-unmarked = { $what ->
        [header] publishes again without the header republished
       *[id] publishes again under another message_id
    }
    .explanation = The connection broke before the confirm of `{ $body }` came. `{ $program }` published it again { $what ->
            [header] with the same message_id, but without the header republished = true.
           *[id] with another message_id.
        } The broker may have the first one, so that there are two in the queue. Whoever consumes them can tell that only
        by the message_id, and knows by the header when to look.

declared-nothing = declares nothing, and relies on others to do so
    .explanation = `{ $program }` uses the queue `{ $queue }` and never declares it. That works only as long as another program
        has declared it before. You cannot know which one runs first, so declare the queue in each, with the same
        options: when it exists already, that changes nothing.

queue-not-durable = declares a queue that does not survive a restart of the broker
    .explanation = `{ $program }` declared the queue `{ $queue }` transient (queue.declare with durable = false). When the broker
        restarts, such a queue is gone, and every message in it with it. Declare it durable, in every program that
        declares it.

message-not-persistent = publishes { $count ->
        [one] a message that does not survive a restart of the broker
       *[other] { $count } messages that do not survive a restart of the broker
    }
    .explanation = `{ $program }` published `{ $body }` without delivery_mode = 2. The broker may keep such a message in memory
        only. After a restart the durable queue is there again, and the message is not. Publish with the property
        delivery_mode = 2 (persistent).

other-exchange = uses the exchange `{ $exchange }`, where `{ $wanted }` is meant
    .explanation = `{ $program }` uses an exchange named `{ $exchange }`, and never `{ $wanted }`, which is meant. To the
        broker these are two exchanges that have nothing to do with each other: what is published to one never comes
        to the queues of the other. Names are compared byte by byte.

other-routing-key = publishes with the routing key `{ $key }`, where `{ $wanted }` is meant
    .explanation = `{ $program }` published with the routing key `{ $key }`, and was started with `{ $wanted }`. The exchange compares
        the routing key with the keys of its bindings, and never looks into the body: those who asked for `{ $wanted }` do
        not get this message. Give the first argument as the routing key of basic.publish.

other-headers = { $what ->
        [bind] binds its queue with
       *[publish] publishes with
    } other headers than it was started with
    .explanation = `{ $program }` { $what ->
            [bind] sent queue.bind with the arguments
           *[publish] published with the headers
        } { $found ->
            [none] of nothing at all
           *[other] `{ $found }`
        }, where { $wanted ->
            [none] none are meant
           *[other] `{ $wanted }` is meant
        }. A headers exchange compares each name, and each value with its type: the number 3 is not the text "3". Each pair
        is an entry of its own in the table, under the name as it was given.

other-x-match = binds with x-match = { $found }, where { $wanted } is meant
    .explanation = `{ $program }` sent queue.bind { $missing ->
            [yes] without `x-match`, and RabbitMQ takes that for `{ $found }`
           *[no] with `x-match` = `{ $found }`
        }; it was started with `{ $wanted }`. With `all` a message must have every pair of the binding, with `any` at least
        one; names that begin with `x-` do not count. (RabbitMQ knows `all-with-x` and `any-with-x`, too, for which they
        do.) Put the first argument into the binding as `x-match`.

left-behind = leaves { $kind ->
        [queue] the queue `{ $name }`
        [exchange] the exchange `{ $name }`
       *[binding] a binding of `{ $name }`
    } behind
    .explanation = `{ $program }` { $kind ->
            [queue] declared the queue `{ $name }`, and it is still there now that all programs have ended. { $source ->
                [none] Nobody takes what comes into it.
               *[other] It is bound to the exchange `{ $source }`, so it goes on collecting messages that nobody takes, until
                    the broker has no room left.
            }
            [exchange] declared the exchange `{ $name }`, and it is still there now that all programs have ended.
           *[binding] bound `{ $name }` to the exchange `{ $source }`, and the binding is still there now that all programs have
                ended: it goes on routing messages.
        } The chapter does not ask for it. Leave it out, or let it go with the program: a queue that is exclusive or
        auto-delete, an exchange that is auto-delete.

shared-queue = shares a queue with another subscriber
    .explanation = `{ $program }` consumes from the queue `{ $queue }`, and so does `{ $other }`. The broker gives each message of a queue
        to one of its consumers, so each of the two gets only a part of them. An exchange copies messages to queues,
        not to consumers: let each subscriber declare a queue of its own (exclusive, with an empty name) and bind it.

queue-not-exclusive = consumes from a queue that does not belong to it alone
    .explanation = `{ $program }` declared its queue { $generated ->
            [yes] with a name that the broker chose, but
           *[no] `{ $queue }`
        } not exclusive. { $stays ->
            [yes] Such a queue stays when the program has ended, and goes on collecting messages that nobody reads; every
                other connection may use it, too.
           *[no] Every other connection may use it, too, and take messages out of it.
        } Declare it exclusive: then it belongs to this connection, and
        the broker deletes it when the connection ends, however it ends.

queue-not-bound = consumes from a queue that is bound to nothing
    .explanation = `{ $program }` declared a queue and consumes from it, but never sent queue.bind. An exchange passes messages on
        only to the queues that are bound to it. Bind the queue to the exchange after you have declared both.

argument-not-bound = does not bind its queue with `{ $argument }`
    .explanation = `{ $program }` was started with `{ $argument }`, and its bindings to the exchange `{ $exchange }` have other keys:
        `{ $bound }`. A queue gets only the messages that one of its bindings lets pass. Send queue.bind once for each
        argument, with the argument as the routing key.

queue-per-binding = consumes from { $count } queues that are bound to the same exchange
    .explanation = `{ $program }` declared { $count } queues, bound each of them to the exchange `{ $exchange }` and consumes from all of
        them. A message gets one copy in each queue that it is routed to, so it comes twice when the bindings of two
        queues fit; and the order between two queues is left to chance. Declare one queue, and bind it several times:
        it gets one copy, however many of its bindings fit.

misdirected-reply = sends its reply to another place than the request asks for
    .explanation = `{ $program }` got a request whose reply_to is `{ $wanted }`, and published to the exchange `{ $exchange }` with
        the routing key `{ $key }`. Whoever asked waits in its own queue, which only the default exchange knows by its
        name. Publish the reply to the default exchange (the empty string), with the request's reply_to as the routing
        key.

reply-without-id = replies without the correlation id of the request
    .explanation = `{ $program }` got a request with the correlation_id `{ $wanted }`, and its reply has { $id ->
            [none] none
           *[other] `{ $id }`
        }. Whoever asked cannot know what the reply belongs to. Copy the property correlation_id of the request into the
        reply, as it is.

ack-before-reply = lets go of a request before its reply is on the way
    .explanation = { $how ->
            [automatic] `{ $program }` consumes requests with automatic acknowledgement (no_ack): the broker has forgotten
                `{ $body }` when it sends it.
           *[early] `{ $program }` acknowledged the request `{ $body }`, and published its reply only afterwards.
        } If the program dies in between, nobody serves the request, and whoever asked waits for ever. Publish the reply
        first, then acknowledge the request, on the same connection: the broker takes them in that order.

reused-correlation-id = { $id ->
        [none] asks without a correlation id
       *[other] asks with a correlation id that another call has
    }
    .explanation = `{ $program }` published a request with { $id ->
            [none] no correlation_id. It cannot tell the reply to it from any other message.
           *[other] the correlation_id `{ $id }`, and so did `{ $other }`. A late reply to the one looks like the reply to
                the other.
        } Give each call an id of its own, which no other call has, in this run or another one.

foreign-reply = takes a reply that belongs to another call
    .explanation = `{ $program }` asked with the correlation_id `{ $wanted }`. A message with { $id ->
            [none] no correlation_id
           *[other] the correlation_id `{ $id }`
        } came, and the program took its body `{ $body }` for the result. What comes into a queue of replies may be late,
        doubled or forged: compare the correlation_id with that of your request, and ignore what is different.

unacked-deliveries = never settles { $count ->
        [one] a message that it got
       *[other] { $count } messages that it got
    }
    .explanation = `{ $program }` consumes from `{ $queue }` with manual acknowledgement. It was done with a message and went on
        without basic.ack, basic.nack or basic.reject: of { $all } deliveries, { $count } were never settled. The broker keeps such a message for
        the consumer, and puts it back into the queue when the channel ends: it is delivered again. Acknowledge each
        message when its work is done, or consume with automatic acknowledgement (no_ack).

ack-before-done = acknowledges before the work is done
    .explanation = `{ $program }` acknowledged `{ $body }` { $took } after it was delivered, and the work for it takes { $work }. From
        then on the broker has forgotten the message: if the program dies in the middle of the work, nobody does it.
        Acknowledge after the work.

work-lost = loses { $count ->
        [one] a message
       *[other] { $count } messages
    } that the broker has already forgotten
    .explanation = `{ $program }` consumes from `{ $queue }` with automatic acknowledgement (no_ack): the broker forgets a message in
        the moment in which it sends it. { $count ->
            [one] One message was
           *[other] { $count } messages were
        } sent to the program, which ended before it had dealt with { $count ->
            [one] it: it is
           *[other] them: they are
        } lost. Where that matters, consume without no_ack and acknowledge each message after its work.

redelivery-loop = puts the same message back, again and again
    .explanation = `{ $program }` gave the message `{ $body }` back to the queue `{ $queue }` { $count } times (basic.nack or basic.reject
        with `requeue`), and the broker delivered it again at once each time. What cannot be done now will not be done
        a moment later: such a loop keeps the processor and the network busy and nothing else moves. Reject it without
        `requeue` (into a dead-letter exchange, where there is one), or wait before the next try.

stopped-early = ends by itself instead of waiting for more
    .explanation = `{ $program }` said that it waits for messages, got { $count ->
            [one] one message
           *[other] { $count } messages
        } and exited with code 0, although nobody had pressed Ctrl-C. { $empty ->
            [yes] basic.get-empty says that there is no message at this moment, not that there will be none. Consume
                (basic.consume), and the broker sends each message when it comes.
           *[no] Take the next delivery in a loop, until Ctrl-C.
        }

polls = asks for messages again and again instead of consuming
    .explanation = `{ $program }` asked for messages of the queue `{ $queue }` with basic.get, { $count } times so far, and went on asking
        after basic.get-empty. It never sent basic.consume. Each question is a round trip, mostly for nothing, and a
        message waits until the next one. Consume (basic.consume), and the broker sends each message when it comes.

died-on-delivery = ends with an error after it got a message
    .explanation = `{ $program }` got the body `{ $body }` and ended with an error, although its connection was open and nobody had pressed
        Ctrl-C. { $why ->
            [bytes] The body is not UTF-8. A body is a sequence of bytes, and anybody may send any: convert it to text in a
                way that never fails (`String::from_utf8_lossy`).
            [printed] It had printed the body by then, so something that comes afterwards fails: see standard error.
           *[text] Anybody may send anything to a queue: one message that a consumer does not expect must not end it.
        }

bytes-printed = prints the numbers of the bytes instead of the text
    .explanation = `{ $program }` got the body `{ $body }` and printed "{ $line }": the bytes as a list of numbers. Convert the body to
        text before you print it (`String::from_utf8_lossy`).

prefetch-too-late = sets the prefetch after it began to consume
    .explanation = `{ $program }` sent basic.qos with a prefetch of { $prefetch } after basic.consume of the queue `{ $queue }`. A prefetch
        holds for consumers that are started afterwards, so this consumer has none, and the broker sends it everything
        at once. Send basic.qos first.

prefetch-missing = consumes without a prefetch
    .explanation = `{ $program }` consumes from `{ $queue }` with manual acknowledgement and no prefetch: the broker sends it every
        message that there is at once ({ $count } so far), however busy it is, and other consumers get nothing of them.
        Send basic.qos with a prefetch (1, for slow tasks) before basic.consume.

prefetch-global = sets a prefetch for the whole channel
    .explanation = `{ $program }` sent basic.qos with `global`. Old brokers share that prefetch of { $prefetch } among all consumers of
        the channel; new ones quietly treat it as a prefetch for each. Say what you mean: leave `global` out.

never-connected = never connects to the address in `AMQP_ADDR`
    .explanation = A broker waited for `{ $program }` at the address in the variable `AMQP_ADDR`, and the program never connected to it. { $how ->
            [claims] It says that it sends or waits all the same, so it talks to somebody else: is a host or a port
                written into the program? Take the address from `AMQP_ADDR`, whole. (Programs that need the parts find
                them in `RABBITMQ_HOST` and `RABBITMQ_PORT`.)
            [well] It exited with code 0 all the same: is a host or a port written into the program, or does it end
                before it connects? Take the address from `AMQP_ADDR`, whole.
           *[badly] It ended with an error ({ $ended ->
                [none] killed
               *[other] exit code { $ended }
            }) before that: see what it says on standard error.
        }

connection-not-closed = ends without closing its connection
    .explanation = `{ $program }` published { $count ->
            [0] nothing
            [one] one message
           *[other] { $count } messages
        } and ended without connection.close: to the broker it looks like a crash. What the client library had not
        written yet is lost without a word. Close the connection and await connection.close-ok, which comes after
        everything that was sent before it.

lost-connection-ignored = exits as if all were well after its connection broke
    .explanation = The connection of `{ $program }` ended, and the program had not asked for that. It exited with code 0 and so told
        whoever started it that all is well. When the stream of deliveries ends by itself, or a call fails, that is an
        error: say so on standard error, and exit with another code (or connect again).

interrupt-ignored = goes on after Ctrl-C
    .explanation = `{ $program }` got the signal of Ctrl-C (SIGINT) and had not ended 2 seconds later. { $closing ->
            [yes] It had closed its connection by then, so something else keeps it alive.
           *[no] Its connection was still open. Wait for Ctrl-C and for the next delivery at the same time, then leave
                the loop, close the connection and return from `main`.
        }

heartbeat-missed = is silent for so long that the broker takes it for dead
    .explanation = `{ $program }` agreed to send something at least every { $interval ->
            [one] second
           *[other] { $interval } seconds
        } (heartbeat, in connection.tune-ok), and sent nothing for { $silent ->
            [one] one second
           *[other] { $silent } seconds
        }. So the broker took it for dead and closed the socket; all that was not
        acknowledged goes back to its queue. Work that blocks the thread on which the client library runs keeps it from
        sending heartbeats: do it elsewhere.

connection-churn = opens one connection after the other
    .explanation = `{ $program }` opened { $count } connections, { $burst } of them within { $time } ms. A connection costs a login and
        memory, and is meant to last: keep one for the program's life and open channels on it. After an error, wait
        before you try again, each time longer.

connection-blocked = is blocked by the broker
    .explanation = The broker sent connection.blocked to `{ $program }` ("{ $reason }"): it is short of memory or disk space, and reads
        nothing more from connections that publish until it sends connection.unblocked. { $count ->
            [0] Nothing is lost, but every publish waits.
           *[other] The program published { $count } more while it was blocked: they pile up on the way.
        } Stop publishing until you are unblocked, and say that you wait.

unreadable = { $protocol ->
        [tls] speaks TLS, not AMQP 0-9-1
        [amqp-1-0] speaks AMQP 1.0, not 0-9-1
        [amqp-0-8] speaks AMQP 0-8, not 0-9-1
        [stream] speaks RabbitMQ's stream protocol, not AMQP 0-9-1
        [http] speaks HTTP, not AMQP 0-9-1
       *[unknown] sends what is not AMQP 0-9-1
    }
    .explanation = `{ $program }` sent bytes that are not AMQP 0-9-1: { $flaw }. { $protocol ->
            [tls] This is how TLS begins. Use `amqp://` instead of `amqps://`, and switch TLS off in the library.
            [amqp-1-0] This is how AMQP 1.0 begins, another protocol with a similar name. RabbitMQ 4 speaks both, but this
                workbook is about 0-9-1: use a client library for that.
            [amqp-0-8] This is an older version, which RabbitMQ 4 does not take any more. Use a client library of today.
            [stream] This is the protocol of RabbitMQ's stream plugin, which has a port of its own. Streams can be read over
                AMQP 0-9-1, too: use a client library for that.
            [http] This is a request to a web server. The management page and its API have another port than AMQP.
           *[unknown] Use a client library for AMQP 0-9-1, and the port that it was given.
        } The connection was cut there, and nothing of it reached the broker.

frame-too-large = sends a frame of { $claimed } bytes, and { $allowed } were agreed
    .explanation = `{ $program }` sent a { $kind } frame of { $claimed } bytes. When the connection was opened, both sides agreed on at most
        { $allowed } bytes a frame (frame_max, in connection.tune and connection.tune-ok). { $kind ->
            [header] All properties and headers of a message must fit into one frame: put large data into the body, which a
                library splits into as many frames as it takes.
            [body] A longer body is sent in several frames, each of them small enough. A client library does this by itself.
           *[other] A method and its arguments cannot be split: say less.
        } A broker closes the connection for this (501 FRAME_ERROR), and here it was cut.

negotiation-refused = answers connection.tune with { $what } = { $chosen }, which the broker refuses
    .explanation = The broker proposed { $what } = { $proposed } to `{ $program }` (connection.tune), and the program answered { $what } = {
        $chosen } (connection.tune-ok). { $what ->
            [channel_max] It may be less than what was proposed, but not more, and 0 stands for no limit at all.
           *[frame_max] It may be at most what was proposed, and 0 stands for no limit at all. It must be 8192 at least since
                RabbitMQ 4.1, and 4096 before.
        } RabbitMQ refuses it without a word: it closes the socket after 3 seconds, and the reason stands only in its log. Leave the
        value as it is proposed, or choose one between these limits.

connection-not-opened = loses its connection while it is being opened
    .explanation = The connection of `{ $program }` ended before the broker answered connection.open-ok. { $by ->
            [program] The program ended it
           *[broker] The broker closed the socket
        }{ $after ->
            [none] , and the program had sent no method until then
           *[other] , and the last that the program had sent was { $after }
        }. { $by ->
            [program] See what the program says on standard error, and whether it waits for the connection to be open.
           *[broker] RabbitMQ does so without a word when a client says nothing for 10 seconds, or answers with what it does not
                accept; the reason stands in its log.
        }

limit-passed = passes a limit of the lab: { $limit }
    .explanation = `{ $program }` passed the limit `{ $limit }` of { $allowed } that the lab sets for one program, and the connection was
        cut. No exercise needs as much; look for a loop that has no end.
