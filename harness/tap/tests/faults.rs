//! Faults hit where their rules say, do what they say, and tell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod support;

use amqp_tap::{
    Cut, Ending, Event, Fate, Fault, Rule, Side, TapOptions, What, broker, client, ended, message,
};
use std::time::{Duration, Instant};
use support::{
    DEADLINE, Peers, ack, ack_up_to, body, carry, connect, declare, handshake, header, nack,
    open_channel, peers, publish, publish_method, read, read_all, soon,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn argument(event: &Event, name: &str) -> serde_json::Value {
    event.method().unwrap().argument(name).unwrap()
}

async fn opened() -> Peers {
    let mut peers = peers(|options| options).await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    peers
}

#[tokio::test]
async fn a_cut_before_the_third_ack_lets_two_through() {
    for cut in [Cut::Clean, Cut::Reset] {
        let mut peers = opened().await;
        let fault = peers
            .tap
            .inject(Fault::Cut(cut), Rule::before(client("basic.ack")).nth(3));
        assert_eq!(fault.hit(), None);
        carry(&mut peers.client, &mut peers.broker, &ack(1, 1)).await;
        carry(&mut peers.client, &mut peers.broker, &ack(1, 2)).await;
        soon(peers.client.write_all(&[ack(1, 3), ack(1, 4)].concat()))
            .await
            .unwrap();
        let end = soon(peers.broker.read(&mut [0; 8])).await;
        match cut {
            Cut::Clean => assert_eq!(end.unwrap(), 0),
            Cut::Reset => assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset),
        }
        let hit = soon(fault.hit_by(DEADLINE)).await.unwrap();
        let tape = peers.tap.tape();
        tape.wait_for_frame(DEADLINE, &ended()).await.unwrap();
        assert_eq!(tape.ending(1), Some(Ending::Fault));
        let events = tape.events();
        let trigger = &events[usize::try_from(hit.trigger.unwrap()).unwrap()];
        assert!(trigger.is("basic.ack"));
        assert_eq!(trigger.fate, Fate::Vanished);
        let event = &events[usize::try_from(hit.event).unwrap()];
        assert!(matches!(event.what, What::Fault { fault: 1, .. }));
        assert_eq!(tape.all(&client("basic.ack")).len(), 3);
    }
}

#[tokio::test]
async fn after_a_method_with_a_content_means_after_the_whole_message() {
    let mut peers = opened().await;
    let fault = peers.tap.inject(
        Fault::Cut(Cut::Clean),
        Rule::after(client("basic.publish")).nth(2),
    );
    let two = [publish(1, "q", b"one"), publish(1, "q", b"two")].concat();
    let all = [two.clone(), publish(1, "q", b"three")].concat();
    soon(peers.client.write_all(&all)).await.unwrap();
    assert_eq!(read_all(&mut peers.broker).await, two);
    assert!(fault.hit().is_some());
}

#[tokio::test]
async fn before_a_message_means_before_its_last_frame() {
    let mut peers = opened().await;
    peers.tap.inject(
        Fault::Cut(Cut::Clean),
        Rule::before(message("basic.publish").with("routing-key", "q")),
    );
    let head = [publish_method(1, "q"), header(1, 6), body(1, b"abc")].concat();
    let all = [head.clone(), body(1, b"def")].concat();
    soon(peers.client.write_all(&all)).await.unwrap();
    assert_eq!(read_all(&mut peers.broker).await, head);
}

#[tokio::test]
async fn a_half_open_connection_swallows_everything_and_stays() {
    let mut peers = opened().await;
    let fault = peers
        .tap
        .inject(Fault::HalfOpen, Rule::after(client("queue.declare")));
    carry(&mut peers.client, &mut peers.broker, &declare(1, "q")).await;
    soon(fault.hit_by(DEADLINE)).await.unwrap();
    soon(peers.client.write_all(&ack(1, 1))).await.unwrap();
    soon(peers.broker.write_all(&ack(1, 9))).await.unwrap();
    let tape = peers.tap.tape().clone();
    for frame in [client("basic.ack"), broker("basic.ack")] {
        let event = tape.wait_for_frame(DEADLINE, &frame).await.unwrap();
        assert_eq!(event.fate, Fate::Vanished);
    }
    // Not even the client's end comes through.
    drop(peers.client);
    tape.wait_for(DEADLINE, |event| event.what == What::HalfClosed)
        .await
        .unwrap();
    let short = Duration::from_millis(50);
    let nothing = tokio::time::timeout(short, peers.broker.read(&mut [0; 8])).await;
    assert!(nothing.is_err(), "{nothing:?}");
    soon(peers.tap.close()).await;
    assert_eq!(read_all(&mut peers.broker).await, b"");
}

#[tokio::test]
async fn a_held_frame_and_those_behind_it_wait_for_the_release() {
    let mut peers = opened().await;
    let fault = peers
        .tap
        .inject(Fault::Hold, Rule::before(client("basic.ack")));
    let all = [declare(1, "q"), ack(1, 1), declare(1, "r")].concat();
    soon(peers.client.write_all(&all)).await.unwrap();
    let first = declare(1, "q");
    assert_eq!(read(&mut peers.broker, first.len()).await, first);
    soon(fault.hit_by(DEADLINE)).await.unwrap();
    // The other direction is free.
    carry(&mut peers.broker, &mut peers.client, &ack(1, 5)).await;
    fault.release();
    let rest = [ack(1, 1), declare(1, "r")].concat();
    assert_eq!(read(&mut peers.broker, rest.len()).await, rest);
    // Released faults hit no more.
    carry(&mut peers.client, &mut peers.broker, &ack(1, 2)).await;
}

#[tokio::test]
async fn a_handle_that_is_dropped_lets_go_of_nothing() {
    let mut peers = opened().await;
    drop(
        peers
            .tap
            .inject(Fault::Hold, Rule::before(client("basic.ack"))),
    );
    soon(peers.client.write_all(&ack(1, 1))).await.unwrap();
    let tape = peers.tap.tape();
    tape.wait_for(DEADLINE, |event| matches!(event.what, What::Fault { .. }))
        .await
        .unwrap();
    let short = Duration::from_millis(50);
    let nothing = tokio::time::timeout(short, peers.broker.read(&mut [0; 8])).await;
    assert!(nothing.is_err(), "{nothing:?}");
    // The end of the tap does not wait for it.
    soon(peers.tap.close()).await;
}

#[tokio::test]
async fn the_other_direction_can_be_held_too() {
    let mut peers = opened().await;
    let fault = peers.tap.inject(
        Fault::Hold,
        Rule::after(client("basic.ack")).towards(Side::Client),
    );
    carry(&mut peers.client, &mut peers.broker, &ack(1, 1)).await;
    soon(fault.hit_by(DEADLINE)).await.unwrap();
    soon(peers.broker.write_all(&ack(1, 5))).await.unwrap();
    carry(&mut peers.client, &mut peers.broker, &ack(1, 2)).await;
    fault.release();
    assert_eq!(read(&mut peers.client, ack(1, 5).len()).await, ack(1, 5));
}

#[tokio::test]
async fn held_confirms_are_overtaken_and_come_in_order() {
    let mut peers = opened().await;
    let fault = peers
        .tap
        .inject(Fault::HoldConfirms, Rule::before(broker("basic.ack")));
    let all = [ack(1, 1), declare(1, "q"), ack(1, 2)].concat();
    soon(peers.broker.write_all(&all)).await.unwrap();
    let free = declare(1, "q");
    assert_eq!(read(&mut peers.client, free.len()).await, free);
    let tape = peers.tap.tape();
    let second = tape
        .wait_for_nth(DEADLINE, &broker("basic.ack"), 2)
        .await
        .unwrap();
    assert_eq!(second.fate, Fate::Held);
    fault.release();
    let held = [ack(1, 1), ack(1, 2)].concat();
    assert_eq!(read(&mut peers.client, held.len()).await, held);
    carry(&mut peers.broker, &mut peers.client, &ack(1, 3)).await;
}

#[tokio::test]
async fn merged_confirms_stand_for_those_that_came() {
    let mut peers = opened().await;
    carry(&mut peers.client, &mut peers.broker, &open_channel(1)).await;
    let fault = peers
        .tap
        .inject(Fault::MergeConfirms, Rule::before(broker("basic.ack")));
    // The fifth message is still to be confirmed, and what follows the refusal is not merged with what came before it.
    let tags = [1, 3, 2, 6];
    let acks: Vec<u8> = tags.into_iter().flat_map(|tag| ack(1, tag)).collect();
    let all = [acks, nack(1, 4), ack(1, 7), declare(1, "q")].concat();
    soon(peers.broker.write_all(&all)).await.unwrap();
    let free = declare(1, "q");
    assert_eq!(read(&mut peers.client, free.len()).await, free);
    let tape = peers.tap.tape().clone();
    let came = tape.all(&broker("basic.ack"));
    assert_eq!(came.len(), 5);
    assert!(came.iter().all(|event| event.fate == Fate::Vanished));
    fault.release();
    let out = [ack_up_to(1, 3), ack(1, 6), nack(1, 4), ack(1, 7)].concat();
    assert_eq!(read(&mut peers.client, out.len()).await, out);
    let passed: Vec<_> = tape.all(&broker("basic.ack")).split_off(5);
    assert_eq!(passed.len(), 3);
    assert!(passed.iter().all(|event| event.fate == Fate::Passed));
    assert_eq!(argument(&passed[0], "delivery-tag"), 3);
    assert_eq!(argument(&passed[0], "multiple"), true);
    carry(&mut peers.broker, &mut peers.client, &ack(1, 5)).await;
    // The next time there is nothing before them that is still to be confirmed.
    let again = peers
        .tap
        .inject(Fault::MergeConfirms, Rule::before(broker("basic.ack")));
    let more = [ack(1, 8), ack(1, 9)].concat();
    soon(peers.broker.write_all(&more)).await.unwrap();
    tape.wait_for_nth(DEADLINE, &broker("basic.ack"), 11)
        .await
        .unwrap();
    again.release();
    let out = ack_up_to(1, 9);
    assert_eq!(read(&mut peers.client, out.len()).await, out);
}

#[tokio::test]
async fn confirms_are_merged_by_channel_and_only_where_all_before_them_are_known() {
    let mut peers = opened().await;
    // Nobody counted this one: there was no fault yet.
    carry(&mut peers.client, &mut peers.broker, &open_channel(1)).await;
    carry(&mut peers.broker, &mut peers.client, &ack(1, 1)).await;
    carry(&mut peers.client, &mut peers.broker, &open_channel(2)).await;
    let fault = peers
        .tap
        .inject(Fault::MergeConfirms, Rule::before(broker("basic.ack")));
    let acks = [ack(1, 2), ack(1, 3), ack(2, 1), ack(2, 2), ack_up_to(1, 5)].concat();
    soon(peers.broker.write_all(&acks)).await.unwrap();
    let tape = peers.tap.tape();
    tape.wait_for_nth(DEADLINE, &broker("basic.ack"), 6)
        .await
        .unwrap();
    fault.release();
    let out = [ack(1, 2), ack(1, 3), ack_up_to(2, 2), ack_up_to(1, 5)].concat();
    assert_eq!(read(&mut peers.client, out.len()).await, out);
}

#[tokio::test]
async fn a_confirm_of_many_goes_out_as_one_for_each() {
    let mut peers = peers(|options| TapOptions {
        single_confirms: true,
        ..options
    })
    .await;
    carry(&mut peers.client, &mut peers.broker, &handshake()).await;
    carry(&mut peers.client, &mut peers.broker, &open_channel(1)).await;
    let mut says = async |came: &[u8], goes_out: &[u8]| {
        soon(peers.broker.write_all(came)).await.unwrap();
        assert_eq!(read(&mut peers.client, goes_out.len()).await, goes_out);
    };
    says(&ack(1, 2), &ack(1, 2)).await;
    says(
        &ack_up_to(1, 4),
        &[ack(1, 1), ack(1, 3), ack(1, 4)].concat(),
    )
    .await;
    says(&nack(1, 5), &nack(1, 5)).await;
    says(
        &[ack_up_to(1, 7), declare(1, "q")].concat(),
        &[ack(1, 6), ack(1, 7), declare(1, "q")].concat(),
    )
    .await;
    let tape = peers.tap.tape().clone();
    let came: Vec<_> = tape
        .all(&broker("basic.ack"))
        .into_iter()
        .filter(|event| event.fate == Fate::Vanished)
        .collect();
    assert_eq!(came.len(), 2);
    // While they are held, too; and merged where a fault says so.
    let held = peers
        .tap
        .inject(Fault::HoldConfirms, Rule::before(broker("basic.ack")));
    let all = [ack_up_to(1, 9), declare(1, "q")].concat();
    soon(peers.broker.write_all(&all)).await.unwrap();
    let free = declare(1, "q");
    assert_eq!(read(&mut peers.client, free.len()).await, free);
    held.release();
    let out = [ack(1, 8), ack(1, 9)].concat();
    assert_eq!(read(&mut peers.client, out.len()).await, out);
    let merged = peers
        .tap
        .inject(Fault::MergeConfirms, Rule::before(broker("basic.ack")));
    let all = [ack_up_to(1, 11), ack(1, 12), declare(1, "q")].concat();
    soon(peers.broker.write_all(&all)).await.unwrap();
    assert_eq!(read(&mut peers.client, free.len()).await, free);
    merged.release();
    let out = ack_up_to(1, 12);
    assert_eq!(read(&mut peers.client, out.len()).await, out);
}

#[tokio::test]
async fn a_delay_delays_and_a_throttle_throttles() {
    let mut peers = opened().await;
    let before = Instant::now();
    peers.tap.inject(
        Fault::Delay(Duration::from_millis(60)),
        Rule::before(client("basic.ack")),
    );
    carry(&mut peers.client, &mut peers.broker, &ack(1, 1)).await;
    assert!(before.elapsed() >= Duration::from_millis(60));
    let fault = peers.tap.inject(
        Fault::Throttle {
            bytes_per_second: 10_000,
        },
        Rule::now(),
    );
    assert!(fault.hit().is_some());
    let before = Instant::now();
    carry(
        &mut peers.client,
        &mut peers.broker,
        &publish(1, "q", &[0; 2000]),
    )
    .await;
    let took = before.elapsed();
    assert!(took >= Duration::from_millis(150), "{took:?}");
    fault.release();
}

#[tokio::test]
async fn split_and_coalesced_bytes_are_the_same_bytes() {
    let mut peers = opened().await;
    let message = publish(1, "q", &[42; 3000]);
    let split = peers.tap.inject(
        Fault::Split { at_most: 7 },
        Rule::before(client("basic.publish")),
    );
    carry(&mut peers.client, &mut peers.broker, &message).await;
    split.release();
    let coalesce = peers.tap.inject(
        Fault::Coalesce {
            bytes: 100,
            patience: Duration::from_millis(20),
        },
        Rule::before(client("basic.ack")),
    );
    let acks: Vec<u8> = (0..20).flat_map(|tag| ack(1, tag)).collect();
    for one in acks.chunks(3) {
        soon(peers.client.write_all(one)).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&mut peers.broker, acks.len()).await, acks);
    assert!(coalesce.hit().is_some());
    coalesce.release();
    carry(&mut peers.client, &mut peers.broker, &message).await;
}

#[tokio::test]
async fn connections_are_refused_as_often_as_asked() {
    let peers = opened().await;
    let fault = peers
        .tap
        .inject(Fault::Refuse { connections: 2 }, Rule::next_connection());
    let address = peers.tap.endpoint().tcp().unwrap();
    for _ in 0..2 {
        let mut client = soon(tokio::net::TcpStream::connect(address)).await.unwrap();
        assert_eq!(read_all(&mut client).await, b"");
    }
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    assert_eq!(fault.hits().len(), 2);
    let tape = peers.tap.tape();
    assert_eq!(tape.ending(2), Some(Ending::Fault));
    assert_eq!(tape.ending(3), Some(Ending::Fault));
}

#[tokio::test]
async fn a_cut_now_cuts_every_connection() {
    let mut peers = opened().await;
    let (mut client, mut broker) = connect(&peers.tap, &peers.listener).await;
    carry(&mut client, &mut broker, &handshake()).await;
    let fault = peers.tap.inject(Fault::Cut(Cut::Clean), Rule::now());
    assert_eq!(read_all(&mut client).await, b"");
    assert_eq!(read_all(&mut peers.client).await, b"");
    assert_eq!(fault.hits().len(), 2);
}

#[tokio::test]
async fn a_random_frame_is_chosen_by_the_seed() {
    let mut chosen = Vec::new();
    for seed in [7, 7, 8, 9, 10] {
        let mut peers = peers(|options| amqp_tap::TapOptions { seed, ..options }).await;
        carry(&mut peers.client, &mut peers.broker, &handshake()).await;
        let fault = peers
            .tap
            .inject(Fault::Cut(Cut::Clean), Rule::at_random_frame(50));
        let acks: Vec<u8> = (0..50).flat_map(|tag| ack(1, tag)).collect();
        soon(peers.client.write_all(&acks)).await.unwrap();
        let passed = read_all(&mut peers.broker).await.len() / ack(1, 1).len();
        assert_eq!(passed as u64, fault.nth() - 1);
        chosen.push(fault.nth());
    }
    assert_eq!(chosen[0], chosen[1]);
    assert!(chosen[1..].windows(2).any(|pair| pair[0] != pair[1]));
}

#[tokio::test]
async fn a_fault_that_does_not_hit_says_so() {
    let peers = opened().await;
    let fault = peers
        .tap
        .inject(Fault::Hold, Rule::before(client("basic.nack")).nth(2));
    let error = fault.hit_by(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the fault that was to hit before the client's basic.nack number 2 did not within 1ms"
    );
}
