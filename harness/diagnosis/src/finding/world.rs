//! The stories of all programs of one lab, side by side.

use std::time::{Duration, SystemTime};

use amqp_tap::story::{Declare, Mark};

use super::{Ask, Given, Seen, account::Account};

/// All programs of one lab, which share a virtual host.
pub(super) struct World<'a> {
    pub(super) stories: Vec<Account<'a>>,
    pub(super) given: &'a Given,
    began: SystemTime,
}

impl<'a> World<'a> {
    pub(super) fn of(all: &'a [Seen<'a>], given: &'a Given) -> Self {
        let began = all.iter().map(|seen| seen.began).min();
        Self {
            stories: all
                .iter()
                .enumerate()
                .map(|(place, seen)| Account::of(seen, place))
                .collect(),
            given,
            began: began.unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }

    /// A time on a program's tape as a time since the first tape began.
    pub(super) fn time(&self, story: &Account<'_>, mark: Mark) -> Duration {
        let offset = story.seen.began.duration_since(self.began);
        offset.unwrap_or_default() + mark.at
    }

    /// The arguments that a program was started with, in a chapter that asks this of them.
    pub(super) fn arguments(&self, ask: Ask, story: &Account<'a>) -> Option<&'a [String]> {
        let asked = self.given.asks.contains(&ask);
        asked.then(|| story.seen.argv.get(1..)).flatten()
    }

    /// The first declaration of a queue that may have made it, by any program.
    pub(super) fn first_declare(&self, queue: &str) -> Option<(&Account<'a>, &Declare)> {
        self.stories
            .iter()
            .flat_map(|story| story.declares.iter().map(move |declare| (story, declare)))
            .filter(|(_, declare)| {
                declare.is_queue
                    && declare.name == queue
                    && !declare.passive
                    && !matches!(declare.refused, Some(403 | 541))
            })
            .min_by_key(|(story, declare)| self.time(story, declare.asked))
    }

    /// Whether it is certain that there was no queue of this name up to a time since the first tape began.
    ///
    /// A declaration may have reached the broker at any time after it was sent. A queue that is known to exist, and
    /// that no tape shows to be declared before that, is the work of somebody else, at a time that nobody knows.
    pub(super) fn is_certainly_absent(&self, queue: &str, until: Duration) -> bool {
        if self.given.queues.contains(queue) || queue.starts_with("amq.") {
            return false;
        }
        let declared = self
            .first_declare(queue)
            .map(|(story, declare)| self.time(story, declare.asked));
        if declared.is_some_and(|declared| declared <= until) {
            return false;
        }
        let proved = self
            .stories
            .iter()
            .flat_map(|story| story.proofs.iter().map(move |proof| (story, proof)))
            .filter(|(_, (name, _))| name == queue)
            .map(|(story, (_, mark))| self.time(story, *mark))
            .min();
        match (proved, declared) {
            (Some(proved), Some(declared)) => declared <= proved,
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// Whether it is certain that nothing was bound to an exchange up to a time since the first tape began.
    pub(super) fn is_certainly_unbound(&self, exchange: &str, until: Duration) -> bool {
        !exchange.starts_with("amq.")
            && self.stories.iter().all(|story| {
                story
                    .binds
                    .iter()
                    .all(|bind| bind.exchange != exchange || self.time(story, bind.asked) > until)
            })
    }

    /// A queue whose name is nearly this one: of those that the exercise gives, or that another program uses.
    pub(super) fn similar(&self, queue: &str) -> Option<String> {
        let used = self.stories.iter().flat_map(|story| {
            let declared = story.declares.iter().filter(|it| it.is_queue);
            declared
                .map(|it| it.name.as_str())
                .chain(story.consumers.iter().map(|it| it.queue.as_str()))
        });
        self.given
            .names
            .iter()
            .map(String::as_str)
            .chain(used)
            .filter(|name| *name != queue && !name.starts_with("amq."))
            .map(|name| (distance(name, queue), name))
            .filter(|(distance, _)| *distance <= 2)
            .min()
            .map(|(_, name)| name.to_owned())
    }
}

/// How many characters must be changed, added or taken away to make one name of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (fold(one), fold(other));
    if one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let cost = before + usize::from(a != b);
            before = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

fn fold(name: &str) -> Vec<char> {
    name.to_lowercase().chars().collect()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_slip_is_near_and_another_name_is_far() {
        assert_eq!(distance("hello", "helo"), 1);
        assert_eq!(distance("hello", "Hello"), 0);
        assert_eq!(distance("hello", "hlelo"), 2);
        assert!(distance("hello", "task_queue") > 2);
        assert!(distance("logs", "jobs") <= 2);
    }
}
