#!/usr/bin/env bash
# A table of amqprs in which a key was inserted again says that it is longer than it is.
#
# Seen with amqp_serde 0.4.3, the codec of amqprs 2.1.5. `FieldTable::insert` works like a map's: the last value stays.
# But the length of the table grows with each insertion and never shrinks, so the frame that carries it cannot be read.
# RabbitMQ 3.10.8 and 4.3.6 answer a message with such headers with `connection.close` 541 INTERNAL_ERROR, after
# `basic_publish` has returned without an error.
set -euo pipefail
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
mkdir "$FOLDER/src"
cat > "$FOLDER/Cargo.toml" <<'TOML'
[package]
name = "note"
edition = "2021"

[dependencies]
amqp_serde = "=0.4.3"
bytes = "1"

[workspace]
TOML
cat > "$FOLDER/src/main.rs" <<'RS'
use amqp_serde::{to_buffer, types::{FieldTable, FieldValue}};

fn show(name: &str, values: &[i64]) {
    let mut table = FieldTable::new();
    for value in values {
        table.insert("n".try_into().unwrap(), FieldValue::l(*value));
    }
    let mut written = bytes::BytesMut::new();
    to_buffer(&table, &mut written).unwrap();
    let claimed = u32::from_be_bytes(written[..4].try_into().unwrap());
    println!("{name}: claims {claimed} bytes, has {}", written.len() - 4);
}

fn main() {
    show("inserted once", &[1]);
    show("inserted twice", &[1, 2]);
}
RS
cargo run --quiet --manifest-path "$FOLDER/Cargo.toml" | tee "$FOLDER/seen"
diff - "$FOLDER/seen" <<'EXPECTED'
inserted once: claims 11 bytes, has 11
inserted twice: claims 22 bytes, has 11
EXPECTED
