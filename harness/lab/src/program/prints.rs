//! What a program prints of the messages that it deals with.

use workbook_diagnosis::{
    finding::anonymous,
    model::Message,
    printed::{Carried, carried, messages_carried},
    quote::visible,
};
use workbook_report::failure::{Checked, Failure};

use super::Program;

impl Program {
    /// Waits until the program has printed these bodies, a line each, in order,
    /// and nothing else that looks like a message (see [`printed`](workbook_diagnosis::printed)).
    pub async fn prints_bodies(&self, bodies: &[String]) -> Checked {
        let shown: Vec<&str> = bodies.iter().map(String::as_str).collect();
        self.prints(&shown, |output, ended| carried(output, bodies, ended))
            .await
    }

    /// Waits until the program has printed these messages, as [`Program::prints_bodies`] does: the body of each, with
    /// or without its routing key before it.
    pub async fn prints_messages(&self, messages: &[Message]) -> Checked {
        let shown: Vec<&str> = messages.iter().map(|it| it.body.as_str()).collect();
        self.prints(&shown, |output, ended| {
            messages_carried(output, messages, ended)
        })
        .await
    }

    /// Waits until it has printed one more message, published after it had printed others: so it did not end by itself
    /// after them.
    pub async fn goes_on_to_print(&self, body: &str) -> Checked {
        let what = format!(
            "`{}` waits for more, and prints the next message",
            self.bare_name()
        );
        self.until(&what, |program| {
            program.stdout().contains(body).then_some(Ok(()))
        })
        .await
    }

    async fn prints(&self, bodies: &[&str], compare: impl Fn(&str, bool) -> Carried) -> Checked {
        let compared = |program: &Self| compare(&program.stdout(), program.ended().is_some());
        let wrong = |index: usize, line: &str, cut: bool| {
            let expected = match bodies.get(index) {
                Some(body) => format!(
                    "`{}` prints a line that carries {}",
                    self.name(),
                    ordinal(index, body)
                ),
                None => format!(
                    "`{}` prints nothing after the {} bodies that it got",
                    self.name(),
                    bodies.len()
                ),
            };
            let line = visible(&anonymous(line));
            let mut observed = format!("it printed the line: {line}");
            if cut {
                observed.push_str("\nonly the line break at the end of that body is missing");
            }
            Failure::new(expected, observed)
        };
        let outcome = self
            .until("all bodies are printed", |program| {
                match compared(program) {
                    Carried::All => Some(Ok(())),
                    Carried::SoFar(_) => None,
                    Carried::Wrong { index, line, cut } => Some(Err(wrong(index, &line, cut))),
                }
            })
            .await;
        match (outcome, compared(self)) {
            (Err(failure), Carried::SoFar(printed)) if !failure.is_infra() => {
                let body = bodies.get(printed).copied().unwrap_or_default();
                let missed = self.missed(&format!(
                    "`{}` prints a line that carries {}",
                    self.name(),
                    ordinal(printed, body)
                ));
                let shows = |output: &str, ended: bool| match compare(output, ended) {
                    Carried::All => true,
                    Carried::SoFar(count) => count > printed,
                    Carried::Wrong { .. } => false,
                };
                Err(self.tells_where(missed, bodies, printed, shows).await)
            }
            (outcome, _) => outcome,
        }
    }
}

/// "the 3rd body, `…`"
fn ordinal(index: usize, body: &str) -> String {
    let number = index + 1;
    let ending = match (number % 10, number % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!(
        "the {number}{ending} body, {}",
        visible(&format!("{body:?}"))
    )
}
