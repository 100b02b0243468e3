//! Medians, quantiles and spreads of whole numbers, and how they are written. Nothing here rounds through floating point.

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

    /// `12.3 ± 0.4 ms`; one figure has no spread, and none is a dash.
    pub(crate) fn show(&self, unit: Unit) -> String {
        match self.0.len() {
            0 => "–".to_owned(),
            1 => unit.show(self.median()),
            _ => format!("{} ± {}", unit.bare(self.median()), unit.show(self.spread())),
        }
    }
}

/// What a number counts, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds, written in microseconds.
    Micros,
    /// Nanoseconds, written in milliseconds.
    Millis,
    /// So many a second.
    PerSecond,
    /// Thousandths, written in per cent.
    PerCent,
    /// KiB, written in MiB.
    Mib,
    /// Bytes, written in thousands of them.
    Kilobytes,
    /// Rows a second.
    RowsPerSecond,
}

impl Unit {
    /// With its word. Cut, not rounded.
    pub(crate) fn show(self, figure: u64) -> String {
        let word = match self {
            Unit::Micros => " µs",
            Unit::Millis => " ms",
            Unit::PerSecond => "/s",
            Unit::PerCent => " %",
            Unit::Mib => " MiB",
            Unit::Kilobytes => " kB",
            Unit::RowsPerSecond => " rows/s",
        };
        format!("{}{word}", self.bare(figure))
    }

    fn bare(self, figure: u64) -> String {
        match self {
            Unit::Micros | Unit::Kilobytes => format!("{}.{}", grouped(figure / 1_000), figure % 1_000 / 100),
            Unit::Millis => format!("{}.{:02}", grouped(figure / 1_000_000), figure % 1_000_000 / 10_000),
            Unit::PerSecond | Unit::RowsPerSecond => grouped(figure),
            Unit::PerCent => format!("{}.{}", figure / 10, figure % 10),
            Unit::Mib => format!("{}.{}", grouped(figure / 1024), figure % 1024 * 10 / 1024),
        }
    }
}

/// `1,234,567`.
pub(crate) fn grouped(figure: u64) -> String {
    let digits = figure.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time as a whole number.
pub(crate) fn nanos(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

/// So many of something in so long, a second.
pub(crate) fn per_second(count: u64, took: std::time::Duration) -> u64 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000_000) / micros
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
    fn figures_are_cut_and_not_rounded() {
        for (unit, figure, expect) in [
            (Unit::Micros, 12_399, "12.3 µs"),
            (Unit::Millis, 1_259_999, "1.25 ms"),
            (Unit::PerSecond, 75_000_001, "75,000,001/s"),
            (Unit::PerCent, 357, "35.7 %"),
            (Unit::Mib, 1536, "1.5 MiB"),
            (Unit::Kilobytes, 999, "0.9 kB"),
        ] {
            assert_eq!(unit.show(figure), expect);
        }
        assert_eq!(Figures::of(vec![10, 30, 20]).show(Unit::PerSecond), "20 ± 10/s");
        assert_eq!(Figures::of(vec![]).show(Unit::PerSecond), "–");
        for (figure, expect) in [(0, "0"), (999, "999"), (1_000, "1,000")] {
            assert_eq!(grouped(figure), expect);
        }
    }
}
