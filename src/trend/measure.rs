//! The shares of the stances among some articles, and how sure they are.
//!
//! Articles are drawn anew (the bootstrap). Few that all say the same would give draws that all are the same, as if no other
//! article could say otherwise, so the draws are spread by a normal distribution (the smoothed bootstrap: Silverman and Young
//! 1987) until their standard error is at least that of the mean of the articles and one more of each stance:
//! √(Σ (vᵢ − v̄)²) / (n + 3), where v are p(aligned) − p(opposed) of the n articles, as the model gives them, and +1, 0, −1.
//! Of 200 articles that adds next to nothing.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::observations::Observation;
use super::{TrendParams, prevalence};
use crate::error::Result;
use crate::evaluate::bootstrap::{Bootstrap, Groups};
use crate::evaluate::metrics::quantile;
use crate::evaluate::random::Random;
use crate::stance::Stance;

/// A value and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// With the interval that the draws give; −1 to 1 where there are none.
    fn new(value: f64, draws: &[f64], params: &TrendParams) -> Self {
        if draws.is_empty() {
            return Self { value, low: -1.0, high: 1.0 };
        }
        let mut sorted = draws.to_vec();
        sorted.sort_by(f64::total_cmp);
        let outside = (1.0 - params.level) / 2.0;
        Self { value, low: quantile(&sorted, outside), high: quantile(&sorted, 1.0 - outside) }
    }
}

/// What some articles of a pair show together.
pub(super) struct Measured {
    /// Aligned, neutral, opposed.
    pub shares: [f64; 3],
    /// Aligned less opposed.
    pub net: Estimate,
    /// `net` of each draw; none of a single article, which says nothing of how others would differ.
    pub draws: Vec<f64>,
}

impl Measured {
    /// How much more the net stance is than that of `before`, which has draws of its own.
    pub fn less(&self, before: &Self, params: &TrendParams) -> Estimate {
        let changes: Vec<f64> = self.draws.iter().zip(&before.draws).map(|(now, then)| now - then).collect();
        Estimate::new(self.net.value - before.net.value, &changes, params)
    }
}

/// Measures at least one article. Those with one `stream` have the same draws, and others draws of their own.
pub(super) fn measure(observations: &[Observation<'_>], stream: u64, params: &TrendParams) -> Result<Measured> {
    let probabilities: Vec<[f64; 3]> = observations.iter().map(|o| o.record.probabilities.to_array()).collect();
    let shares = |weights: &[f64]| match &params.prevalence {
        Some(prevalence) => prevalence.of(&probabilities, weights),
        None => prevalence::mean(&probabilities, weights),
    };
    let net = |shares: [f64; 3]| shares[Stance::Aligned.index()] - shares[Stance::Opposed.index()];
    let seed = params.seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bootstrap = Bootstrap::new().draws(params.draws).level(params.level).seed(seed);
    let draws = match observations.len() {
        0 | 1 => Vec::new(),
        articles => {
            let groups = Groups::of_single_rows(articles)?;
            let draws = bootstrap.measure_draws(&groups, |weights| Ok([net(shares(weights))]))?;
            spread(draws.into_iter().map(|[net]| net).collect(), least_error(observations), seed)
        }
    };
    let shares = shares(&vec![1.0; observations.len()]);
    // A draw may lie beyond what a net stance can be; its interval may not.
    let Estimate { value, low, high } = Estimate::new(net(shares), &draws, params);
    let net = Estimate { value, low: low.max(-1.0), high: high.min(1.0) };
    Ok(Measured { shares, net, draws })
}

/// The standard error that draws have at least.
fn least_error(observations: &[Observation<'_>]) -> f64 {
    let values: Vec<f64> = observations.iter().map(Observation::net).chain([1.0, 0.0, -1.0]).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt() / n
}

/// Draws whose standard error is at least that.
fn spread(draws: Vec<f64>, least: f64, seed: u64) -> Vec<f64> {
    let missing = (least.powi(2) - standard_error(&draws).powi(2)).max(0.0).sqrt();
    if missing == 0.0 {
        return draws;
    }
    let normal = Normal::standard();
    let moved = |(number, draw): (usize, f64)| {
        // Of 52 bits, so that the half still counts: never 0 or 1.
        let share = ((Random::new(!seed, number).next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        draw + missing * normal.inverse_cdf(share)
    };
    draws.into_iter().enumerate().map(moved).collect()
}

/// The standard deviation of draws.
pub(super) fn standard_error(draws: &[f64]) -> f64 {
    let n = draws.len().max(1) as f64;
    let mean = draws.iter().sum::<f64>() / n;
    (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::many;
    use super::super::{Granularity, Period};
    use super::*;
    use crate::date::Date;

    #[test]
    fn draws_are_spread_as_far_as_is_missing() {
        assert!((standard_error(&[1.0, 3.0]) - 1.0).abs() < 1e-12);
        let spread_to = |draws: &[f64], least| standard_error(&spread(draws.to_vec(), least, 7));
        // What lies at the edge is spread as far: the draws may pass it.
        assert!((spread_to(&[-0.95; 2000], 0.155) - 0.155).abs() < 0.01);
        let (same, apart) = ([0.2; 2000], [[-0.1; 1000], [0.1; 1000]].concat());
        assert!((spread_to(&same, 0.1) - 0.1).abs() < 0.005 && (spread_to(&apart, 0.2) - 0.2).abs() < 0.01);
        assert_eq!(spread(apart.clone(), 0.05, 7), apart);
    }

    #[test]
    fn few_articles_that_say_the_same_are_not_sure() {
        let records = many(10, "2014-05-05", -0.9);
        let date = Date::parse("2014-05-05").unwrap();
        let observations: Vec<Observation<'_>> = records.iter().map(|record| Observation { record, date }).collect();
        // Ten of −0.9 and +1, 0, −1: their mean is −9/13.
        let mean = -9.0_f64 / 13.0;
        let squares =
            [(10.0, -0.9), (1.0, 1.0), (1.0, 0.0), (1.0, -1.0)].map(|(n, v): (f64, f64)| n * (v - mean).powi(2));
        assert!((least_error(&observations) - squares.iter().sum::<f64>().sqrt() / 13.0).abs() < 1e-12);
        let params = TrendParams::new(Granularity::Year);
        let stream = Period::of(date, Granularity::Year).unwrap().first().to_epoch_days() as u64;
        let net = measure(&observations, stream, &params).unwrap().net;
        assert!((net.value + 0.9).abs() < 1e-12 && net.low == -1.0 && (-0.7..-0.55).contains(&net.high), "{net:?}");
    }
}
