#!/usr/bin/env bash
# What an AMQP 0-9-1 consumer gets of a message that an AMQP 1.0 sender wrote: not its text, not its subject.
#
# Seen with RabbitMQ 4.3.6, which speaks both on one port, python-qpid-proton 0.40.0 and pika 1.4.4. Only bytes (a `data`
# section) arrive as they are. A text or a map is an `amqp-value` section: its body is that section in the encoding of
# AMQP 1.0, and the property `type` says `amqp-1.0`. `group-id` becomes `app_id`; an id that is a number becomes digits, one that is
# bytes a header. The subject, and an application property whose name has more than 255 bytes, are gone.
set -euo pipefail
. "$(dirname "$0")/broker"
python_with python-qpid-proton==0.40.0 pika==1.4.4
start_rabbitmq forky 4.3.6

cat > "$FOLDER/note.py" <<'PY'
import sys
import pika
from proton import Message, ulong
from proton.utils import BlockingConnection

channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.queue_declare("notes", durable=True)
connection = BlockingConnection(sys.argv[1].removesuffix("/%2f"), timeout=30)
sender = connection.create_sender("/queues/notes")  # Each send waits until the broker has accepted it.

def data(**fields):
    return Message(body=b"x", inferred=True, **fields)

messages = {
    "bytes": Message(body=b"hello", inferred=True),
    "text": Message(body="hello"),
    "map": Message(body={"a": 1}),
    "subject": data(subject="invoice"),
    "group id": data(group_id="g"),
    "number as id": data(id=ulong(5)),
    "bytes as id": data(id=b"\x01\x02"),
    "properties": data(properties={"short": "kept", "k" * 256: "lost"}),
}
consumed = channel.consume("notes", auto_ack=True, inactivity_timeout=30)
for name, message in messages.items():
    sender.send(message)
    _, properties, body = next(consumed)
    told = {key: value for key, value in sorted(vars(properties).items()) if value}
    print(f"{name}: {body!r} {told}")
connection.close()
PY
timeout 120 "$PYTHON" "$FOLDER/note.py" "$AMQP_URL" | tee "$FOLDER/seen"
diff - "$FOLDER/seen" <<'EXPECTED'
bytes: b'hello' {}
text: b'\x00Sw\xa1\x05hello' {'type': 'amqp-1.0'}
map: b'\x00Sw\xd1\x00\x00\x00\t\x00\x00\x00\x02\xa1\x01aU\x01' {'type': 'amqp-1.0'}
subject: b'x' {}
group id: b'x' {'app_id': 'g'}
number as id: b'x' {'message_id': '5'}
bytes as id: b'x' {'headers': {'x-message-id': b'\x01\x02'}}
properties: b'x' {'headers': {'short': 'kept'}}
EXPECTED
