//! Serving the book, and building it again when something that it is made of changes.

use std::{net::SocketAddr, path::PathBuf, sync::mpsc, time::Duration};

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use notify_debouncer_full::{DebounceEventResult, new_debouncer, notify::RecursiveMode};
use tokio::{net::TcpListener, sync::watch};
use tower_http::services::ServeDir;

use crate::{build::Build, error::BookError};

/// The name of the socket over which pages hear of changes.
const SOCKET: &str = "__livereload";
/// An editor writes a file in several steps; they are taken as one.
const QUIET: Duration = Duration::from_millis(100);

/// Builds the book, serves it at an address, and tells each thing that happens. It ends with an error or with the task.
pub async fn serve(
    mut build: Build,
    address: SocketAddr,
    tell: impl Fn(&str) + Send + 'static,
) -> Result<(), BookError> {
    build.live_reload = Some(SOCKET.to_owned());
    let seconds = build.run()?;
    let listener = TcpListener::bind(address).await?;
    tell(&format!(
        "built in {seconds:.1} s; the book is at http://{}/ and http://{0}/zh-CN/",
        listener.local_addr()?
    ));
    let (changed, hears) = watch::channel(0_u64);
    let app = Router::new()
        .route(&format!("/{SOCKET}"), get(socket))
        .with_state(hears)
        .fallback_service(ServeDir::new(&build.out));
    std::thread::spawn(move || {
        if let Err(error) = rebuild(&build, &changed, &tell) {
            tell(&format!("nothing is watched any more: {error}"));
        }
    });
    Ok(axum::serve(listener, app).await?)
}

/// Serves a folder at a free port of the loopback address, for as long as the task runs; returns where.
pub async fn serve_folder(folder: PathBuf) -> Result<SocketAddr, BookError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().fallback_service(ServeDir::new(folder));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// What the book is made of.
fn watched(build: &Build) -> Vec<PathBuf> {
    let book = build.root.join("book");
    let mut paths: Vec<PathBuf> = [
        "src",
        "po",
        "theme",
        "original",
        "runs",
        "book.toml",
        "terms.toml",
    ]
    .into_iter()
    .map(|name| book.join(name))
    .collect();
    paths.push(build.root.join("exercises"));
    paths.push(build.root.join("solutions"));
    paths.retain(|path| path.exists());
    paths
}

/// Builds again after each change, for ever.
fn rebuild(
    build: &Build,
    changed: &watch::Sender<u64>,
    tell: &impl Fn(&str),
) -> Result<(), BookError> {
    let (sender, events) = mpsc::channel::<DebounceEventResult>();
    let broken =
        |error: notify_debouncer_full::notify::Error| BookError::run("watching the book", error);
    let mut watcher = new_debouncer(QUIET, None, sender).map_err(broken)?;
    for path in watched(build) {
        watcher
            .watch(path, RecursiveMode::Recursive)
            .map_err(broken)?;
    }
    for result in events {
        let Ok(events) = result else { continue };
        if !events.iter().any(is_change) {
            continue;
        }
        match build.run() {
            Ok(seconds) => {
                tell(&format!("built again in {seconds:.1} s"));
                changed.send_modify(|count| *count += 1);
            }
            Err(error) => tell(&format!("not built: {error}")),
        }
    }
    Ok(())
}

/// Reading a file is an event, too, and building reads them all.
fn is_change(event: &notify_debouncer_full::DebouncedEvent) -> bool {
    let kind = event.kind;
    kind.is_create() || kind.is_modify() || kind.is_remove()
}

async fn socket(upgrade: WebSocketUpgrade, State(hears): State<watch::Receiver<u64>>) -> Response {
    upgrade.on_upgrade(|socket| reload(socket, hears))
}

/// Tells one page, once, that it has changed: it then loads itself again, with a new socket.
async fn reload(mut socket: WebSocket, mut hears: watch::Receiver<u64>) {
    hears.mark_unchanged();
    tokio::select! {
        changed = hears.changed() => {
            if changed.is_ok() {
                // The page may be gone already; then nobody is told.
                let _ = socket.send(Message::text("reload")).await;
            }
        }
        _ = socket.recv() => {}
    }
}
