#!/bin/sh
# Before the packages are installed: the user that the broker runs as, with the number that the official
# image gives it, so that volumes fit both. The package finds it and makes no other.
set -eu
root=$1
echo 'rabbitmq:x:999:999:RabbitMQ:/var/lib/rabbitmq:/usr/sbin/nologin' >> "$root/etc/passwd"
echo 'rabbitmq:*:19000:0:99999:7:::' >> "$root/etc/shadow"
echo 'rabbitmq:x:999:' >> "$root/etc/group"
