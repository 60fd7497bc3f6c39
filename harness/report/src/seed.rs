//! The seed of each check, from the one that a person types.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

/// How it is derived: results name it, so that whoever repeats a run knows whether the same choices will be made.
pub const DERIVATION: &str = "siphash-1-3";

/// The seed of a check: SipHash-1-3, with a key of zeros, of the run's seed (8 bytes, little-endian), the name and a
/// byte of ones.
pub fn of_check(run: u64, check: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(&run.to_le_bytes());
    hasher.write(check.as_bytes());
    hasher.write(&[0xff]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_with_every_toolchain() {
        let seeds = [(1, "send_leaves_one_message"), (1, ""), (999_999, "消息")];
        let seeds = seeds.map(|(run, check)| of_check(run, check));
        assert_eq!(
            seeds,
            [
                6_206_579_215_742_602_143,
                9_399_151_345_360_787_321,
                3_982_524_371_090_040_671
            ]
        );
    }
}
