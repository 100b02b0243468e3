//! Medians, quantiles and spreads of whole numbers. Nothing here rounds through floating point.

/// Several measurements of one thing, smallest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figures(Vec<u64>);

impl Figures {
    pub(crate) fn of(mut figures: Vec<u64>) -> Figures {
        figures.sort_unstable();
        Figures(figures)
    }

    /// The value that `per_mille` thousandths of all are not above; 0 of nothing.
    pub(crate) fn quantile(&self, per_mille: usize) -> u64 {
        let last = self.0.len().saturating_sub(1);
        let rank = (self.0.len() * per_mille).div_ceil(1000).saturating_sub(1).min(last);
        self.0.get(rank).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> u64 {
        self.quantile(500)
    }

    /// Half of what lies between the smallest and the largest.
    pub(crate) fn spread(&self) -> u64 {
        let ends = self.0.first().zip(self.0.last());
        ends.map_or(0, |(least, most)| (most - least) / 2)
    }
}

/// `12.3`, of nanoseconds, in microseconds.
pub(crate) fn micros(nanos: u64) -> String {
    format!("{}.{}", nanos / 1_000, nanos % 1_000 / 100)
}

/// `1.25`, of nanoseconds, in milliseconds.
pub(crate) fn millis(nanos: u64) -> String {
    format!("{}.{:02}", nanos / 1_000_000, nanos % 1_000_000 / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let figures = Figures::of((1..=100).rev().collect());
        assert_eq!((figures.median(), figures.quantile(990), figures.quantile(1000)), (50, 99, 100));
        assert_eq!(Figures::of(vec![7]).quantile(990), 7);
        assert_eq!(Figures::default().median(), 0);
    }

    #[test]
    fn the_spread_is_half_the_range() {
        assert_eq!(Figures::of(vec![30, 10, 20]).spread(), 10);
    }

    #[test]
    fn times_are_cut_not_rounded() {
        assert_eq!(micros(12_399), "12.3");
        assert_eq!(millis(1_259_999), "1.25");
    }
}
