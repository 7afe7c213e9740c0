//! The evidence of a pair put together.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::article::Part;
use crate::document::Strength;
use crate::error::{Error, Result};

/// How much each piece of evidence counts in the score of a pair.
///
/// αᵢ ∝ wᵢ · exp(sharpness · cᵢ), where wᵢ is the weight of the evidence's kind and cᵢ = max(zₐ, zₒ) − zₙ how far its
/// own score is from neutral, limited to ±4. With sharpness 0 it is the weighted mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pooling {
    /// Weight of a title against 1 for a sentence of the text. Defaults to 1.
    pub title: f64,
    /// Weight of neighbouring sentences against 1 for a sentence that names both. Defaults to 0.3.
    pub neighbour: f64,
    /// Weight of a sentence that takes up the one from the sentence before, against 1 for one that names both. Defaults to
    /// 0.6.
    pub carried: f64,
    /// How much more evidence counts that takes a side. Defaults to 0.5.
    pub sharpness: f64,
}

/// A share for each piece of evidence of a pair, of which most have few.
pub(crate) type Shares = SmallVec<[f64; 4]>;

impl Default for Pooling {
    fn default() -> Self {
        Self { title: 1.0, neighbour: 0.3, carried: 0.6, sharpness: 0.5 }
    }
}

impl Pooling {
    /// Refuses weights that are not above 0, and a sharpness below 0 or beyond all reason.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        let weights =
            [("pooling.title", self.title), ("pooling.neighbour", self.neighbour), ("pooling.carried", self.carried)];
        for (name, found) in weights {
            if !(1e-6..=1e6).contains(&found) {
                let expected = "a number above 0, from 1e-6 to 1e6";
                return Err(Error::Parameter { name, found: found.to_string(), expected });
            }
        }
        if !(0.0..=10.0).contains(&self.sharpness) {
            let found = self.sharpness.to_string();
            return Err(Error::Parameter { name: "pooling.sharpness", found, expected: "a number from 0 to 10" });
        }
        Ok(())
    }

    /// The weight of a kind of evidence.
    pub(crate) fn weight(&self, part: Part, strength: Strength) -> f64 {
        let part = if part == Part::Title { self.title } else { 1.0 };
        let strength = match strength {
            // A title beside a sentence is all the evidence that its pair has.
            Strength::Direct | Strength::Title => 1.0,
            Strength::Carried => self.carried,
            Strength::Neighbour => self.neighbour,
        };
        part * strength
    }

    /// The shares of pieces of evidence with these weights and scores, a weight for each score; they sum to 1.
    pub(crate) fn shares(&self, weights: impl Iterator<Item = f64>, scores: &[[f64; 3]]) -> Shares {
        const LIMIT: f64 = 4.0;
        let lean = |z: &[f64; 3]| (z[0].max(z[2]) - z[1]).clamp(-LIMIT, LIMIT);
        let mut shares: Shares = weights.zip(scores).map(|(w, z)| w * (self.sharpness * lean(z)).exp()).collect();
        let total: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= total;
        }
        shares
    }
}
