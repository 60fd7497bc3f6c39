#!/bin/sh
# After the packages are installed: what makes a Debian root with RabbitMQ into the image.
set -eu
root=$1

# The version goes to whoever called us, for a label.
dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Version}' rabbitmq-server > "$(dirname "$0")/version"

cat > "$root/etc/rabbitmq/enabled_plugins" <<'PLUGINS'
[rabbitmq_management].
PLUGINS

mkdir -p "$root/etc/rabbitmq/conf.d"
cat > "$root/etc/rabbitmq/conf.d/10-defaults.conf" <<'CONFIGURATION'
# A container's loopback is nobody else's: `guest` comes from outside it.
loopback_users.guest = false
# `docker logs` is the log.
log.console = true
log.file = false
CONFIGURATION

cat > "$root/usr/local/bin/docker-entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
# RabbitMQ itself honours RABBITMQ_DEFAULT_USER, RABBITMQ_DEFAULT_PASS and RABBITMQ_DEFAULT_VHOST, and its
# start script RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS. What is left is to run as the right user.
set -eu
case "${1:-}" in
    -*) set -- rabbitmq-server "$@" ;;
esac
if [ "$(id -u)" = 0 ] && [ "${1:-}" = rabbitmq-server ]; then
    chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
    exec setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups "$0" "$@"
fi
exec "$@"
ENTRYPOINT
chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"

# Every container makes a cookie of its own; one in the image would be known to all who have it.
rm -rf "$root/var/lib/rabbitmq/.erlang.cookie" "$root/var/lib/rabbitmq/mnesia"
mkdir -p "$root/var/lib/rabbitmq" "$root/var/log/rabbitmq"
chown -R 999:999 "$root/etc/rabbitmq" "$root/var/lib/rabbitmq" "$root/var/log/rabbitmq"
