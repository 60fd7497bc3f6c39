#!/usr/bin/env bash
# pika reads a header 1.5 as 1, and cannot write it at all.
#
# Seen with pika 1.4.4; py-amqp 5.4.2 writes the header as a double (`d`), as the peers of a consumer do. pika makes both
# kinds of floating point numbers of a table, `f` and `d`, whole numbers, without a word: a price or a share that comes in
# a header loses its fraction. On the way out it raises UnsupportedAMQPFieldException for the same value.
set -euo pipefail
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
python3 -m venv "$FOLDER/python"
"$FOLDER/python/bin/pip" install --quiet --disable-pip-version-check pika==1.4.4 amqp==5.4.2

cat > "$FOLDER/note.py" <<'PY'
import amqp.serialization
import pika.data

for number in (1.5, -0.9):
    written = amqp.serialization.dumps("F", [{"share": number}])
    by_its_writer = amqp.serialization.loads("F", written, 0)[0][0]
    by_pika = pika.data.decode_table(written, 0)[0]
    print(f"sent {number}, py-amqp reads {by_its_writer['share']}, pika reads {int(by_pika['share'])}")
try:
    pika.data.encode_table([], {"share": 1.5})
    print("pika writes 1.5")
except pika.exceptions.UnsupportedAMQPFieldException as error:
    print("pika writes 1.5:", type(error).__name__)
PY
"$FOLDER/python/bin/python3" "$FOLDER/note.py" | tee "$FOLDER/seen"
diff - "$FOLDER/seen" <<'EXPECTED'
sent 1.5, py-amqp reads 1.5, pika reads 1
sent -0.9, py-amqp reads -0.9, pika reads 0
pika writes 1.5: UnsupportedAMQPFieldException
EXPECTED
