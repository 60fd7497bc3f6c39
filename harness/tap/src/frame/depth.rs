//! How deep tables and arrays nest, found without recursion and without allocation.
//!
//! The codec calls itself for each level, and a stack that overflows aborts the process. A level costs at least one
//! byte of type, `A` or `F`, so a payload with no more of those bytes than levels allowed is safe as it is: that is
//! nearly every frame, and one pass over a few bytes. Only the others are walked.

use crate::flaw::Flaw;

/// Refuses a method frame's payload in which tables nest deeper than `deepest`.
pub(super) fn check_method(payload: &[u8], deepest: u32) -> Result<(), Flaw> {
    check(payload, deepest, || table_of_method(payload))
}

/// Refuses a header frame's payload in which tables nest deeper than `deepest`.
pub(super) fn check_header(payload: &[u8], deepest: u32) -> Result<(), Flaw> {
    check(payload, deepest, || table_of_header(payload))
}

fn check<'a>(
    payload: &[u8],
    deepest: u32,
    table: impl FnOnce() -> Option<&'a [u8]>,
) -> Result<(), Flaw> {
    let possible = payload
        .iter()
        .filter(|byte| matches!(byte, b'A' | b'F'))
        .count();
    if possible < deepest as usize {
        return Ok(());
    }
    // A table that is not where it should be is for the codec to refuse, which it does before any nesting.
    if table().is_some_and(|entries| deeper_than(entries, deepest)) {
        return Err(Flaw::TooDeep(deepest));
    }
    Ok(())
}

/// The entries of the one table that a method has (no method has two).
fn table_of_method(payload: &[u8]) -> Option<&[u8]> {
    let (&[c0, c1, m0, m1], rest) = payload.split_first_chunk::<4>()?;
    let ids = (u16::from_be_bytes([c0, c1]), u16::from_be_bytes([m0, m1]));
    // What comes before the table: octets, then short strings, then octets of bits.
    let (octets, strings, bits) = match ids {
        // connection.start: the version. connection.start-ok: nothing.
        (10, 10) => (2, 0, 0),
        (10, 11) => (0, 0, 0),
        // exchange.declare: reserved, exchange, type, bits. basic.consume: reserved, queue, consumer tag, bits.
        (40, 10) | (60, 20) => (2, 2, 1),
        // exchange.bind and unbind: reserved, destination, source, routing key, bits.
        // queue.bind: reserved, queue, exchange, routing key, bits.
        (40, 30 | 40) | (50, 20) => (2, 3, 1),
        // queue.declare: reserved, queue, bits.
        (50, 10) => (2, 1, 1),
        // queue.unbind: reserved, queue, exchange, routing key.
        (50, 50) => (2, 3, 0),
        _ => return None,
    };
    long(skip_strings(rest.get(octets..)?, strings)?.get(bits..)?)
}

/// The entries of the `headers` property.
fn table_of_header(payload: &[u8]) -> Option<&[u8]> {
    // Class, weight and body size come before the property flags (§4.2.6.1).
    let (&[high, low], rest) = payload.get(12..)?.split_first_chunk::<2>()?;
    let flags = u16::from_be_bytes([high, low]);
    if flags & (1 << 13) == 0 {
        return None;
    }
    // Content type and content encoding come before it.
    let strings = (flags >> 14).count_ones();
    long(skip_strings(rest, strings)?)
}

fn skip_strings(mut bytes: &[u8], count: u32) -> Option<&[u8]> {
    for _ in 0..count {
        let (length, rest) = bytes.split_first()?;
        bytes = rest.get(usize::from(*length)..)?;
    }
    Some(bytes)
}

fn long(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..u32::from_be_bytes(*length) as usize)
}

/// Whether `entries`, which are a table's and so at depth 1, hold anything deeper than `deepest`.
///
/// The codec reads an inner table only from the bytes that the outer one has for it, so what is inside can be walked
/// in the order of the bytes, with the end of each level kept on a stack of at most `deepest` levels.
fn deeper_than(entries: &[u8], deepest: u32) -> bool {
    let mut ends: Vec<(usize, bool)> = vec![(entries.len(), true)];
    let mut at = 0;
    loop {
        while ends.last().is_some_and(|(end, _)| at >= *end) {
            ends.pop();
        }
        let Some(&(end, keyed)) = ends.last() else {
            return false;
        };
        match step(entries, at, end, keyed) {
            // The codec stops at the same byte, with an error.
            None => return false,
            Some(Walk::On(next)) => at = next,
            Some(Walk::In { from, to, keyed }) => {
                if ends.len() >= deepest as usize {
                    return true;
                }
                ends.push((to, keyed));
                at = from;
            }
        }
    }
}

enum Walk {
    On(usize),
    In { from: usize, to: usize, keyed: bool },
}

/// One entry, from `at`: over it, or into it.
fn step(bytes: &[u8], mut at: usize, end: usize, keyed: bool) -> Option<Walk> {
    let bytes = bytes.get(..end)?;
    if keyed {
        at += 1 + usize::from(*bytes.get(at)?);
    }
    let kind = *bytes.get(at)?;
    at += 1;
    let size = match kind {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'L' | b'l' | b'd' | b'T' => 8,
        b'S' | b'x' | b'A' | b'F' => {
            let length: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            at += 4;
            u32::from_be_bytes(length) as usize
        }
        _ => return None,
    };
    let to = at.checked_add(size).filter(|to| *to <= end)?;
    Some(match kind {
        b'A' | b'F' => Walk::In {
            from: at,
            to,
            keyed: kind == b'F',
        },
        _ => Walk::On(to),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `levels` tables, each in the one before; the outermost is level 1.
    fn nested(levels: usize, kind: u8) -> Vec<u8> {
        let mut entries = Vec::new();
        for _ in 1..levels {
            let mut outer = if kind == b'F' { vec![1, b'k'] } else { vec![] };
            outer.push(kind);
            outer.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
            outer.append(&mut entries);
            entries = outer;
        }
        if kind == b'A' && levels > 1 {
            entries.splice(0..0, [1, b'k']);
        }
        entries
    }

    fn declare(entries: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 50, 0, 10, 0, 0, 1, b'q', 0];
        payload.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        payload.extend(entries);
        payload
    }

    #[test]
    fn counts_levels_exactly() {
        for kind in *b"AF" {
            assert_eq!(check_method(&declare(&nested(32, kind)), 32), Ok(()));
            assert_eq!(
                check_method(&declare(&nested(33, kind)), 32),
                Err(Flaw::TooDeep(32))
            );
        }
    }

    #[test]
    fn letters_that_are_only_text_are_not_levels() {
        let mut entries = vec![1, b'k', b'S', 0, 0, 1, 0];
        entries.extend([b'F'; 256]);
        assert_eq!(check_method(&declare(&entries), 8), Ok(()));
    }

    #[test]
    fn wide_is_not_deep() {
        let mut entries = Vec::new();
        for _ in 0..1000 {
            entries.extend([1, b'k', b'F', 0, 0, 0, 0]);
        }
        assert_eq!(check_method(&declare(&entries), 2), Ok(()));
    }
}
