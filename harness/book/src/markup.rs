//! Small pieces of Markdown and HTML.

use pulldown_cmark::{Event, Parser, html};

/// A link of the catalogue (`hello-world.html#sending`) as pages write it (`hello-world.md#sending`).
pub(crate) fn source_link(link: &str) -> Option<String> {
    let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
    let page = page.strip_suffix(".html")?;
    Some(match anchor {
        "" => format!("{page}.md"),
        anchor => format!("{page}.md#{anchor}"),
    })
}

/// A text of one line as a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A text of one line as HTML, without a paragraph around it: a summary is not parsed as Markdown.
pub(crate) fn inline(text: &str) -> String {
    let events = Parser::new(text).filter(|event| {
        !matches!(
            event,
            Event::Start(pulldown_cmark::Tag::Paragraph)
                | Event::End(pulldown_cmark::TagEnd::Paragraph)
        )
    });
    let mut whole = String::new();
    html::push_html(&mut whole, events);
    whole.trim_end().to_owned()
}

/// Text that means itself in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A block of text that may hold anything, also backticks.
pub(crate) fn fence(language: &str, text: &str) -> String {
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let marks = "`".repeat(longest.max(2) + 1);
    format!("{marks}{language}\n{}\n{marks}", text.trim_end())
}
