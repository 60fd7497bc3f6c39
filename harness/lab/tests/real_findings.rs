//! Findings of real programs on a real broker, drawn at once.

#![allow(
    clippy::expect_used,
    reason = "a test may stop at what it does not expect"
)]

mod support;

use support::{
    outline,
    scenes::{Recorded, SCENES, Scene, play},
};
use workbook_broker::{Broker, Lease, Options, OwnBroker};
use workbook_diagnosis::{
    finding::{Seen, findings},
    picture::{self, Look},
    recording::RecordedProgram,
};

/// Plays a scene, and holds that exactly what is expected is found.
async fn is_found(scene: &Scene, lease: &Lease, own: Option<&OwnBroker>) {
    let recorded = play(scene, lease, own).await;
    let parts: Vec<RecordedProgram> = recorded.iter().map(Recorded::recording).collect();
    let seen: Vec<Seen<'_>> = parts.iter().map(RecordedProgram::seen).collect();
    let found = findings(&seen);
    let outlines: Vec<String> = found.iter().map(|it| outline(&parts, it)).collect();
    let picture = || picture::text(&seen, &found, &Look::default());
    assert_eq!(outlines, [scene.finding], "{}\n{}", scene.name, picture());
}

fn scene(name: &str) -> &'static Scene {
    let scene = SCENES.iter().find(|scene| scene.name == name);
    scene.expect("there is such a scene")
}

macro_rules! scenes {
    ($($test:ident: $name:literal),+ $(,)?) => {
        const TESTED: &[&str] = &[$($name),+];
        $(#[tokio::test]
        async fn $test() {
            let options = Options::from_env().expect("the choice of a broker");
            let broker = Broker::find_or_start(&options).await.expect("a broker");
            let lease = broker.lease().await.expect("a virtual host");
            is_found(scene($name), &lease, None).await;
            lease.release().await.expect("the virtual host goes");
        })+
    };
}

scenes! {
    an_exclusive_consumer: "exclusive-consumer",
    a_reserved_name: "reserved-name",
    a_wrong_password: "wrong-password",
    an_exclusive_queue: "exclusive-queue",
    acks_twice: "acks-twice",
    acks_on_another_channel: "acks-on-another-channel",
    acks_although_automatic: "acks-although-automatic",
    acks_an_invented_tag: "acks-an-invented-tag",
    publishes_immediate: "publishes-immediate",
    declares_nothing: "declares-nothing",
    awaits_no_confirm: "awaits-no-confirm",
    ignores_a_return: "ignores-a-return",
    connects_for_each_message: "connects-for-each-message",
    blocks_its_thread: "blocks-its-thread",
    never_connects: "never-connects",
    ignores_a_cut: "ignores-a-cut",
    speaks_http: "speaks-http",
    sends_a_long_header: "sends-a-long-header",
    chooses_small_frames: "chooses-small-frames",
    leaves_while_opening: "leaves-while-opening",
    opens_many_channels: "opens-many-channels",
}

/// One broker for all that need one of their own: starting it takes some 6 s.
#[tokio::test]
async fn what_takes_a_broker_of_its_own() {
    let options = Options::from_env().expect("the choice of a broker");
    let own = Broker::start_own(&options).await.expect("a broker");
    for scene in SCENES.iter().filter(|scene| scene.own) {
        // Older ones permit such queues, and cannot be told not to.
        if scene.name == "transient-queue" && own.broker().version().starts_with("3.") {
            continue;
        }
        let lease = own.broker().lease().await.expect("a virtual host");
        is_found(scene, &lease, Some(&own)).await;
    }
    own.stop().await.expect("it stops");
}

#[test]
fn every_scene_is_played() {
    let shared = SCENES.iter().filter(|scene| !scene.own);
    let names: Vec<&str> = shared.map(|scene| scene.name).collect();
    assert_eq!(names, TESTED);
}
