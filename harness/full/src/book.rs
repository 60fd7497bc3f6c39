//! `cargo workbook book …`: the book, in every language. mdBook is a library here; nothing needs to be installed.

use std::{net::SocketAddr, path::Path};

use workbook::{Context, Error, Exit, cli::Book, output};
use workbook_book::{Build, preprocess, refresh, report::Report};
use workbook_broker::Broker;

use crate::error;

pub(crate) async fn book(context: &Context, command: Book) -> Result<Exit, Error> {
    let root = &context.workspace.root;
    match command {
        Book::Build { out } => build(root, out.as_deref()),
        Book::Serve { address, open } => serve(root, address, open).await,
        Book::Mdbook { question } => mdbook(&question),
        Book::Refresh { runs } => refresh(context, runs).await,
        Book::Report => report(context),
        Book::Screenshots => screenshots(context).await,
    }
}

fn build(root: &Path, out: Option<&Path>) -> Result<Exit, Error> {
    let mut build = Build::of(root);
    if let Some(out) = out {
        out.clone_into(&mut build.out);
    }
    let seconds = build.run().map_err(error::book)?;
    output::progress(&format!("built in {seconds:.1} s"));
    output::line(&format!(
        "the book is in {}",
        build.out.join("index.html").display()
    ));
    Ok(Exit::Ok)
}

async fn serve(root: &Path, address: SocketAddr, open: bool) -> Result<Exit, Error> {
    let mut build = Build::of(root);
    // A folder of its own: pages that are served reload themselves, and others cannot.
    build.out = root.join("target").join("workbook").join("served");
    if open {
        output::progress(&format!("open http://{address}/ in a browser"));
    }
    workbook_book::serve(build, address, output::line)
        .await
        .map_err(error::book)?;
    Ok(Exit::Ok)
}

/// Answers mdBook.
fn mdbook(question: &[String]) -> Result<Exit, Error> {
    match question {
        [] => {
            let changed = preprocess::as_command(std::io::stdin()).map_err(error::book)?;
            output::raw(&changed);
            Ok(Exit::Ok)
        }
        // Every renderer is fine.
        _ => Ok(Exit::Ok),
    }
}

async fn refresh(context: &Context, runs: bool) -> Result<Exit, Error> {
    let root = &context.workspace.root;
    for line in refresh::translations(root).map_err(error::book)? {
        output::line(&line);
    }
    if runs {
        let broker = Broker::find_or_start(&context.broker_options()?).await?;
        refresh::runs(&context.workspace, &broker, output::line)
            .await
            .map_err(error::book)?;
    }
    Ok(Exit::Ok)
}

async fn screenshots(context: &Context) -> Result<Exit, Error> {
    let broker = Broker::find_or_start(&context.broker_options()?).await?;
    workbook_book::screenshots::take(&context.workspace.root, &broker, output::line)
        .await
        .map_err(error::book)?;
    Ok(Exit::Ok)
}

/// The built book that reports look at.
fn looked_at(context: &Context) -> Build {
    Build {
        out: context.workspace.state().join("book"),
        ..Build::of(&context.workspace.root)
    }
}

fn report(context: &Context) -> Result<Exit, Error> {
    let report = Report::of(&looked_at(context)).map_err(error::book)?;
    for line in report.lines() {
        output::line(&line);
    }
    Ok(if report.is_clean() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

/// Builds the book and holds that nothing in it is stale or broken; returns a few words on what was looked at.
pub(crate) fn check(context: &Context) -> Result<String, Error> {
    let report = Report::of(&looked_at(context)).map_err(error::book)?;
    if report.is_clean() {
        return Ok(report.looked_at.join(", "));
    }
    let mut stale = Error::new(Exit::Failed, "the book is not as it should be")
        .hint("cargo workbook book refresh, then translate what is new in book/po/");
    stale.causes.extend(report.lines());
    Err(stale)
}
