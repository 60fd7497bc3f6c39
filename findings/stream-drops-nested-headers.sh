#!/usr/bin/env bash
# A stream confirms a message, and silently drops each of its headers whose value is a table or an array.
#
# Seen with RabbitMQ 3.10.8 and 4.3.6 and pika 1.4.4. The same message comes out of a classic and of a quorum queue as it
# went in. A stream keeps messages in the encoding of AMQP 1.0, whose application properties are simple values only. On
# 4.3.6 names that begin with `x-` are spared, on 3.10.8 they are not, and there `CC`, an array, goes with the others.
set -euo pipefail
. "$(dirname "$0")/broker"
python_with pika==1.4.4

cat > "$FOLDER/note.py" <<'PY'
import sys
import pika

channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.confirm_delivery()  # A publish that is not confirmed raises an exception.
channel.basic_qos(prefetch_count=1)
headers = {
    "text": "a", "number": 5, "bytes": b"\xff",
    "table": {"k": "v"}, "array": [1, "b"],
    "x-table": {"k": "v"}, "x-array": [1, "b"], "CC": ["other"],
}
for kind in ["classic", "quorum", "stream"]:
    channel.queue_declare(kind, durable=True, arguments={"x-queue-type": kind})
    channel.basic_publish("", kind, b"", pika.BasicProperties(headers=headers))
    first = {"x-stream-offset": "first"} if kind == "stream" else {}
    _, properties, _ = next(channel.consume(kind, arguments=first, inactivity_timeout=30))
    channel.cancel()
    lost = sorted(name for name in headers if name not in properties.headers)
    print(kind, "lost:", " ".join(lost) or "nothing")
PY

holds() { # suite version lost
    start_rabbitmq "$1" "$2"
    printf 'classic lost: nothing\nquorum lost: nothing\nstream lost: %s\n' "$3" > "$FOLDER/expected"
    timeout 120 "$PYTHON" "$FOLDER/note.py" "$AMQP_URL" | tee "$FOLDER/seen" | sed "s/^/RabbitMQ $2: /"
    diff "$FOLDER/expected" "$FOLDER/seen"
}
holds bookworm 3.10.8 "CC array table x-array x-table"
holds forky 4.3.6 "array table"
