//! `detente train`: labelled pairs in, a model file out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use detente::LabelledPair;
use detente::evaluate::bootstrap::{Bootstrap, Groups};
use detente::evaluate::metrics::{self, ConfusionMatrix};
use detente::model::linear::ClassWeight;
use detente::output_file::OutputFile;
use detente::train::recipe::{self, RecipeData, RecipeRows};
use detente::train::{Dataset, Recipe, Step, TrainedEncoder, adapt, train_stacked};
use detente::{EvaluateParams, Stance};

use super::models::ModelName;
use super::output::Sink;
use super::{Common, LabelArgs, Outcome, paths, progress};

/// Train a model on labelled pairs
///
/// The model file is the same, byte for byte, for the same data, parameters, seed and version.
///
/// Examples:
///   detente train --data rows.csv --output my.detente
///   detente train --data rows.csv --tier accurate --output my.detente
///   detente train --data rows.csv --dev dev.csv --config recipe.toml --output my.detente
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled rows: CSV, JSONL or another table; may be given several times
    #[arg(long, num_args = 1.., value_name = "FILE", required_unless_present = "config")]
    data: Vec<PathBuf>,
    /// Where to write the model
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Labelled rows to score the finished model on
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// A recipe: parameters, and data with weights (see models/fast.toml)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A fine-tuned encoder to put beside the n-grams: the folder that training/export.py wrote
    #[arg(long, value_name = "FOLDER", requires = "config")]
    encoder: Option<PathBuf>,
    /// What to make of the rows: `fast`, n-grams of their own; `accurate` or `small`, that model with a new last layer, which
    /// needs few rows; or the path of such a model
    #[arg(long, value_name = "MODEL", default_value = "fast", conflicts_with = "encoder")]
    tier: ModelName,
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
    /// What the classes weigh: `none`, `balanced` (each as much as the others together), or numbers, as
    /// `aligned=2,opposed=2`; those that are not named weigh 1
    #[arg(long, value_name = "WEIGHTS", value_parser = parse_class_weight)]
    class_weight: Option<ClassWeight>,
    /// Write every row's out-of-fold prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    out_of_fold: Option<PathBuf>,
}

fn parse_folds(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|folds| *folds >= 2).ok_or_else(|| "expected a whole number of at least 2".into())
}

fn parse_class_weight(text: &str) -> Result<ClassWeight, String> {
    let expected = "expected none, balanced, or weights such as aligned=2,opposed=1.5";
    match text {
        "none" => Ok(ClassWeight::None),
        "balanced" => Ok(ClassWeight::Balanced),
        _ => {
            let mut weights = [1.0; Stance::COUNT];
            for part in text.split(',') {
                let (class, weight) = part.split_once('=').ok_or(expected)?;
                let class: Stance = class.trim().parse().map_err(|_| format!("no class `{class}`; {expected}"))?;
                let weight = weight.trim().parse().ok().filter(|w: &f64| (1e-9..=1e9).contains(w));
                weights[class.index()] = weight.ok_or("expected weights from 1e-9 to 1e9")?;
            }
            Ok(ClassWeight::Given(weights))
        }
    }
}

fn parse_c(text: &str) -> Result<f64, String> {
    let c = text.parse().ok().filter(|c: &f64| *c > 0.0 && c.is_finite());
    c.ok_or_else(|| "expected a finite number above 0".into())
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let mut recipe = args.config.as_deref().map(Recipe::read).transpose()?.unwrap_or_default();
    recipe.data.extend(args.data.iter().map(RecipeData::file));
    let read = args.dev.iter().chain(&args.config).map(PathBuf::as_path).chain(recipe.files()).chain(args.tier.file());
    let written = [("--output", Some(args.output.as_path())), ("--out-of-fold", args.out_of_fold.as_deref())];
    paths::check(read.chain(common.files()), written.into_iter().filter_map(|(flag, path)| Some((flag, path?))))?;
    // What cannot be written is known before the work, not after it.
    let written = [Some(&args.output), args.out_of_fold.as_ref()];
    for path in written.into_iter().flatten().filter(|path| !path.exists() || path.is_file()) {
        OutputFile::create(path).with_context(|| format!("{}: cannot write there", path.display()))?;
    }
    let mut params = recipe.params.clone();
    params.folds = args.cv.unwrap_or(params.folds);
    params.seed = args.seed.unwrap_or(params.seed);
    if let Some(c) = args.c {
        params.logistic = params.logistic.c(c);
    }
    if let Some(class_weight) = args.class_weight {
        params.logistic = params.logistic.class_weight(class_weight);
    }
    let labels = &args.labels.label_map;
    let read_dev = |path: &PathBuf| recipe::labelled(path, labels, None, &common.warn());
    let dev = args.dev.as_ref().map(read_dev).transpose()?;
    let RecipeRows { data, excluded } = recipe.rows(labels, args.group.as_deref(), &common.warn())?;
    for (name, rows) in excluded {
        common.note(format_args!("{name}: {rows} rows left out, their texts are held out"));
    }
    let gazetteer = common.load_gazetteer()?;
    let bar = progress::spinner(common);
    let show = |step: Step| {
        bar.set_message(match step {
            Step::Features => "reading evidence".to_string(),
            Step::Fold(fold, folds) => format!("cross-validating: fold {} of {folds}", fold + 1),
            Step::Encoder => "reading by the encoder".to_string(),
            Step::Fit => "fitting on all rows".to_string(),
        });
    };
    let trained = match (&args.encoder, &args.tier) {
        (Some(folder), _) => train_stacked(&data, &params, TrainedEncoder::read(folder)?, &gazetteer, &show)?,
        (None, ModelName::Fast) => detente::train(&data, &params, &gazetteer, &show)?,
        (None, ModelName::Cascade(_)) => bail!("a cascade is two models: name `accurate` or `small` to start from"),
        (None, tier) => adapt(&tier.load(common)?, &data, &params, &gazetteer, &show)?,
    };
    bar.finish_and_clear();

    let y_true: Vec<Stance> = trained.out_of_fold.iter().map(|o| o.label).collect();
    let stances: Vec<Stance> = trained.out_of_fold.iter().map(|o| o.stance).collect();
    let score = metrics::f1_macro_score(&y_true, &stances)?;
    let rows = trained.out_of_fold.iter().map(|o| &data[o.row.0].pairs[o.row.1]);
    let groups = rows.map(LabelledPair::group_key).collect::<BTreeSet<_>>().len();
    common.note(format_args!(
        "{} rows used, in {groups} groups; left out: {} that the text does not connect, {} that repeat an earlier row",
        y_true.len(),
        trained.missing.len(),
        trained.repeated.len()
    ));
    for warning in &trained.warnings {
        common.note(format_args!("warning: {warning}"));
    }
    let counts = Stance::ALL.map(|label| format!("{} {label}", y_true.iter().filter(|y| **y == label).count()));
    common.note(format_args!("labels: {}", counts.join(", ")));
    let keys: Vec<&str> = trained.out_of_fold.iter().map(|o| data[o.row.0].pairs[o.row.1].group_key()).collect();
    let interval = match Groups::new(&keys) {
        Ok(groups) => {
            let macro_f1 = |w: &[f64]| Ok([ConfusionMatrix::new(&y_true, &stances, Some(w))?.f1_macro()]);
            let [interval] = Bootstrap::new().draws(1_000).seed(params.seed).intervals(&groups, macro_f1)?;
            format!(" (95 % interval {:.4} to {:.4})", interval.lower, interval.upper)
        }
        Err(_) => String::new(),
    };
    let usual = Stance::ALL.into_iter().max_by_key(|label| y_true.iter().filter(|y| *y == label).count());
    let usual = usual.unwrap_or(Stance::Neutral);
    let majority = metrics::f1_macro_score(&y_true, &vec![usual; y_true.len()])?;
    common.note(format_args!("macro-F1 on held-out folds: {score:.4}{interval}; always {usual}: {majority:.4}"));
    for (d, dataset) in data.iter().enumerate().filter(|_| data.len() > 1) {
        let rows: Vec<_> = trained.out_of_fold.iter().filter(|o| o.row.0 == d).collect();
        let y: Vec<Stance> = rows.iter().map(|o| o.label).collect();
        let p: Vec<Stance> = rows.iter().map(|o| o.stance).collect();
        if !y.is_empty() {
            common.note(format_args!("  {}: {:.4} ({} rows)", dataset.name, metrics::f1_macro_score(&y, &p)?, y.len()));
        }
    }
    let mut pipeline = trained.pipeline;
    let per_class = metrics::precision_recall_f1_support(&y_true, &stances)?;
    pipeline.set_metrics(serde_json::json!({
        "macro_f1": score,
        "accuracy": metrics::accuracy_score(&y_true, &stances)?,
        "f1_aligned": per_class[0].f1,
        "f1_neutral": per_class[1].f1,
        "f1_opposed": per_class[2].f1,
    }));
    if let Some(path) = &args.out_of_fold {
        write_out_of_fold(path, &data, &trained.out_of_fold)?;
    }
    pipeline.save(&args.output)?;
    common.note(format_args!("wrote {}", args.output.display()));
    if let (Some(path), Some(pairs)) = (&args.dev, dev) {
        let params = EvaluateParams { seed: params.seed, ..EvaluateParams::default() };
        let record = detente::evaluate(&pipeline.with_gazetteer(gazetteer), &pairs, &params)?;
        let [lo, hi] = record.ci95.get("macro_f1").copied().unwrap_or([f64::NAN; 2]);
        common.note(format_args!(
            "macro-F1 on {}: {:.4} (95 % interval {lo:.4} to {hi:.4})",
            path.display(),
            record.macro_f1
        ));
    }
    Ok(Outcome::Done)
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
