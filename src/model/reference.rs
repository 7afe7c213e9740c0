//! How a model did on rows that it had not seen: what `predict --coverage` and `--conformal` measure its answers by.

use serde::{Deserialize, Serialize};

use crate::stance::Stance;

/// Steps of coverage that are kept: hundredths.
const STEPS: usize = 100;
/// Steps of the share of errors that are kept: a two-hundredth each, up to a half.
const LEVELS: usize = 100;
const PER_ONE: f64 = 200.0;

/// How probable a model's answers, and the right labels, were on rows that it had not seen.
///
/// It says something of other rows as far as these are like them: a newspaper of another kind may need one of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The rows.
    pub rows: usize,
    /// The probability of the stance decided on, from which up the surest 1 %, 2 %, … 100 % of the rows are.
    sureness: Vec<f64>,
    /// For aligned, neutral, opposed.
    labels: [LabelReference; 3],
}

/// What rows of one label say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct LabelReference {
    rows: usize,
    /// The probability of the label, below which it is for a share of 0.005, 0.01, … 0.5 of these rows at most.
    thresholds: Vec<f64>,
}

impl Reference {
    /// The reference of rows with these labels, stances decided on and probabilities; all of one length, which is not 0.
    pub fn new(labels: &[Stance], stances: &[Stance], probabilities: &[[f64; 3]]) -> Self {
        let mut sure: Vec<f64> = stances.iter().zip(probabilities).map(|(stance, p)| p[stance.index()]).collect();
        sure.sort_by(|a, b| b.total_cmp(a));
        let at = |step: usize| sure[(step * sure.len()).div_ceil(STEPS).max(1) - 1];
        let of_label = |label: Stance| {
            let rows = labels.iter().zip(probabilities).filter(|(of, _)| **of == label);
            let mut p: Vec<f64> = rows.map(|(_, p)| p[label.index()]).collect();
            p.sort_by(f64::total_cmp);
            let threshold = |step: usize| match ((p.len() + 1) as f64 * step as f64 / PER_ONE + 1e-9) as usize {
                0 => 0.0,
                rank => p[rank.min(p.len()) - 1],
            };
            LabelReference { rows: p.len(), thresholds: (1..=LEVELS).map(threshold).collect() }
        };
        Self { rows: labels.len(), sureness: (1..=STEPS).map(at).collect(), labels: Stance::ALL.map(of_label) }
    }

    /// Which share of the rows each label has: aligned, neutral, opposed.
    pub fn label_shares(&self) -> [f64; 3] {
        [0, 1, 2].map(|k| self.labels[k].rows as f64 / self.rows.max(1) as f64)
    }

    /// The probability of the stance decided on, from which up a share `coverage` (0 to 1) of the rows is answered; what lies
    /// between two hundredths counts as the higher.
    pub fn min_prob(&self, coverage: f64) -> f64 {
        let step = (coverage.clamp(0.0, 1.0) * STEPS as f64 - 1e-9).ceil().max(1.0) as usize;
        if coverage >= 1.0 { 0.0 } else { self.sureness.get(step - 1).copied().unwrap_or(0.0) }
    }

    /// The classes that hold the truth with probability `level` (0.5 to 1), of each class of rows like these: a class is in
    /// unless its probability is below that of all but a share 1 − `level` of the rows that have it (split conformal
    /// prediction by class; Vovk 2012, "Conditional validity of inductive conformal predictors"). The most probable is
    /// always in. Levels count in steps of 0.005.
    pub fn label_set(&self, level: f64, probabilities: &[f64; 3]) -> Vec<Stance> {
        let step = ((1.0 - level) * PER_ONE + 1e-9).max(0.0) as usize;
        let threshold = |label: Stance| {
            let of = &self.labels[label.index()].thresholds;
            step.checked_sub(1).and_then(|at| of.get(at)).copied().unwrap_or(0.0)
        };
        let best = Stance::argmax(probabilities);
        let is_in = |label: &Stance| *label == best || probabilities[label.index()] >= threshold(*label);
        Stance::ALL.into_iter().filter(is_in).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Stance::{Aligned, Neutral, Opposed};

    #[test]
    fn the_surest_rows_are_answered() {
        let p: Vec<[f64; 3]> = [0.9, 0.8, 0.7, 0.6].map(|p| [p, 1.0 - p, 0.0]).to_vec();
        let reference = Reference::new(&[Aligned; 4], &[Aligned; 4], &p);
        for (coverage, expected) in [(0.2, 0.9), (0.25, 0.9), (0.26, 0.8), (0.75, 0.7), (0.99, 0.6), (1.0, 0.0)] {
            assert_eq!(reference.min_prob(coverage), expected, "{coverage}");
        }
    }

    #[test]
    fn classes_are_in_by_their_own_rows() {
        // 19 neutral rows of 0.05 to 0.95: of an error of 0.1 the rank is 0.1 of 20, the second.
        let p: Vec<[f64; 3]> = (1..20).map(|i| f64::from(i) / 20.0).map(|p| [0.0, p, 1.0 - p]).collect();
        let reference = Reference::new(&[Neutral; 19], &[Neutral; 19], &p);
        let set = |p| reference.label_set(0.9, &p);
        // Of the others nothing is known, so they are always in.
        assert_eq!(set([0.5, 0.1, 0.4]), [Aligned, Neutral, Opposed]);
        assert_eq!(set([0.5, 0.09, 0.41]), [Aligned, Opposed]);
        assert_eq!(reference.label_set(1.0, &[1.0, 0.0, 0.0]), [Aligned, Neutral, Opposed]);
        assert_eq!(reference.label_set(0.5, &[0.0, 0.01, 0.0]), [Aligned, Neutral, Opposed]);
    }

    proptest! {
        #[test]
        fn rows_of_a_class_are_covered(p in prop::collection::vec(0.0..1.0f64, 40..80), level in 0.5..0.99f64) {
            let rows: Vec<[f64; 3]> = p.iter().map(|&p| [p, (1.0 - p) / 2.0, (1.0 - p) / 2.0]).collect();
            let labels = vec![Aligned; rows.len()];
            let reference = Reference::new(&labels, &labels, &rows);
            let covered = rows.iter().filter(|p| reference.label_set(level, p).contains(&Aligned)).count();
            // The rank is one of n + 1, so that of the rows themselves one may be missing.
            prop_assert!(covered as f64 >= level * rows.len() as f64 - 1.0 - 1e-9);
        }
    }
}
