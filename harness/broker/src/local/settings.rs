//! The files and variables that make a `rabbitmq-server` a node of ours, and of nobody else.

use std::ffi::OsString;
use std::path::Path;

use crate::record::{Node, Record};

/// What both kinds of broker are told on Erlang's command line.
///
/// - `+sbwt none` and its sisters: the schedulers do not burn the CPU while they wait. A laptop stays
///   cool and the programs under test get the processor.
/// - `permit_deprecated_features`: RabbitMQ 4.3.0 to 4.3.5 refuse a transient non-exclusive queue with
///   541, which is what a client's default `queue_declare` makes. As an application's variable it means
///   nothing to a broker that does not know it; as a key of `rabbitmq.conf` it would keep that from
///   booting.
pub(crate) const ERLANG_ARGUMENTS: &str = "+sbwt none +sbwtdcpu none +sbwtdio none \
    -rabbit permit_deprecated_features #{transient_nonexcl_queues=>true}";

/// How much the node tells: a check makes several connections, queues and channels, and each would be told of in lines.
pub(crate) const LOGGED: &str = "connection=warning,channel=warning,queue=warning";
/// With a time zone that needs no file, the C library does not look for one with each line of the log.
pub(crate) const TIME_ZONE: &str = "UTC0";

/// The folder in a node's data that its user calls home: Erlang keeps the cookie there.
pub(crate) const HOME: &str = "home";
/// The node's console, which is its log.
pub(crate) const LOG: &str = "log";
pub(crate) const CONFIGURATION: &str = "rabbitmq.conf";
const PLUGINS: &str = "enabled_plugins";
const ENVIRONMENT: &str = "rabbitmq-env.conf";

/// The node's name; its host part is one that resolves without a network.
pub(crate) fn node_name(record: &Record) -> String {
    format!("workbook-{}@localhost", record.id)
}

/// The files to write before a start, by name: configuration, plugins, and an empty file in place of the
/// system's own environment file, which would otherwise be read.
pub(crate) fn files(record: &Record, node: &Node, cookie: &str) -> [(String, String); 4] {
    let configuration = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         default_user = {user}\n\
         default_pass = {password}\n\
         default_user_tags.administrator = true\n\
         log.file = false\n\
         log.console = true\n\
         disk_free_limit.absolute = 50MB\n",
        amqp = node.ports.amqp,
        management = node.ports.management,
        user = record.user,
        password = record.password,
    );
    [
        (CONFIGURATION.to_owned(), configuration),
        (PLUGINS.to_owned(), "[rabbitmq_management].\n".to_owned()),
        (ENVIRONMENT.to_owned(), String::new()),
        (format!("{HOME}/.erlang.cookie"), cookie.to_owned()),
    ]
}

/// The whole environment of the node: nothing else of ours reaches it.
pub(crate) fn variables(record: &Record, node: &Node) -> Vec<(&'static str, OsString)> {
    let Node { data, ports, .. } = node;
    let inside = |name: &str| Path::join(data, name).into_os_string();
    vec![
        ("PATH", path_with_system_folders()),
        ("HOME", inside(HOME)),
        ("LANG", "C.UTF-8".into()),
        ("TZ", TIME_ZONE.into()),
        ("RABBITMQ_LOG", LOGGED.into()),
        ("RABBITMQ_NODENAME", node_name(record).into()),
        ("RABBITMQ_CONF_ENV_FILE", inside(ENVIRONMENT)),
        ("RABBITMQ_CONFIG_FILE", inside(CONFIGURATION)),
        ("RABBITMQ_CONFIG_FILES", inside("no-more-configuration")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", inside("advanced.config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", inside(PLUGINS)),
        ("RABBITMQ_MNESIA_BASE", inside("data")),
        ("RABBITMQ_LOG_BASE", inside("logs")),
        ("RABBITMQ_DIST_PORT", ports.distribution.to_string().into()),
        ("ERL_EPMD_PORT", ports.epmd.to_string().into()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
        ("ERL_CRASH_DUMP_BYTES", "0".into()),
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            format!("-kernel inet_dist_use_interface {{127,0,0,1}} {ERLANG_ARGUMENTS}").into(),
        ),
    ]
}

/// Erlang is found by `PATH`, which may be short where we were started from.
fn path_with_system_folders() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin");
    path
}
