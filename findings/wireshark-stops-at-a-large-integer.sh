#!/usr/bin/env bash
# After a header that Celery's client writes for an integer of more than 32 bits, Wireshark shows no header any more.
#
# Seen with tshark 4.0.17 (Debian 12) and py-amqp 5.4.2, the client beneath kombu and Celery. It gives such an integer the
# type letter `L`, where most other clients write `l`; RabbitMQ 3.10.8 and 4.3.6 take both. Wireshark knows `l` only: of
# `L` it tells "unknown type 4c (L)", and as it does not know how long the value is, the headers after it are missing.
set -euo pipefail
command -v tshark text2pcap >/dev/null || { echo "this note needs tshark and text2pcap: apt-get install tshark" >&2; exit 1; }
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
python3 -m venv "$FOLDER/python"
"$FOLDER/python/bin/pip" install --quiet --disable-pip-version-check amqp==5.4.2 pamqp==4.0.1

cat > "$FOLDER/note.py" <<'PY'
"""Writes a basic.publish and its content header, with the headers as a client encodes them, as a hexadecimal dump."""
import struct
import sys
import amqp.serialization
import pamqp.encode

headers = {"before": "seen", "count": 2**40, "route": "eu", "tenant": "blue"}
encode = {"py-amqp": lambda: amqp.serialization.dumps("F", [headers]), "pamqp": lambda: pamqp.encode.field_table(headers)}

def frame(kind, payload):
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce"

publish = struct.pack(">HHH", 60, 40, 0) + b"\x00" + b"\x05queue" + b"\x00"
content = struct.pack(">HHQH", 60, 0, 0, 1 << 13) + encode[sys.argv[1]]()
print("0000", (frame(1, publish) + frame(2, content)).hex(" "))
PY
for client in pamqp py-amqp; do
    "$FOLDER/python/bin/python3" "$FOLDER/note.py" "$client" > "$FOLDER/$client.txt"
    text2pcap -q -T 40000,5672 "$FOLDER/$client.txt" "$FOLDER/$client.pcap" 2>/dev/null
    echo "written by $client:"
    tshark -r "$FOLDER/$client.pcap" -V 2>/dev/null | grep -E '^ +(before|count|route|tenant)\b' | sed 's/^ */  /'
done | tee "$FOLDER/seen"
diff - "$FOLDER/seen" <<'EXPECTED'
written by pamqp:
  before (string): seen
  count (long int): 1099511627776
  route (string): eu
  tenant (string): blue
written by py-amqp:
  before (string): seen
  count: unknown type 4c (L)
EXPECTED
