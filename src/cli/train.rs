//! `detente train`: labelled pairs in, a model file out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use detente::audit;
use detente::evaluate::metrics;
use detente::model_file::FileManifest;
use detente::source::join::{self, TextLayout, Texts};
use detente::source::{LabelledPair, directed};
use detente::train::{Dataset, Step};
use detente::{EvaluateParams, Stance, TrainParams, input_file};

use super::output::Sink;
use super::{Common, LabelArgs, Outcome, paths, progress};

/// Train a model on labelled pairs
///
/// The model file is the same, byte for byte, for the same data, parameters, seed and version.
///
/// Examples:
///   detente train --data rows.csv --output my.detente
///   detente train --data rows.csv --dev dev.csv --config recipe.toml --output my.detente
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled CSV or JSONL; may be given several times
    #[arg(long, num_args = 1.., value_name = "FILE", required_unless_present = "config")]
    data: Vec<PathBuf>,
    /// Where to write the model
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Labelled rows to score the finished model on
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// A recipe: parameters, and data with weights (see models/default.toml)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    labels: LabelArgs,
    /// The column whose equal values stay in one fold [default: group, or else the text]
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Folds of the cross-validation that the calibration and the printed score come from, 2 or more
    #[arg(long, value_name = "K", value_parser = parse_folds)]
    cv: Option<usize>,
    /// Seed of the folds
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Inverse strength of the L2 penalty, above 0
    #[arg(long, value_name = "C", value_parser = parse_c)]
    c: Option<f64>,
    /// Write every row's out-of-fold prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    out_of_fold: Option<PathBuf>,
}

/// A recipe file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Recipe {
    params: TrainParams,
    data: Vec<RecipeData>,
    /// Files whose texts, and what is nearly the same, are left out of training.
    exclude: Vec<PathBuf>,
}

impl Recipe {
    /// Every file that it names.
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let texts = self.data.iter().filter_map(|data| Some(&data.texts.as_ref()?.path));
        self.data.iter().map(|data| &data.path).chain(texts).chain(&self.exclude)
    }
}

/// One file of training data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeData {
    /// Labelled rows with their texts; or labels alone, where `texts` is given.
    path: PathBuf,
    /// What the file should be; checked before training.
    sha256: Option<String>,
    /// Where it comes from, for whoever lacks it.
    origin: Option<String>,
    /// The texts that the labels are about.
    texts: Option<RecipeTexts>,
    /// The values of the column `split` to train on; all rows when empty.
    #[serde(default)]
    split: Vec<String>,
    #[serde(default)]
    format: DataFormat,
    #[serde(default = "one")]
    weight: f64,
    /// Whether probabilities are calibrated on these rows.
    #[serde(default = "yes")]
    calibrate: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeTexts {
    path: PathBuf,
    layout: TextLayout,
    sha256: Option<String>,
    origin: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DataFormat {
    /// CSV or JSONL as documented.
    #[default]
    Labelled,
    /// The directed-sentiment format.
    DirectedSentiment,
}

fn parse_folds(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|folds| *folds >= 2).ok_or_else(|| "expected a whole number of at least 2".into())
}

fn parse_c(text: &str) -> Result<f64, String> {
    let c = text.parse().ok().filter(|c: &f64| *c > 0.0 && c.is_finite());
    c.ok_or_else(|| "expected a finite number above 0".into())
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let recipe = match &args.config {
        Some(path) => read_recipe(path)?,
        None => Recipe::default(),
    };
    let read = args.data.iter().chain(&args.dev).chain(&args.config).chain(recipe.files()).map(PathBuf::as_path);
    let written = [("--output", Some(args.output.as_path())), ("--out-of-fold", args.out_of_fold.as_deref())];
    paths::check(read.chain(common.files()), written.into_iter().filter_map(|(flag, path)| Some((flag, path?))))?;
    let mut params = recipe.params.clone();
    params.folds = args.cv.unwrap_or(params.folds);
    params.seed = args.seed.unwrap_or(params.seed);
    if let Some(c) = args.c {
        params.logistic = params.logistic.c(c);
    }
    let data = read_data(args, &recipe, common)?;
    let gazetteer = common.load_gazetteer()?;
    let bar = progress::spinner(common);
    let show = |step: Step| {
        bar.set_message(match step {
            Step::Features => "reading evidence".to_string(),
            Step::Fold(fold, folds) => format!("cross-validating: fold {} of {folds}", fold + 1),
            Step::Fit => "fitting on all rows".to_string(),
        });
    };
    let trained = detente::train(&data, &params, &gazetteer, &show)?;
    bar.finish_and_clear();

    let labels: Vec<Stance> = trained.out_of_fold.iter().map(|o| o.label).collect();
    let stances: Vec<Stance> = trained.out_of_fold.iter().map(|o| o.stance).collect();
    let score = metrics::f1_macro_score(&labels, &stances)?;
    let groups = data.iter().flat_map(|d| &d.pairs).map(LabelledPair::group_key).collect::<BTreeSet<_>>().len();
    common.note(format_args!(
        "{} rows used, in {groups} groups; left out: {} that the text does not connect, {} that repeat an earlier row",
        labels.len(),
        trained.missing.len(),
        trained.repeated.len()
    ));
    for warning in &trained.warnings {
        common.note(format_args!("warning: {warning}"));
    }
    common.note(format_args!("macro-F1 on held-out folds: {score:.4}"));
    for (d, dataset) in data.iter().enumerate().filter(|_| data.len() > 1) {
        let rows: Vec<_> = trained.out_of_fold.iter().filter(|o| o.row.0 == d).collect();
        let y: Vec<Stance> = rows.iter().map(|o| o.label).collect();
        let p: Vec<Stance> = rows.iter().map(|o| o.stance).collect();
        if !y.is_empty() {
            common.note(format_args!("  {}: {:.4} ({} rows)", dataset.name, metrics::f1_macro_score(&y, &p)?, y.len()));
        }
    }
    let mut pipeline = trained.pipeline;
    let per_class = metrics::precision_recall_f1_support(&labels, &stances)?;
    pipeline.set_metrics(serde_json::json!({
        "macro_f1": score,
        "accuracy": metrics::accuracy_score(&labels, &stances)?,
        "f1_aligned": per_class[0].f1,
        "f1_neutral": per_class[1].f1,
        "f1_opposed": per_class[2].f1,
    }));
    if let Some(path) = &args.out_of_fold {
        write_out_of_fold(path, &data, &trained.out_of_fold)?;
    }
    pipeline.save(&args.output)?;
    common.note(format_args!("wrote {}", args.output.display()));
    if let Some(dev) = &args.dev {
        let pairs = read_pairs(dev, &args.labels, None, common)?;
        let params = EvaluateParams { seed: params.seed, ..EvaluateParams::default() };
        let record = detente::evaluate(&pipeline, &pairs, &params)?;
        let [lo, hi] = record.ci95.get("macro_f1").copied().unwrap_or([f64::NAN; 2]);
        common.note(format_args!(
            "macro-F1 on {}: {:.4} (95 % interval {lo:.4} to {hi:.4})",
            dev.display(),
            record.macro_f1
        ));
    }
    Ok(Outcome::Done)
}

fn read_recipe(path: &Path) -> Result<Recipe> {
    let text = input_file::read_text(path, input_file::MAX_RECIPE)?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

/// A file that the recipe names: its path, the SHA-256 it should have, and where it comes from.
type Named<'r> = (&'r Path, Option<&'r String>, Option<&'r String>);

/// Names every file that is missing or is not what the recipe says.
fn check_files(recipe: &Recipe) -> Result<()> {
    let data = recipe.data.iter().map(|d| -> Named<'_> { (&d.path, d.sha256.as_ref(), d.origin.as_ref()) });
    let texts = recipe.data.iter().filter_map(|d| d.texts.as_ref());
    let texts = texts.map(|t| -> Named<'_> { (&t.path, t.sha256.as_ref(), t.origin.as_ref()) });
    let exclude = recipe.exclude.iter().map(|p| -> Named<'_> { (p, None, None) });
    let mut problems = Vec::new();
    for (path, sha256, origin) in data.chain(texts).chain(exclude) {
        let origin = origin.map(|o| format!(" (from {o})")).unwrap_or_default();
        match input_file::sha256(path) {
            Err(error) => problems.push(format!("{error}{origin}")),
            Ok(found) => {
                if let Some(expected) = sha256.filter(|expected| **expected != found) {
                    problems.push(format!("{}{origin}: SHA-256 {found}, expected {expected}", path.display()));
                }
            }
        }
    }
    problems.sort();
    problems.dedup();
    anyhow::ensure!(problems.is_empty(), "the recipe's files are not all here:\n  {}", problems.join("\n  "));
    Ok(())
}

fn read_data(args: &Args, recipe: &Recipe, common: &Common) -> Result<Vec<Dataset>> {
    check_files(recipe)?;
    let mut data = Vec::new();
    for source in &recipe.data {
        let mut pairs = match (&source.texts, source.format) {
            (Some(texts), _) => {
                let texts = Texts::read(&texts.path, texts.layout, &common.warn())?;
                join::join(&source.path, &texts, &args.labels.label_map, &common.warn())?
            }
            (None, DataFormat::DirectedSentiment) => directed::labelled(&source.path, &common.warn())?,
            (None, DataFormat::Labelled) => read_pairs(&source.path, &args.labels, args.group.as_deref(), common)?,
        };
        if !source.split.is_empty() {
            pairs.retain(|pair| pair.column("split").is_some_and(|split| source.split.iter().any(|s| s == split)));
        }
        let texts = source.texts.as_ref().map(|texts| FileManifest::of(&texts.path)).transpose()?;
        data.push(Dataset { texts, ..dataset(&source.path, source.weight, source.calibrate, pairs)? });
    }
    for path in &args.data {
        input_file::open(path)?;
        let pairs = read_pairs(path, &args.labels, args.group.as_deref(), common)?;
        data.push(dataset(path, 1.0, true, pairs)?);
    }
    exclude(&mut data, recipe, args, common)?;
    Ok(data)
}

fn dataset(path: &Path, weight: f64, calibrate: bool, pairs: Vec<LabelledPair>) -> Result<Dataset> {
    let FileManifest { name, sha256 } = FileManifest::of(path)?;
    Ok(Dataset { name, sha256, texts: None, weight, calibrate, pairs })
}

/// Takes the rows out whose text the recipe's `exclude` files hold.
fn exclude(data: &mut [Dataset], recipe: &Recipe, args: &Args, common: &Common) -> Result<()> {
    let mut held_out = Vec::new();
    for path in &recipe.exclude {
        held_out.extend(read_pairs(path, &args.labels, None, common)?.into_iter().map(|pair| pair.article.text));
    }
    if held_out.is_empty() {
        return Ok(());
    }
    let index = audit::Index::new(held_out.iter().map(String::as_str));
    for dataset in data {
        let before = dataset.pairs.len();
        dataset.pairs.retain(|pair| index.find(&pair.article.text).is_none());
        let left_out = before - dataset.pairs.len();
        if left_out > 0 {
            common.note(format_args!("{}: {left_out} rows left out, their texts are held out", dataset.name));
        }
    }
    Ok(())
}

/// Reads labelled rows; the first bad one ends the training before it starts.
fn read_pairs(path: &Path, labels: &LabelArgs, group: Option<&str>, common: &Common) -> Result<Vec<LabelledPair>> {
    let mut pairs = common.labelled(path, labels)?.collect::<detente::Result<Vec<_>>>()?;
    if let Some(column) = group {
        for pair in &mut pairs {
            let value = pair.column(column).map(str::to_string);
            anyhow::ensure!(value.is_some(), "{}: no column `{column}` to group by", pair.location);
            pair.group = value;
        }
    }
    Ok(pairs)
}

fn write_out_of_fold(path: &Path, data: &[Dataset], rows: &[detente::train::OutOfFold]) -> Result<()> {
    let mut sink = Sink::open(Some(path))?;
    let mut writer = csv::Writer::from_writer(&mut sink);
    writer.write_record(["id", "state", "actor", "label", "stance", "p_aligned", "p_neutral", "p_opposed"])?;
    for row in rows {
        let pair = &data[row.row.0].pairs[row.row.1];
        let [aligned, neutral, opposed] = row.probabilities.map(|p| p.to_string());
        let (label, stance) = (row.label.to_string(), row.stance.to_string());
        writer.write_record([
            &pair.article.id,
            &pair.state,
            &pair.actor,
            &label,
            &stance,
            &aligned,
            &neutral,
            &opposed,
        ])?;
    }
    writer.flush()?;
    drop(writer);
    sink.finish()
}
