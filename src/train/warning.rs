//! What a person should know of a training that came to its end.

use std::fmt;

use crate::model::head::CalibrationMethod;
use crate::stance::Stance;

/// Something that makes the model worse than it could be; recorded in its manifest.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TrainWarning {
    /// The solver stopped before it reached its tolerance.
    NotConverged {
        /// The steps that it took.
        n_iter: u64,
        /// How many of the fits, those without a fold included, stopped so.
        fits: usize,
    },
    /// The scores could not be calibrated by vector scaling.
    Calibration {
        /// What was done instead.
        method: CalibrationMethod,
        /// The rows that it was fitted to.
        rows: usize,
    },
    /// The held-out scores hardly follow the labels: each class gets about a third.
    NoSignal {
        /// The rows that show it.
        rows: usize,
    },
    /// There were fewer groups than folds asked for, or more than 100 were.
    Folds {
        /// Folds asked for.
        asked: usize,
        /// Folds used: at most one for each group.
        used: usize,
    },
    /// No row has this label.
    MissingClass {
        /// The label.
        label: Stance,
    },
    /// Few rows have this label.
    FewRows {
        /// The label.
        label: Stance,
        /// How many.
        rows: usize,
    },
    /// The rows are of few texts or stories.
    FewGroups {
        /// How many.
        groups: usize,
    },
    /// Rows of different groups have nearly the same text.
    NearTexts {
        /// How many rows have a text that is near to one of another group.
        rows: usize,
    },
    /// The model to start from has learnt from these rows, so that held-out folds are known to it.
    Known {
        /// How many.
        rows: usize,
    },
    /// All rows of this label are from one source, though there are several.
    OneSource {
        /// The label.
        label: Stance,
        /// The source.
        source: String,
    },
}

impl fmt::Display for TrainWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConverged { n_iter, fits } => write!(
                f,
                "{fits} of the fits stopped after {n_iter} steps, before they had converged; raise max_iter or lower c"
            ),
            Self::Calibration { method: CalibrationMethod::None, rows } => write!(
                f,
                "probabilities are not calibrated: on {rows} held-out rows the scores do not follow the labels, or the rows \
                 are too few; do not trust this model's probabilities"
            ),
            Self::Calibration { method, rows } => write!(
                f,
                "probabilities are calibrated by {method} only: {rows} held-out rows, or those of one class, are too few \
                 for more"
            ),
            Self::NoSignal { rows } => write!(
                f,
                "on {rows} held-out rows the scores hardly follow the labels, so each class gets about a third; do not \
                 trust this model before it has more rows"
            ),
            Self::MissingClass { label } => {
                write!(f, "no row is {label}: the model will never say so; add rows, or take a model of ours")
            }
            Self::FewRows { label, rows } => write!(
                f,
                "only {rows} rows are {label}: the score of this class is hardly known; 30 are a beginning, and \
                 --start-from small needs fewer"
            ),
            Self::FewGroups { groups } => write!(
                f,
                "the rows are in {groups} groups only: held-out folds tell little of other texts; label more texts, or name \
                 the right column by --group"
            ),
            Self::NearTexts { rows } => write!(
                f,
                "the texts of {rows} rows are nearly those of rows of other groups: held-out scores are too good; put them in one \
                 group, or leave one of each out (`detente data check` names them)"
            ),
            Self::Known { rows } => write!(
                f,
                "the model to start from has learnt from the sentences of {rows} of these rows: the score on held-out folds is too \
                 good"
            ),
            Self::OneSource { label, source } => write!(
                f,
                "all rows that are {label} are from `{}`: the model may learn the source; add rows of other sources",
                crate::visible(source)
            ),
            Self::Folds { asked, used } => {
                write!(f, "{used} folds in place of {asked}: there are no more groups, or 100 are enough")
            }
        }
    }
}
