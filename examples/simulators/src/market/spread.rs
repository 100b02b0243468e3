//! Spreading a sum over lines so that not one fen gets lost.

/// `sum` over `weights` by largest remainder: the floor of each share, then one fen each by descending remainder, ties to
/// the earlier. All zero where there is no weight.
pub(crate) fn spread(sum: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    if total <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(sum) * i128::from(weight);
    let mut shares: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(exact(*weight) / total).unwrap_or(0)).collect();
    let left = sum - shares.iter().sum::<i64>();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|place| {
        let weight = weights.get(*place).copied().unwrap_or(0);
        std::cmp::Reverse(exact(weight) % total)
    });
    for place in places.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_remainder_gets_the_odd_fen() {
        assert_eq!(spread(3000, &[25900, 9900]), [2170, 830]);
        assert_eq!(spread(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(spread(1, &[5000, 5000]), [1, 0]);
        assert_eq!(spread(5, &[0, 0]), [0, 0]);
        assert_eq!(spread(0, &[7, 9]), [0, 0]);
        assert_eq!(spread(7, &[0, 9]), [0, 7]);
    }
}
