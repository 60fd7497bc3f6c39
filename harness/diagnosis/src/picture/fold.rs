//! Runs of the same frames, folded: the first and the last are shown, and how many there were between them.

use super::rows::{Kind, Row};

/// The longest group of frames that is looked for: deliver, publish, ack.
const LONGEST: usize = 3;
/// So many frames are never folded.
const SHORT: usize = 6;

/// Folds what repeats: one frame, or a few in turn (`basic.deliver`, `basic.ack`, `basic.deliver` …).
pub(super) fn fold(rows: &[Row]) -> Vec<Row> {
    let mut folded = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let run = (1..=LONGEST)
            .map(|period| (period, repeats(&rows[at..], period)))
            .filter(|(period, times)| *times >= 3 && period * times > SHORT)
            .max_by_key(|(period, times)| (period * times, std::cmp::Reverse(*period)));
        match run {
            Some((period, times)) => {
                let run = &rows[at..at + period * times];
                folded.extend_from_slice(&run[..period]);
                folded.push(between(&run[period..run.len() - period], period));
                folded.extend_from_slice(&run[run.len() - period..]);
                at += run.len();
            }
            None => {
                folded.push(rows[at].clone());
                at += 1;
            }
        }
    }
    folded
}

/// How often the first `period` rows come, one time after the other.
fn repeats(rows: &[Row], period: usize) -> usize {
    let Some(first) = rows.get(..period) else {
        return 0;
    };
    if !first.iter().all(|row| row.is_like(row)) {
        return 0;
    }
    rows.chunks_exact(period)
        .take_while(|chunk| chunk.iter().zip(first).all(|(row, like)| row.is_like(like)))
        .count()
}

/// The row that stands for those in the middle of a run.
fn between(rows: &[Row], period: usize) -> Row {
    let names: Vec<&str> = rows[..period].iter().map(|row| row.head.as_str()).collect();
    Row {
        number: None,
        at: rows[0].at,
        kind: Kind::Fold,
        head: format!("… {} × {}", rows.len() / period, names.join(", ")),
        rest: String::new(),
        body: String::new(),
        marks: Vec::new(),
    }
}
