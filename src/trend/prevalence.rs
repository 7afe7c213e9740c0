//! How many of some texts are of each class, from the probabilities of each.
//!
//! The mean of probabilities leans toward the shares of the rows that they were calibrated on. Expectation maximisation
//! finds the shares π under which the texts are likeliest (Saerens, Latinne and Decaestecker 2002, "Adjusting the outputs
//! of a classifier to new a priori probabilities"):
//!
//! ```text
//! pᵢₖ' ∝ pᵢₖ πₖ / cₖ        πₖ = (a cₖ + Σᵢ pᵢₖ') / (a + n)
//! ```
//!
//! where `c` are the shares of the calibration rows. With `a` = 0 that is the method of the paper; `a` texts like those of the
//! calibration keep the shares of few texts from running to an extreme. `a` = √n is the choice whose largest error is least where a
//! share is estimated from n counts (Hodges and Lehmann 1950, "Some problems in minimax point estimation").

/// Changes of the shares below which the search ends.
const TOLERANCE: f64 = 1e-6;
const MOST_STEPS: usize = 500;

/// The shares of the classes among weighted texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prevalence {
    /// The shares of the rows that the probabilities were calibrated on; above 0.
    pub calibrated_on: [f64; 3],
    /// How many texts of these shares are added, as a multiple of the root of the number of texts; 0 adds none, 1 is the choice
    /// of the least largest error.
    pub shrinkage: f64,
}

impl Prevalence {
    /// The shares among texts with these probabilities, each weighed; the weights must not all be 0.
    pub fn of(&self, probabilities: &[[f64; 3]], weights: &[f64]) -> [f64; 3] {
        let total: f64 = weights.iter().sum();
        let added = self.shrinkage * total.sqrt();
        let mut shares = self.calibrated_on;
        for _ in 0..MOST_STEPS {
            let ratio: [f64; 3] = std::array::from_fn(|k| shares[k] / self.calibrated_on[k]);
            let mut next = self.calibrated_on.map(|c| added * c);
            for (p, weight) in probabilities.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
                let of_class: [f64; 3] = std::array::from_fn(|k| p[k] * ratio[k]);
                let sum: f64 = of_class.iter().sum();
                if sum > 0.0 {
                    (0..3).for_each(|k| next[k] += weight * of_class[k] / sum);
                }
            }
            let sum: f64 = next.iter().sum();
            next.iter_mut().for_each(|share| *share /= sum.max(f64::MIN_POSITIVE));
            let change = (0..3).map(|k| (next[k] - shares[k]).abs()).fold(0.0, f64::max);
            shares = next;
            if change < TOLERANCE || total <= 0.0 {
                break;
            }
        }
        shares
    }
}

/// The mean of the probabilities.
pub fn mean(probabilities: &[[f64; 3]], weights: &[f64]) -> [f64; 3] {
    let total: f64 = weights.iter().sum();
    std::array::from_fn(|k| probabilities.iter().zip(weights).map(|(p, w)| w * p[k]).sum::<f64>() / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_texts_are_counted() {
        let prevalence = Prevalence { calibrated_on: [0.2, 0.5, 0.3], shrinkage: 0.0 };
        let p = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let shares = prevalence.of(&p, &[1.0; 4]);
        assert!((shares[0] - 0.25).abs() < 1e-9 && (shares[1] - 0.5).abs() < 1e-9);
        // A text that was drawn three times counts three times.
        let shares = prevalence.of(&p, &[3.0, 0.0, 0.0, 1.0]);
        assert!((shares[0] - 0.75).abs() < 1e-9 && shares[1] < 1e-9);
    }

    #[test]
    fn the_shares_that_made_the_texts_are_found() {
        // A feature that is there in 0.8 of aligned texts, 0.3 of neutral ones, never in opposed ones, which another tells
        // apart: probabilities by Bayes under equal shares.
        let calibrated_on = [1.0 / 3.0; 3];
        let given = |there: [f64; 3]| {
            let sum: f64 = there.iter().sum();
            there.map(|p| p / sum)
        };
        let (with, without, other) = (given([0.8, 0.3, 0.0]), given([0.2, 0.7, 0.0]), [0.0, 0.0, 1.0]);
        // Of 1,000 texts 600 aligned, 300 neutral, 100 opposed.
        let weights = [0.8 * 600.0 + 0.3 * 300.0, 0.2 * 600.0 + 0.7 * 300.0, 100.0];
        let p = [with, without, other];
        let shares = Prevalence { calibrated_on, shrinkage: 0.0 }.of(&p, &weights);
        for (found, truth) in shares.iter().zip([0.6, 0.3, 0.1]) {
            assert!((found - truth).abs() < 1e-3, "{shares:?}");
        }
        // The mean leans toward the calibration.
        assert!(mean(&p, &weights)[0] < 0.55);
        // So does the search with texts added, the less the more texts there are.
        let leaning = Prevalence { calibrated_on, shrinkage: 3.0 }.of(&p, &weights);
        assert!(leaning[0] < shares[0] && leaning[0] > mean(&p, &weights)[0] - 0.1);
    }
}
