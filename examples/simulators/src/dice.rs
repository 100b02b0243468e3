//! Repeatable chance: the same seed throws the same numbers on every machine and in every version.
//!
//! `SplitMix64`, written out because a story has to stay the same when a random number crate changes its stream.

/// A row of throws that a seed decides.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always throw the same row for `seed`.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// The next 64 bits.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end`, without `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u32) -> u32 {
        let high = ((self.throw() >> 32) * u64::from(end)) >> 32;
        u32::try_from(high).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> i64 {
        i64::from(low) + i64::from(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// One of `choices`; the default value where there are none.
    pub fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let at = self.below(u32::try_from(choices.len()).unwrap_or(u32::MAX));
        choices.get(at as usize).copied().unwrap_or_default()
    }

    /// `count` characters of `alphabet`.
    pub fn text(&mut self, count: usize, alphabet: &str) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| self.pick(&letters)).collect()
    }

    /// `count` decimal digits.
    pub fn digits(&mut self, count: usize) -> String {
        self.text(count, "0123456789")
    }

    /// `count` letters and digits, as nonces have them.
    pub fn nonce(&mut self, count: usize) -> String {
        self.text(count, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Puts `things` into another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for end in (1..things.len()).rev() {
            let other = self.below(u32::try_from(end + 1).unwrap_or(u32::MAX));
            things.swap(end, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        let row = |seed| {
            let mut dice = Dice::new(seed);
            (dice.digits(8), dice.nonce(6), dice.between(10, 20), dice.pick(&["a", "b", "c"]))
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
    }

    #[test]
    fn bounds_are_kept_and_reached() {
        let mut dice = Dice::new(1);
        let throws: Vec<i64> = (0..200).map(|_| dice.between(3, 5)).collect();
        assert_eq!((throws.iter().min(), throws.iter().max()), (Some(&3), Some(&5)));
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn shuffling_keeps_every_thing() {
        let mut cards: Vec<u32> = (0..12).collect();
        Dice::new(3).shuffle(&mut cards);
        assert_ne!(cards, (0..12).collect::<Vec<u32>>());
        cards.sort_unstable();
        assert_eq!(cards, (0..12).collect::<Vec<u32>>());
    }
}
