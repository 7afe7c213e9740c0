//! When a stance turned.
//!
//! The articles of a pair, by date, are divided where their net stances (p(aligned) − p(opposed)) differ most before and after:
//!
//! ```text
//! T(k) = k (n − k) / n · (mean of the first k − mean of the rest)²
//! ```
//!
//! The division is kept if hardly any random order of the same articles gives a T as large (a permutation test of the
//! largest T), and both parts are divided in turn (binary segmentation: Vostrikova 1981). How sure the place is: residuals
//! are drawn anew around the two means, and the place is looked for again.

use std::ops::Range;

use crate::evaluate::random::Random;

/// Fewer articles than these make no part.
const LEAST: usize = 8;
/// Articles of a pair that are enough to be divided.
pub(crate) const ENOUGH: usize = 2 * LEAST;
/// Orders that are tried.
const PERMUTATIONS: usize = 999;
/// A division is kept up to this share of them.
const ALPHA: f64 = 0.01;
/// Draws of the place.
const DRAWS: usize = 400;
/// What lies outside its interval, on each side.
const OUTSIDE: f64 = 0.025;

/// A division of articles in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Division {
    /// The first article of the new part.
    pub at: usize,
    /// The first and the last that it may as well be.
    pub between: (usize, usize),
    /// The part before, and the part from there on.
    pub parts: (Range<usize>, Range<usize>),
    /// The means of the two.
    pub means: (f64, f64),
    /// The share of random orders that divide as clearly.
    pub p_value: f64,
}

/// Where these values, in order, divide; in order.
pub(super) fn divisions(values: &[f64], seed: u64) -> Vec<Division> {
    let mut places = Vec::new();
    divide(values, 0..values.len(), seed, &mut places);
    places.sort_unstable_by_key(|&(at, _)| at);
    let ends = |i: usize| places.get(i).map_or(values.len(), |&(at, _)| at);
    let division = |(i, &(at, p_value)): (usize, &(usize, f64))| {
        let parts = (if i == 0 { 0 } else { ends(i - 1) }..at, at..ends(i + 1));
        let means = (mean(&values[parts.0.clone()]), mean(&values[parts.1.clone()]));
        let between = places_again(&values[parts.0.start..parts.1.end], at - parts.0.start, seed);
        let between = (parts.0.start + between.0, parts.0.start + between.1);
        Division { at, between, parts, means, p_value }
    };
    places.iter().enumerate().map(division).collect()
}

fn divide(values: &[f64], range: Range<usize>, seed: u64, places: &mut Vec<(usize, f64)>) {
    let of_range = &values[range.clone()];
    let Some((at, largest)) = best(of_range) else { return };
    let mut order = of_range.to_vec();
    let mut as_large = 0;
    for permutation in 0..PERMUTATIONS {
        let mut random = Random::new(seed ^ range.start as u64, permutation);
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i + 1));
        }
        as_large += usize::from(best(&order).is_some_and(|(_, t)| t >= largest));
        // Too many already: it will not be kept.
        if as_large as f64 > ALPHA * (PERMUTATIONS + 1) as f64 {
            return;
        }
    }
    let p_value = (as_large + 1) as f64 / (PERMUTATIONS + 1) as f64;
    if p_value > ALPHA {
        return;
    }
    let at = range.start + at;
    places.push((at, p_value));
    divide(values, range.start..at, seed, places);
    divide(values, at..range.end, seed, places);
}

/// The place of the largest T, and T.
fn best(values: &[f64]) -> Option<(usize, f64)> {
    let n = values.len();
    if n < 2 * LEAST {
        return None;
    }
    let total: f64 = values.iter().sum();
    let mut before: f64 = values[..LEAST].iter().sum();
    let mut best = (0, f64::NEG_INFINITY);
    for (k, value) in values.iter().enumerate().take(n - LEAST + 1).skip(LEAST) {
        let (left, right) = (before / k as f64, (total - before) / (n - k) as f64);
        let t = k as f64 * (n - k) as f64 / n as f64 * (left - right).powi(2);
        if t > best.1 {
            best = (k, t);
        }
        before += value;
    }
    Some(best)
}

/// Between which places the division lies, when it is looked for in residuals drawn anew.
fn places_again(values: &[f64], at: usize, seed: u64) -> (usize, usize) {
    let (before, after) = values.split_at(at);
    let means = (mean(before), mean(after));
    let residual = |i: usize| values[i] - if i < at { means.0 } else { means.1 };
    let mut drawn = vec![0.0; values.len()];
    let mut places: Vec<usize> = Vec::with_capacity(DRAWS);
    for draw in 0..DRAWS {
        let mut random = Random::new(!seed, draw);
        for (i, value) in drawn.iter_mut().enumerate() {
            // Those before from those before, as one part may be noisier.
            let from = if i < at { random.below(at) } else { at + random.below(values.len() - at) };
            *value = residual(from) + if i < at { means.0 } else { means.1 };
        }
        places.extend(best(&drawn).map(|(place, _)| place));
    }
    places.sort_unstable();
    let rank = |share: f64| places.get((share * places.len() as f64) as usize).or(places.last()).copied().unwrap_or(at);
    (rank(OUTSIDE).min(at), rank(1.0 - OUTSIDE).max(at))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from −1 to 1.
    fn noise(count: usize, seed: u64) -> Vec<f64> {
        (0..count).map(|i| Random::new(seed, i).below(2_001) as f64 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn turns_are_found_where_they_are() {
        let level = |i: usize| if (40..90).contains(&i) { -0.6 } else { 0.5 };
        let values: Vec<f64> = noise(120, 3).iter().enumerate().map(|(i, v)| level(i) + 0.3 * v).collect();
        let found = divisions(&values, 0);
        assert_eq!(found.iter().map(|d| d.at).collect::<Vec<_>>(), [40, 90]);
        assert_eq!((found[0].parts.clone(), found[1].parts.clone()), ((0..40, 40..90), (40..90, 90..120)));
        assert!(found.iter().all(|d| d.p_value <= 0.01 && d.between.0 <= d.at && d.at <= d.between.1));
        assert!(found[0].means.0 > 0.4 && found[0].means.1 < -0.5 && found[1].means.1 > 0.4);
        assert!(found[0].between.1 - found[0].between.0 <= 6, "{:?}", found[0].between);
    }

    #[test]
    fn noise_seldom_turns() {
        let turned = (0..200).filter(|&seed| !divisions(&noise(60, seed), seed).is_empty()).count();
        assert!(turned <= 6, "{turned} of 200, where one in a hundred is allowed for");
        assert_eq!(divisions(&noise(15, 1), 0), []);
    }
}
