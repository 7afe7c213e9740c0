//! One model against another on the same rows: is the difference more than chance?
//!
//! Three answers, each with its own question:
//! - [`paired_difference`]: how large is the difference, with its interval over groups drawn again?
//! - [`mcnemar_exact`]: of the rows where just one of the two is right, are they even? Rows count as independent.
//! - [`approximate_randomization`]: had the two models' predictions been exchanged at random, group by group, how often
//!   would the difference be as large?
//!
//! Where several models are compared at once, [`holm`] corrects their p-values.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bootstrap::{Bootstrap, Groups, Interval};
use super::metrics::ConfusionMatrix;
use super::random::Random;
use crate::{Error, Result, Stance};

/// The measure of `second` minus that of `first`, with its interval: both are measured on the same draws, so what is
/// hard for both cancels out.
///
/// # Errors
/// As [`Bootstrap::intervals`]; [`Error::Shape`] for lengths that differ.
pub fn paired_difference(
    bootstrap: &Bootstrap,
    groups: &Groups,
    y_true: &[Stance],
    [first, second]: [&[Stance]; 2],
    measure: impl Fn(&ConfusionMatrix) -> f64 + Sync,
) -> Result<Interval> {
    check_rows(groups, y_true)?;
    let [interval] = bootstrap.intervals(groups, |weights| {
        let of = |y_pred| ConfusionMatrix::new(y_true, y_pred, Some(weights)).map(|matrix| measure(&matrix));
        Ok([of(second)? - of(first)?])
    })?;
    Ok(interval)
}

fn check_rows(groups: &Groups, y_true: &[Stance]) -> Result<()> {
    if groups.n_rows() == y_true.len() {
        return Ok(());
    }
    let (found, expected) = (groups.n_rows().to_string(), format!("{}, one per true label", y_true.len()));
    Err(Error::Shape { what: "rows in groups", found, expected })
}

/// What [`mcnemar_exact`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Rows that only the first model has right.
    pub only_first: u64,
    /// Rows that only the second model has right.
    pub only_second: u64,
    /// The two-sided exact p-value, 0 to 1; 1 where the two are equal.
    pub p_value: f64,
    /// Cohen's g: the share of these rows that the second model has right, minus ½; −½ to ½, 0 where there are none.
    /// 0.05 is called small, 0.15 medium, 0.25 large (Cohen 1988).
    pub effect: f64,
}

/// McNemar's test in its exact form: of n rows where just one model is right, under chance half fall to each, so
/// p = min(1, 2 · P(X ≤ min(b, c))) for X binomial with n and ½. Rows count as independent, so it is too sure where
/// they come in groups.
///
/// # Errors
/// [`Error::Shape`] for no rows or lengths that differ.
pub fn mcnemar_exact(y_true: &[Stance], [first, second]: [&[Stance]; 2]) -> Result<McNemar> {
    // For the checks of lengths.
    ConfusionMatrix::new(y_true, first, None)?;
    ConfusionMatrix::new(y_true, second, None)?;
    let (mut only_first, mut only_second) = (0u64, 0u64);
    for ((y, a), b) in y_true.iter().zip(first).zip(second) {
        only_first += u64::from(a == y && b != y);
        only_second += u64::from(a != y && b == y);
    }
    let n = only_first + only_second;
    let fewer = only_first.min(only_second);
    // ln of C(n, i) / 2ⁿ, from one i to the next, so that large n neither overflow nor vanish.
    let mut term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for i in 0..=fewer {
        sum += term.exp();
        term += ((n - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    let p_value = if only_first == only_second { 1.0 } else { (2.0 * sum).min(1.0) };
    let effect = if n > 0 { only_second as f64 / n as f64 - 0.5 } else { 0.0 };
    Ok(McNemar { only_first, only_second, p_value, effect })
}

/// The two-sided p-value of the difference between two models by approximate randomisation (Noreen 1989; Yeh 2000):
/// in each of `rounds` rounds every group's two predictions are exchanged with chance ½, and
/// p = (1 + rounds with |difference| at least the observed) / (1 + rounds).
///
/// # Errors
/// [`Error::Parameter`] for 0 rounds, [`Error::Shape`] for no rows or lengths that differ.
pub fn approximate_randomization(
    groups: &Groups,
    y_true: &[Stance],
    [first, second]: [&[Stance]; 2],
    measure: impl Fn(&ConfusionMatrix) -> f64 + Sync,
    rounds: usize,
    seed: u64,
) -> Result<f64> {
    if rounds == 0 {
        return Err(Error::Parameter { name: "rounds", found: "0".into(), expected: "at least 1" });
    }
    check_rows(groups, y_true)?;
    let of = |y_pred| ConfusionMatrix::new(y_true, y_pred, None);
    let observed = (measure(&of(second)?) - measure(&of(first)?)).abs();
    let as_large = |round: usize| {
        let mut random = Random::new(seed, round);
        let exchanged: Vec<bool> = (0..groups.len()).map(|_| random.below(2) == 1).collect();
        let (mut a, mut b) = (ConfusionMatrix::default(), ConfusionMatrix::default());
        for (row, &group) in groups.of_row().iter().enumerate() {
            let (mut x, mut y) = (first[row].index(), second[row].index());
            if exchanged[group as usize] {
                std::mem::swap(&mut x, &mut y);
            }
            a.0[y_true[row].index()][x] += 1.0;
            b.0[y_true[row].index()][y] += 1.0;
        }
        // What is equal but for rounding counts as equal.
        (measure(&b) - measure(&a)).abs() >= observed - 1e-12
    };
    let n = (0..rounds).into_par_iter().filter(|&round| as_large(round)).count();
    Ok((1 + n) as f64 / (1 + rounds) as f64)
}

/// Holm's correction (1979) of the p-values of several comparisons: the smallest times n, the next times n − 1 …, none
/// below the one before it or above 1. In the order given.
///
/// # Errors
/// [`Error::Shape`] for a p-value outside 0 to 1.
///
/// ```
/// use detente::evaluate::compare::holm;
/// assert_eq!(holm(&[0.01, 0.5, 0.02])?, [0.03, 0.5, 0.04]);
/// # Ok::<(), detente::Error>(())
/// ```
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    if let Some(p) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Error::Shape { what: "p-value", found: p.to_string(), expected: "a number from 0 to 1".into() });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(((p_values.len() - rank) as f64 * p_values[i]).min(1.0));
        corrected[i] = largest;
    }
    Ok(corrected)
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::Stance::{Neutral, Opposed};

    /// `n` rows, all neutral; the first model is right in all but the first `a`, the second in all but the last `b`.
    fn models(n: usize, a: usize, b: usize) -> (Vec<Stance>, Vec<Stance>, Vec<Stance>) {
        let wrong = |is: bool| if is { Opposed } else { Neutral };
        (vec![Neutral; n], (0..n).map(|i| wrong(i < a)).collect(), (0..n).map(|i| wrong(i >= n - b)).collect())
    }

    #[test]
    fn mcnemar_is_the_binomial_test() {
        // scipy.stats.binomtest(min(b, c), b + c).pvalue
        let cases = [
            (12, 5, 0.143463134765625),
            (1, 0, 1.0),
            (7, 7, 1.0),
            (0, 10, 0.001953125),
            (800, 700, 0.010559255466711506),
        ];
        for (a, b, p) in cases {
            let (y, first, second) = models(2000, a, b);
            let test = mcnemar_exact(&y, [&first, &second]).unwrap();
            assert_eq!((test.only_first, test.only_second), (b as u64, a as u64));
            assert_relative_eq!(test.p_value, p, max_relative = 1e-9);
            assert_relative_eq!(test.effect, a as f64 / (a + b) as f64 - 0.5);
        }
        let (y, same, _) = models(5, 2, 0);
        let test = mcnemar_exact(&y, [&same, &same]).unwrap();
        assert_eq!((test.p_value, test.effect), (1.0, 0.0));
    }

    #[test]
    fn randomisation_agrees_with_mcnemar_on_accuracy() {
        // Exchanging single rows is the same null, and accuracy the same statistic.
        let (y, first, second) = models(60, 12, 5);
        let groups = Groups::of_single_rows(60).unwrap();
        let p = approximate_randomization(&groups, &y, [&first, &second], |m| m.accuracy(), 20_000, 1).unwrap();
        assert_relative_eq!(p, 0.1435, epsilon = 0.01);
        let again = approximate_randomization(&groups, &y, [&first, &second], |m| m.accuracy(), 20_000, 1).unwrap();
        assert_eq!(p, again);
        let same = approximate_randomization(&groups, &y, [&first, &first], |m| m.f1_macro(), 99, 1).unwrap();
        assert_eq!(same, 1.0);
    }

    #[test]
    fn the_difference_has_its_sign_and_its_interval() {
        let (y, first, second) = models(300, 60, 20);
        let groups = Groups::of_single_rows(300).unwrap();
        let [better, worse] = [[&first, &second], [&second, &first]]
            .map(|[a, b]| paired_difference(&Bootstrap::new(), &groups, &y, [a, b], |m| m.accuracy()).unwrap());
        assert_relative_eq!(better.value, 40.0 / 300.0, epsilon = 1e-12);
        assert!(better.lower > 0.0 && worse.upper < 0.0);
        assert_relative_eq!(better.value, -worse.value);
    }

    #[test]
    fn bad_input_is_an_error() {
        let (y, first, second) = models(4, 1, 1);
        let groups = Groups::of_single_rows(3).unwrap();
        let accuracy = |m: &ConfusionMatrix| m.accuracy();
        assert!(paired_difference(&Bootstrap::new(), &groups, &y, [&first, &second], accuracy).is_err());
        assert!(approximate_randomization(&groups, &y, [&first, &second], accuracy, 9, 1).is_err());
        let groups = Groups::of_single_rows(4).unwrap();
        assert!(approximate_randomization(&groups, &y, [&first, &second[1..]], accuracy, 9, 1).is_err());
        assert!(approximate_randomization(&groups, &y, [&first, &second], accuracy, 0, 1).is_err());
        assert!(paired_difference(&Bootstrap::new(), &groups, &y, [&first[1..], &second], accuracy).is_err());
        assert!(mcnemar_exact(&y, [&first, &second[1..]]).is_err());
        assert!(mcnemar_exact(&[], [&[], &[]]).is_err());
        assert!(holm(&[0.5, f64::NAN]).is_err());
        assert!(holm(&[]).unwrap().is_empty());
    }
}
