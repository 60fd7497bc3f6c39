#!/usr/bin/env bash
# A client of RabbitMQ's management API decides which allocator the whole program has.
#
# Seen with rabbitmq_http_client 0.93.0. It encodes passwords with the library rbase64 2.0.3, which names mimalloc the
# global allocator: a choice that the language gives to one crate of a program. So a program that uses the client runs
# on mimalloc without having asked for it, compiles its C sources, and cannot have an allocator of its own any more, be
# it the system's.
set -euo pipefail
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
mkdir "$FOLDER/src"
cat > "$FOLDER/Cargo.toml" <<'TOML'
[package]
name = "note"
edition = "2021"

[dependencies]
rabbitmq_http_client = { version = "=0.93.0", default-features = false, features = ["async"] }
rbase64 = "=2.0.3"

[workspace]
TOML
cat > "$FOLDER/src/main.rs" <<'RS'
use rabbitmq_http_client::password_hashing::{HashingAlgorithm, salt};

#[global_allocator]
static OWN: std::alloc::System = std::alloc::System;

fn main() {
    HashingAlgorithm::SHA256.salt_and_hash(&salt(), "secret").unwrap();
}
RS
if cargo build --quiet --manifest-path "$FOLDER/Cargo.toml" 2> "$FOLDER/said"; then
    echo "it compiles with an allocator of its own"
    exit 1
fi
grep '^error: .*allocator' "$FOLDER/said" | tee "$FOLDER/seen"
diff - "$FOLDER/seen" <<'EXPECTED'
error: the `#[global_allocator]` in this crate conflicts with global allocator in: rbase64
EXPECTED
