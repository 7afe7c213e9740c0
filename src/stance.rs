//! The three classes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The stance of a state toward an actor, as the codebook defines it.
///
/// The order aligned, neutral, opposed is that of every probability vector, confusion matrix and weight row.
///
/// ```
/// use detente::Stance;
/// assert_eq!("Aligned".parse::<Stance>(), Ok(Stance::Aligned));
/// assert_eq!(Stance::ALL[Stance::Opposed.index()], Stance::Opposed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// Supports, backs, defends, cooperates with, allies with, recognises …
    Aligned,
    /// Both are mentioned with no stance, or with balanced signals.
    Neutral,
    /// Condemns, threatens, sanctions, attacks, rejects, resists …
    Opposed,
}

impl Stance {
    /// All classes in their fixed order.
    pub const ALL: [Self; 3] = [Self::Aligned, Self::Neutral, Self::Opposed];

    /// How many classes there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The place of this class in the fixed order, 0 to 2.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The class as it stands in files: `aligned`, `neutral` or `opposed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aligned => "aligned",
            Self::Neutral => "neutral",
            Self::Opposed => "opposed",
        }
    }

    /// The class of the highest of three probabilities or scores; the earlier one on a tie.
    pub fn argmax(scores: &[f64; 3]) -> Self {
        let mut best = 0;
        for k in 1..scores.len() {
            if scores[k] > scores[best] {
                best = k;
            }
        }
        Self::ALL[best]
    }
}

impl fmt::Display for Stance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no stance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of aligned, neutral, opposed")]
pub struct UnknownStance(pub String);

impl FromStr for Stance {
    type Err = UnknownStance;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let word = s.trim();
        Self::ALL.into_iter().find(|l| l.as_str().eq_ignore_ascii_case(word)).ok_or_else(|| UnknownStance(word.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_any_case_and_names_what_it_cannot() {
        for stance in Stance::ALL {
            assert_eq!(format!(" {} ", stance.as_str().to_uppercase()).parse(), Ok(stance));
        }
        assert_eq!("pro".parse::<Stance>(), Err(UnknownStance("pro".into())));
    }

    #[test]
    fn argmax_takes_the_earlier_on_a_tie() {
        assert_eq!(Stance::argmax(&[0.4, 0.4, 0.2]), Stance::Aligned);
        assert_eq!(Stance::argmax(&[0.1, 0.2, 0.7]), Stance::Opposed);
    }
}
