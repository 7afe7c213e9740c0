//! Which model `--model` names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};

use detente::Pipeline;
use detente::model::Kind;

use super::Common;

/// A tier, or a file.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelName {
    /// The encoder and the n-grams together.
    Accurate,
    /// A smaller encoder and the n-grams together.
    Small,
    /// The small one, and the accurate one where that is not as sure as this, or as training chose.
    Cascade(Option<f64>),
    /// The n-grams alone.
    Fast,
    /// The path of a model file.
    File(PathBuf),
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("cascade", sure)) => match sure.parse() {
                Ok(sure) if (0.0..=1.0).contains(&sure) => Ok(Self::Cascade(Some(sure))),
                _ => Err("expected a probability after `cascade:`, 0 to 1".into()),
            },
            _ => Ok(match text {
                "accurate" => Self::Accurate,
                "small" => Self::Small,
                "cascade" => Self::Cascade(None),
                "fast" => Self::Fast,
                path => Self::File(path.into()),
            }),
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accurate => f.write_str("accurate"),
            Self::Small => f.write_str("small"),
            Self::Cascade(None) => f.write_str("cascade"),
            Self::Cascade(Some(sure)) => write!(f, "cascade:{sure}"),
            Self::Fast => f.write_str("fast"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl ModelName {
    /// The file of the model, if it is named by its path.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    /// Loads the model.
    pub fn load(&self, common: &Common) -> Result<Pipeline> {
        Pipeline::warm_up();
        let pipeline = match self {
            Self::Fast => Pipeline::fast().clone(),
            Self::Accurate => Pipeline::accurate()?,
            Self::Small => Pipeline::small()?,
            Self::Cascade(sure) => Pipeline::cascade(&Pipeline::small()?, &Pipeline::accurate()?, *sure)
                .context("the small model has no encoder")?,
            Self::File(path) => Pipeline::load(path).context("cannot load the model")?,
        };
        Ok(match common.gazetteer {
            Some(_) => pipeline.with_gazetteer(common.load_gazetteer()?),
            None => pipeline,
        })
    }
}

/// Whether a model answers an article in no time: words alone, no encoder.
pub fn is_fast(pipeline: &Pipeline) -> bool {
    matches!(pipeline.model().evidence.kind(), Kind::Linear(_))
}

/// `--model`.
#[derive(Debug, Clone, clap::Args)]
pub struct ModelArgs {
    /// The model: `accurate`, `small` (faster), `cascade` (the small one, and the accurate one where that is not sure;
    /// `cascade:0.9` asks below that sureness), `fast` (words alone), or the path of a model file
    #[arg(long, short, value_name = "MODEL", default_value = "accurate")]
    model: ModelName,
}

impl ModelArgs {
    /// What it names.
    pub fn name(&self) -> &ModelName {
        &self.model
    }

    /// The file of the model, if it is one.
    pub fn file(&self) -> Option<&Path> {
        self.model.file()
    }

    /// Loads the model.
    pub fn load(&self, common: &Common) -> Result<Pipeline> {
        self.model.load(common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_tier_or_a_path() {
        let name = |text: &str| text.parse::<ModelName>();
        assert_eq!(name("fast"), Ok(ModelName::Fast));
        assert_eq!(name("small"), Ok(ModelName::Small));
        assert_eq!(name("cascade"), Ok(ModelName::Cascade(None)));
        assert_eq!(name("cascade:0.9"), Ok(ModelName::Cascade(Some(0.9))));
        assert_eq!(name("./fast"), Ok(ModelName::File("./fast".into())));
        assert_eq!(name("C:/mine.detente"), Ok(ModelName::File("C:/mine.detente".into())));
        assert!(name("cascade:2").is_err() && name("cascade:").is_err() && name("cascade:NaN").is_err());
    }
}
