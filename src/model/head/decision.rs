//! From probabilities to a stance.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::stance::Stance;

/// How a stance is decided from probabilities.
///
/// The most probable class is the best guess for accuracy, but where most pairs are neutral it hardly ever says
/// anything else. So a class with a side is decided on when its probability, times e to the power of its advantage, is
/// the greatest; training chooses the advantages that give the best macro-F1 on held-out folds, if that gain is there on
/// other folds too. The least probable class is never decided on. Probabilities stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decision {
    /// Advantage of aligned over neutral, in logits. Defaults to 0.
    pub aligned: f64,
    /// Advantage of opposed over neutral, in logits. Defaults to 0.
    pub opposed: f64,
}

impl Decision {
    /// The stance decided on.
    pub fn stance(&self, probabilities: &[f64; 3]) -> Stance {
        let [aligned, neutral, opposed] = *probabilities;
        let weighed = [aligned * self.aligned.exp(), neutral, opposed * self.opposed.exp()];
        let least = aligned.min(neutral).min(opposed);
        let candidates = [0, 1, 2].map(|k| if probabilities[k] > least { weighed[k] } else { -1.0 });
        if candidates == [-1.0; 3] { Stance::argmax(&weighed) } else { Stance::argmax(&candidates) }
    }

    /// The advantage of a stance; 0 for neutral.
    pub fn advantage(&self, stance: Stance) -> f64 {
        match stance {
            Stance::Aligned => self.aligned,
            Stance::Neutral => 0.0,
            Stance::Opposed => self.opposed,
        }
    }

    /// Whether an advantage decides: another class is more probable than the stance.
    pub fn decides(&self, probabilities: &[f64; 3]) -> bool {
        probabilities[self.stance(probabilities).index()] < probabilities[Stance::argmax(probabilities).index()]
    }

    /// Refuses advantages that are not from 0 to 10.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        for (name, found) in [("decision.aligned", self.aligned), ("decision.opposed", self.opposed)] {
            if !(0.0..=10.0).contains(&found) {
                return Err(Error::Parameter { name, found: found.to_string(), expected: "a number from 0 to 10" });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_least_probable_class_is_never_decided_on(
            p in proptest::array::uniform3(0.0..1.0f64),
            aligned in 0.0..3.0f64,
            opposed in 0.0..3.0f64,
        ) {
            let total: f64 = p.iter().sum();
            let p = p.map(|p| p / total.max(1e-9));
            let stance = Decision { aligned, opposed }.stance(&p);
            let least = p.iter().copied().fold(1.0, f64::min);
            proptest::prop_assert!(p[stance.index()] > least || p.iter().all(|q| *q == least));
            proptest::prop_assert_eq!(Decision::default().stance(&p), Stance::argmax(&p));
        }
    }

    #[test]
    fn an_advantage_decides_between_near_probabilities() {
        let decision = Decision { aligned: 0.0, opposed: 0.7 };
        assert_eq!(decision.stance(&[0.1, 0.55, 0.35]), Stance::Opposed);
        assert!(decision.decides(&[0.1, 0.55, 0.35]) && !decision.decides(&[0.1, 0.35, 0.55]));
        // Least probable, whatever its advantage.
        assert_eq!(Decision { aligned: 0.0, opposed: 3.0 }.stance(&[0.35, 0.35, 0.3]), Stance::Aligned);
        assert_eq!(Decision { aligned: 0.0, opposed: 3.0 }.stance(&[0.25, 0.5, 0.25]), Stance::Neutral);
    }
}
