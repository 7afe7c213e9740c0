//! Random numbers that are the same on every machine and for any number of threads.

/// SplitMix64 (Steele, Lea and Flood 2014): one 64-bit state that advances by a constant, and a mixing function.
pub(crate) struct Random(u64);

impl Random {
    /// The stream for draw number `draw` under `seed`: draws are numbered, so it does not matter who makes them.
    pub(crate) fn new(seed: u64, draw: usize) -> Self {
        Self(mix(mix(seed.wrapping_add(GAMMA)) ^ mix(!(draw as u64))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number below `n`, which is above 0, by multiplication (Lemire 2019); the bias is below n/2⁶⁴.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_splitmix64() {
        // The first numbers of the reference implementation from the state 1234567.
        let mut random = Random(1234567);
        let wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        assert_eq!([0; 4].map(|_| random.next()), wanted);
    }

    #[test]
    fn is_even_and_stays_below() {
        let mut counts = [0; 7];
        let mut random = Random::new(1, 2);
        (0..70_000).for_each(|_| counts[random.below(7)] += 1);
        assert!(counts.iter().all(|n| (9_600..10_400).contains(n)), "{counts:?}");
    }
}
