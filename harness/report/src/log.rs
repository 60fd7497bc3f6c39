//! What the harness is doing, for whoever looks at a run that is stuck: nothing, unless `WORKBOOK_LOG` asks for it.

use std::{env, io, sync::Once};

use tracing_subscriber::{
    filter::Targets,
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// The variable that asks for it: `debug`, or targets with levels as in `workbook_broker=debug,workbook_lab=info`.
pub const LOG: &str = "WORKBOOK_LOG";

/// Whether somebody asked for it.
pub fn is_wanted() -> bool {
    env::var_os(LOG).is_some_and(|value| !value.is_empty())
}

/// Has it written to standard error, if somebody asked for it: a line when something begins and one when it ends, with
/// how long it took. What cannot be read asks for everything.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        if !is_wanted() {
            return;
        }
        let asked = env::var(LOG).unwrap_or_default();
        let level = tracing::Level::DEBUG;
        let targets: Targets = match asked.as_str() {
            // Of other libraries only what went wrong: they tell of each byte.
            "debug" | "trace" | "info" => ["workbook", "amqp_tap"]
                .into_iter()
                .map(|target| (target, asked.parse().unwrap_or(level)))
                .collect(),
            targets => targets
                .parse()
                .unwrap_or_else(|_| Targets::new().with_target("workbook", level)),
        };
        let lines = fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(false)
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE);
        // Somebody else's subscriber is as good.
        let _ = tracing_subscriber::registry()
            .with(lines)
            .with(targets)
            .try_init();
    });
}
