//! The image: what is there is left alone. That one is made takes root, a Debian mirror and 40 s, so
//! `cargo workbook broker image` on such a machine is the test of it; the other tests of this crate then
//! run on what it made.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use common::{docker, have};
use workbook_broker::image::{self, ImageOptions};
use workbook_broker::{IMAGE, Kind};

#[tokio::test]
async fn an_image_that_is_there_is_never_replaced_unasked() {
    if !have(Kind::Docker) {
        return;
    }
    let id = || docker(&["image", "inspect", "--format", "{{.Id}}", IMAGE]).unwrap();
    let before = id();
    let built = image::build(ImageOptions::default()).await.unwrap();
    assert!(!built.is_new);
    assert_eq!(built.id, before.trim());
    assert!(built.bytes > 50_000_000, "{}", built.bytes);
    assert_eq!(id(), before);
}
