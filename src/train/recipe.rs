//! Recipes: what a model is trained on, and how, in a TOML file (see `models/fast.toml`).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Dataset, TrainParams};
use crate::data::audit;
use crate::data::join::{self, TextLayout, Texts};
use crate::data::{self, LabelMap, LabelledOptions, LabelledPair, directed};
use crate::error::{Error, Location, Result};
use crate::input_file;
use crate::model::file::FileManifest;
use crate::source::{Source, Warn};

/// A recipe. Its paths are relative to `root`, which is relative to the folder of the recipe's file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Recipe {
    /// Where its paths begin. Defaults to the folder of the recipe's file.
    pub root: PathBuf,
    /// How to train.
    pub params: TrainParams,
    /// What to train on.
    pub data: Vec<RecipeData>,
    /// Labelled files whose texts, and what is nearly the same, are left out of training.
    pub exclude: Vec<PathBuf>,
}

/// One file of training data.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecipeData {
    /// Labelled rows with their texts; or labels alone, where `texts` is given.
    pub path: PathBuf,
    /// What the file should be; checked before training.
    pub sha256: Option<String>,
    /// Where it comes from, for whoever lacks it.
    pub origin: Option<String>,
    /// The texts that the labels are about.
    pub texts: Option<RecipeTexts>,
    /// The values of the column `split` to train on; all rows when empty.
    #[serde(default)]
    pub split: Vec<String>,
    /// How the file is laid out.
    #[serde(default)]
    pub format: DataFormat,
    /// The weight of each row. Defaults to 1.
    #[serde(default = "one")]
    pub weight: f64,
    /// Whether probabilities are calibrated on these rows. Defaults to true.
    #[serde(default = "yes")]
    pub calibrate: bool,
}

/// A file of texts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecipeTexts {
    /// The file.
    pub path: PathBuf,
    /// How it is laid out.
    pub layout: TextLayout,
    /// What it should be.
    pub sha256: Option<String>,
    /// Where it comes from.
    pub origin: Option<String>,
}

/// How a file of labelled rows is laid out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataFormat {
    /// CSV or JSONL as documented.
    #[default]
    Labelled,
    /// The directed-sentiment format.
    DirectedSentiment,
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

/// What a recipe's files hold.
#[derive(Debug)]
pub struct RecipeRows {
    /// The data, in the recipe's order.
    pub data: Vec<Dataset>,
    /// Names of files of which rows were left out since their texts are held out, and how many.
    pub excluded: Vec<(String, usize)>,
}

/// A file that a recipe names: its path, the SHA-256 it should have, and where it comes from.
type Named<'r> = (&'r Path, Option<&'r str>, Option<&'r str>);

impl RecipeData {
    /// Labelled CSV or JSONL with all defaults.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            sha256: None,
            origin: None,
            texts: None,
            split: Vec::new(),
            format: DataFormat::Labelled,
            weight: one(),
            calibrate: yes(),
        }
    }
}

impl Recipe {
    /// Reads a recipe; its paths are those of files from here on.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`] with the line of what is no recipe.
    pub fn read(path: &Path) -> Result<Self> {
        let text = input_file::read_text(path, input_file::MAX_RECIPE)?;
        let mut recipe: Self = toml::from_str(&text).map_err(|error| {
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = before.matches('\n').count() as u64 + 1;
            let location = Location::line(path.display().to_string(), line);
            Error::format(location, error.message(), "a recipe; `models/fast.toml` is one")
        })?;
        let root = path.parent().unwrap_or(Path::new("")).join(&recipe.root);
        let texts = recipe.data.iter_mut().filter_map(|data| data.texts.as_mut()).map(|texts| &mut texts.path);
        texts.for_each(|path| *path = root.join(&*path));
        recipe.data.iter_mut().for_each(|data| data.path = root.join(&data.path));
        recipe.exclude.iter_mut().for_each(|path| *path = root.join(&*path));
        Ok(recipe)
    }

    fn named(&self) -> impl Iterator<Item = Named<'_>> {
        let data = self.data.iter().map(|d| -> Named<'_> { (&d.path, d.sha256.as_deref(), d.origin.as_deref()) });
        let texts = self.data.iter().filter_map(|d| d.texts.as_ref());
        let texts = texts.map(|t| -> Named<'_> { (&t.path, t.sha256.as_deref(), t.origin.as_deref()) });
        data.chain(texts).chain(self.exclude.iter().map(|path| -> Named<'_> { (path, None, None) }))
    }

    /// Every file that it names.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.named().map(|(path, ..)| path)
    }

    /// Names every file that is missing or is not what the recipe says.
    ///
    /// # Errors
    /// [`Error::Recipe`].
    pub fn check_files(&self) -> Result<()> {
        let problem = |(path, sha256, origin): Named<'_>| {
            let origin = origin.map(|origin| format!(" (from {origin})")).unwrap_or_default();
            match input_file::sha256(path) {
                Err(error) => Some(format!("{error}{origin}")),
                Ok(found) => {
                    let expected = sha256.filter(|expected| *expected != found)?;
                    Some(format!("{}{origin}: SHA-256 {found}, expected {expected}", path.display()))
                }
            }
        };
        let mut problems: Vec<String> = self.named().filter_map(problem).collect();
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(Error::Recipe { problems }) }
    }

    /// Reads all rows to train on, without those whose texts are held out. `group` names the column whose equal values stay
    /// in one fold, in files of labelled rows; the first bad row ends the reading.
    ///
    /// # Errors
    /// As [`check_files`](Self::check_files), and what reading gives.
    pub fn rows(&self, labels: &LabelMap, group: Option<&str>, warn: &Warn) -> Result<RecipeRows> {
        self.check_files()?;
        let mut data = self.data.iter().map(|d| d.read(labels, group, warn)).collect::<Result<Vec<_>>>()?;
        let mut held_out = Vec::new();
        for path in &self.exclude {
            held_out.extend(labelled(path, labels, None, warn)?.into_iter().map(|pair| pair.article.text));
        }
        let index = audit::Index::new(held_out.iter().map(String::as_str));
        let mut excluded = Vec::new();
        for dataset in data.iter_mut().filter(|_| !held_out.is_empty()) {
            let before = dataset.pairs.len();
            dataset.pairs.retain(|pair| index.find(&pair.article.text).is_none());
            if dataset.pairs.len() < before {
                excluded.push((dataset.name.clone(), before - dataset.pairs.len()));
            }
        }
        Ok(RecipeRows { data, excluded })
    }
}

impl RecipeData {
    fn read(&self, labels: &LabelMap, group: Option<&str>, warn: &Warn) -> Result<Dataset> {
        let mut pairs = match (&self.texts, self.format) {
            (Some(texts), _) => join::join(&self.path, &Texts::read(&texts.path, texts.layout, warn)?, labels, warn)?,
            (None, DataFormat::DirectedSentiment) => directed::labelled(&self.path, warn)?,
            (None, DataFormat::Labelled) => labelled(&self.path, labels, group, warn)?,
        };
        if !self.split.is_empty() {
            pairs.retain(|pair| pair.column("split").is_some_and(|split| self.split.iter().any(|s| s == split)));
        }
        let FileManifest { name, sha256 } = FileManifest::of(&self.path)?;
        let texts = self.texts.as_ref().map(|texts| FileManifest::of(&texts.path)).transpose()?;
        Ok(Dataset { name, sha256, texts, weight: self.weight, calibrate: self.calibrate, pairs })
    }
}

/// The rows of a labelled file, grouped by a column if one is named.
///
/// # Errors
/// What reading gives; [`Error::Format`] for a row without the column.
pub fn labelled(path: &Path, labels: &LabelMap, group: Option<&str>, warn: &Warn) -> Result<Vec<LabelledPair>> {
    let options = LabelledOptions { labels: labels.clone(), ..LabelledOptions::default() };
    let mut pairs = data::labelled(&Source::named(path), &options, warn)?.collect::<Result<Vec<_>>>()?;
    for pair in &mut pairs {
        let Some(column) = group else { break };
        let Some(value) = pair.column(column).map(str::to_owned) else {
            let found = format!("no column `{column}`");
            return Err(Error::format(pair.location.clone(), found, "the column to group by"));
        };
        pair.group = Some(value);
    }
    Ok(pairs)
}
