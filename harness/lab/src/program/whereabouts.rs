//! Where a body went that no line on standard output carries: it is told, as far as the tape and the output prove it.

use std::time::{Duration, SystemTime};

use workbook_diagnosis::{
    finding::{anonymous, spoken::is_waiting},
    quote::visible,
};
use workbook_report::failure::Failure;

use super::{CTRL_C_LIMIT, Program};
use crate::wait::GRACE;

/// What closes the quotes around a body.
const CLOSING: [char; 7] = ['\'', '"', '`', '”', '’', '」', '»'];

/// Where a body was printed after all.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whereabouts {
    /// On standard output, as it should be, but its line has no end yet.
    NoLineBreak,
    /// In this line, which goes on after it.
    BeforeText(String),
    /// In this line of standard error.
    StandardError(String),
    /// In this line, after text that no decoration is made of.
    AfterText(String),
    /// Nothing at all was printed, on either stream.
    Nothing,
    /// Something was printed, and who can say what it stands for?
    Elsewhere,
}

/// That a program had a body.
struct Had {
    at: Duration,
    /// In words.
    how: String,
    /// It published it, and did not get it.
    sent: bool,
}

impl Program {
    /// Adds to a failure of printing a body that the program had it, and where it printed it, if that can be told.
    ///
    /// `shows` tells whether an output carries the body; its argument whether the output is over. A program that has
    /// printed nothing of what it got is asked for its end: what it printed may wait in a buffer of its own. Of one that
    /// has ended it is told where a body is, and not where it is not: whether the next one had still reached it is up to
    /// the moment.
    pub(super) async fn tells_where(
        &self,
        failure: Failure,
        bodies: &[&str],
        index: usize,
        shows: impl Fn(&str, bool) -> bool,
    ) -> Failure {
        let Some(Had { at, how, sent }) = self.had(bodies, index) else {
            return failure;
        };
        let over = self.ended().is_some();
        let Some(body) = bodies.get(index) else {
            return failure;
        };
        let place = self.place(body, at, &shows);
        let shown = |line: &str| visible(&anonymous(line));
        let flush = "flush standard output after each line: what is printed may wait in a buffer of the program's own";
        let (what, advice) = match place {
            Whereabouts::NoLineBreak => (
                "it printed it, but did not end the line".to_owned(),
                Some("end the line: what is printed next begins one of its own"),
            ),
            Whereabouts::BeforeText(line) => (
                format!("it printed it, but other text after it on its line: {}", shown(&line)),
                Some("end the line after the body: what is printed next begins one of its own"),
            ),
            Whereabouts::StandardError(line) => (
                format!("it printed it on standard error: {}", shown(&line)),
                Some("print it on standard output: standard error is for what goes wrong"),
            ),
            Whereabouts::AfterText(line) => (
                format!("it printed it after other text: {}", shown(&line)),
                Some("print a line that carries the body alone, or words such as `Received` before it"),
            ),
            Whereabouts::Nothing if !over && self.prints_at_its_end(&shows).await => (
                "it printed it only at its end, when Ctrl-C was pressed".to_owned(),
                Some(flush),
            ),
            // What it published is certain.
            Whereabouts::Nothing | Whereabouts::Elsewhere if over && !sent => return failure,
            Whereabouts::Nothing | Whereabouts::Elsewhere if over => (String::new(), None),
            Whereabouts::Nothing => (
                "since then it has printed nothing, neither on standard output nor on standard error"
                    .to_owned(),
                Some(flush),
            ),
            Whereabouts::Elsewhere => (String::new(), None),
        };
        let Failure { observed, .. } = &failure;
        let observed = [observed.as_str(), &how, &what]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        let failure = Failure {
            observed,
            ..failure
        };
        match advice {
            Some(advice) => failure.advise(advice),
            None => failure,
        }
    }

    /// When and how the program got the body that it should print, or published it; of bodies that are the same, the
    /// one that is meant.
    fn had(&self, bodies: &[&str], index: usize) -> Option<Had> {
        let body = bodies.get(index)?;
        let same = bodies[..index].iter().filter(|it| *it == body).count();
        let story = self.story();
        let is_it = |found: &[u8]| found == body.as_bytes();
        let deliveries = story.deliveries.iter();
        let mut delivered = deliveries.filter(|it| it.whole && is_it(&it.body));
        if let Some(delivery) = delivered.nth(same) {
            let how = format!(
                "the broker handed it over (delivery tag {}, from the queue `{}`)",
                delivery.tag,
                visible(&anonymous(&delivery.queue))
            );
            return Some(Had {
                at: delivery.got.at,
                how,
                sent: false,
            });
        }
        let publishes = story.publishes.iter();
        let mut published = publishes.filter(|it| it.complete && is_it(&it.body));
        let publish = published.nth(same)?;
        Some(Had {
            at: publish.asked.at,
            how: "it published it (basic.publish)".to_owned(),
            sent: true,
        })
    }

    /// Where a body is in what it printed since that time.
    fn place(
        &self,
        body: &str,
        since: Duration,
        shows: impl Fn(&str, bool) -> bool,
    ) -> Whereabouts {
        let witness = self.witness();
        let since = witness.seen().began + since;
        let (output, lines) = (self.stdout(), self.0.process.stdout.lines());
        if shows(&output, true) {
            return Whereabouts::NoLineBreak;
        }
        let before = lines.partition_point(|(read, _)| *read < since);
        let before: usize = output
            .split_inclusive('\n')
            .take(before)
            .map(str::len)
            .sum();
        if let Some(line) = goes_on(body, &output, before, shows) {
            return Whereabouts::BeforeText(line);
        }
        let errors = self.0.process.stderr.lines();
        let silent = self.is_silent_since_its_first_body(&lines, &errors);
        place(
            body,
            &lines_since(lines, since),
            &lines_since(errors, since),
            silent,
        )
    }

    /// Whether it has printed nothing since it got or published its first body, but that it waits.
    fn is_silent_since_its_first_body(&self, lines: &[Line], errors: &[Line]) -> bool {
        let story = self.story();
        let got = story.deliveries.iter().map(|it| it.got.at);
        let first = got
            .chain(story.publishes.iter().map(|it| it.asked.at))
            .min();
        let since = self.began() + first.unwrap_or_default();
        let mut later = lines
            .iter()
            .chain(errors)
            .filter(|(read, _)| *read >= since);
        later.all(|(_, line)| is_waiting(line))
    }

    /// Whether the body comes when the program is asked to end.
    async fn prints_at_its_end(&self, shows: impl Fn(&str, bool) -> bool) -> bool {
        if self.ended().is_some() {
            return false;
        }
        self.interrupt();
        let limit = self.0.bell.deadline.min(CTRL_C_LIMIT + GRACE);
        let ended = self.0.bell.until(limit, || self.ended()).await;
        ended.is_some() && shows(&self.stdout(), true)
    }
}

/// A line, and when it was read.
type Line = (SystemTime, String);

fn lines_since(lines: Vec<Line>, since: SystemTime) -> Vec<String> {
    let later = lines.into_iter().filter(|(read, _)| *read >= since);
    later.map(|(_, line)| line).collect()
}

/// The line that would carry a body, if it ended there, in what was printed after the first so many bytes.
fn goes_on(
    body: &str,
    output: &str,
    before: usize,
    shows: impl Fn(&str, bool) -> bool,
) -> Option<String> {
    if body.trim().is_empty() {
        return None;
    }
    let found = output.match_indices(body).find(|(at, _)| {
        let end = at + body.len();
        let quote = output[end..]
            .chars()
            .next()
            .filter(|it| CLOSING.contains(it));
        let ends = [end, end + quote.map_or(0, char::len_utf8)];
        *at >= before && ends.into_iter().any(|end| shows(&output[..end], true))
    });
    let (at, _) = found?;
    let start = output[..at].rfind('\n').map_or(0, |end| end + 1);
    output[start..].lines().next().map(str::to_owned)
}

/// Where a body is in these lines of standard output and of standard error; `silent`: there are none that could be it.
fn place(body: &str, output: &[String], errors: &[String], silent: bool) -> Whereabouts {
    if silent {
        return Whereabouts::Nothing;
    }
    let found = |lines: &[String]| lines.iter().find(|line| ends_with(line, body)).cloned();
    if let Some(line) = found(output) {
        return Whereabouts::AfterText(line);
    }
    found(errors).map_or(Whereabouts::Elsewhere, Whereabouts::StandardError)
}

/// Whether a line ends with a body, which begins a word of its own there; a body that nobody can see is in no line.
fn ends_with(line: &str, body: &str) -> bool {
    if body.trim().is_empty() {
        return false;
    }
    let bare = line.strip_suffix(CLOSING);
    let before = [Some(line), bare]
        .into_iter()
        .flatten()
        .find_map(|line| line.strip_suffix(body.trim_end()));
    before.is_some_and(|before| !before.ends_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use workbook_diagnosis::printed::Carried;
    use workbook_diagnosis::printed::carried;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_body_is_found_where_it_is() {
        let after = "2026/11/30 18:00:00 Received a message: x y";
        let is_after = Whereabouts::AfterText(after.to_owned());
        assert_eq!(place("x y", &lines(&["hm", after]), &[], false), is_after);
        let quoted = "18:00 got 'x y'";
        let is_after = Whereabouts::AfterText(quoted.to_owned());
        assert_eq!(
            place("x y", &lines(&[quoted]), &lines(&["x y"]), false),
            is_after
        );
        let on_error = Whereabouts::StandardError("Received x y".to_owned());
        assert_eq!(
            place("x y", &[], &lines(&["Received x y"]), false),
            on_error
        );
        assert_eq!(place("x y", &[], &[], true), Whereabouts::Nothing);
    }

    #[test]
    fn a_line_that_goes_on_is_found() {
        let bodies = ["x y".to_owned()];
        let found = |output: &str, before| {
            goes_on("x y", output, before, |output, ended| {
                carried(output, &bodies, ended) == Carried::All
            })
        };
        let glued = "Waiting\nReceived 'x y'Received 'z'";
        assert_eq!(
            found(glued, 8).as_deref(),
            Some("Received 'x y'Received 'z'")
        );
        assert_eq!(found("x y z\n", 0).as_deref(), Some("x y z"));
        // Printed before the body was there, it stands for something else; and so does the end of another word.
        assert_eq!(found("x y z\nhm", 6), None);
        assert_eq!(found("ax y z\n", 0), None);
    }

    #[test]
    fn nothing_is_said_that_a_line_does_not_prove() {
        // A body may be in a line by chance: as the end of a word, in its middle, or as nothing at all.
        for (body, line) in [
            ("s", "Waiting for messages"),
            ("message", "Waiting for messages"),
            ("", "Waiting for messages"),
            (" ", "Waiting for messages "),
            ("x y", "Received [120, 32, 121]"),
            ("x y", "x y and more"),
        ] {
            assert_eq!(
                place(body, &lines(&[line]), &lines(&[line]), false),
                Whereabouts::Elsewhere
            );
        }
    }
}
