//! `detente train`: labelled pairs in, a model file out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

use detente::LabelledPair;
use detente::data::split::{self, SplitParams};
use detente::evaluate::bootstrap::Bootstrap;
use detente::evaluate::report::macro_f1_interval;
use detente::evaluate::{metrics, predictions};
use detente::gazetteer::Gazetteer;
use detente::model::linear::ClassWeight;
use detente::model::linear::ngrams::NgramParams;
use detente::train::recipe::{self, RecipeData, RecipeRows};
use detente::train::tune::{self, Tuned};
use detente::train::{Dataset, OutOfFold, Recipe, Step, TrainParams, TrainedEncoder, adapt, train_stacked};
use detente::{EvaluateParams, Stance};

use super::models::ModelName;
use super::output::{Sink, table};
use super::{Common, LabelArgs, Outcome, paths, progress};

/// Train a model on labelled pairs
///
/// The model file is the same, byte for byte, for the same data, parameters, seed and version.
///
/// Examples:
///   detente train --data rows.csv --output my.detente
///   detente train --data rows.csv --start-from default --output my.detente
///   detente train --data rows.csv --tune --test-size 0.2 --output my.detente
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
    /// Continue from a model that reads, which needs few rows: `default` or `accurate`, `small`, or the path of such a
    /// model; it gets a new last layer [default: n-grams of the rows' own]
    #[arg(long, alias = "tier", value_name = "MODEL", value_parser = parse_start, conflicts_with = "encoder")]
    start_from: Option<ModelName>,
    /// Choose features, penalty and class weights by cross-validation, and print the score of rows that had no say in it
    #[arg(long, conflicts_with_all = ["start_from", "encoder"])]
    tune: bool,
    /// Keep this share of the groups out of training, and score the finished model on them
    #[arg(long, value_name = "SHARE", value_parser = parse_test_size, conflicts_with = "dev")]
    test_size: Option<f64>,
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
    #[arg(long, value_name = "WEIGHTS", value_parser = parse_class_weight, conflicts_with = "tune")]
    class_weight: Option<ClassWeight>,
    /// Write every row's out-of-fold prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    out_of_fold: Option<PathBuf>,
}

fn parse_folds(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|folds| *folds >= 2).ok_or_else(|| "expected a whole number of at least 2".into())
}

/// `--start-from`.
pub fn parse_start(text: &str) -> Result<ModelName, String> {
    match text.parse()? {
        ModelName::Fast => {
            Err("the fast model has no encoder to continue from; leave the flag out, or name `small`".into())
        }
        ModelName::Cascade(_) => Err("a cascade is two models: name `accurate` or `small` to start from".into()),
        ModelName::File(path) if path == Path::new("default") => Ok(ModelName::Accurate),
        name => Ok(name),
    }
}

fn parse_test_size(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a share of the rows, above 0 and below 1".into())
}

fn parse_class_weight(text: &str) -> Result<ClassWeight, String> {
    let expected = "expected none, balanced, or weights such as aligned=2,opposed=1.5";
    match text {
        "none" => Ok(ClassWeight::None),
        "balanced" => Ok(ClassWeight::Balanced),
        _ => {
            let mut weights = [None; Stance::COUNT];
            for part in text.split(',') {
                let (class, weight) = part.split_once('=').ok_or(expected)?;
                let class: Stance = class.trim().parse().map_err(|_| format!("no class `{class}`; {expected}"))?;
                let weight = weight.trim().parse().ok().filter(|w: &f64| (1e-9..=1e9).contains(w));
                let weight = weight.ok_or("expected weights from 1e-9 to 1e9")?;
                if weights[class.index()].replace(weight).is_some() {
                    return Err(format!("{class} is given twice; {expected}"));
                }
            }
            Ok(ClassWeight::Given(weights.map(|weight| weight.unwrap_or(1.0))))
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
    let read = args
        .dev
        .iter()
        .chain(&args.config)
        .map(PathBuf::as_path)
        .chain(recipe.files())
        .chain(args.start_from.as_ref().and_then(ModelName::file));
    let written = [("--output", Some(args.output.as_path())), ("--out-of-fold", args.out_of_fold.as_deref())];
    paths::check(read.chain(common.files()), written.into_iter().filter_map(|(flag, path)| Some((flag, path?))))?;
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
    let RecipeRows { mut data, excluded } = recipe.rows(labels, args.group.as_deref(), &common.warn())?;
    for (name, rows) in excluded {
        common.note(format_args!("{name}: {rows} rows left out, their texts are held out"));
    }
    let (test, dev_name) = match (args.test_size, &args.dev) {
        (Some(share), _) => (Some(hold_out(&mut data, share, params.seed)?), "the rows that were kept out".to_owned()),
        (None, Some(path)) => (dev, path.display().to_string()),
        (None, None) => (None, String::new()),
    };
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
    if args.tune {
        let tuned = tune::tune(&data, &params, &gazetteer, &show)?;
        bar.suspend(|| say_tuned(&tuned, &data, common))?;
        params = tuned.params;
    }
    let trained = match (&args.encoder, &args.start_from) {
        (Some(folder), _) => train_stacked(&data, &params, TrainedEncoder::read(folder)?, &gazetteer, &show)?,
        (None, None) => detente::train(&data, &params, &gazetteer, &show)?,
        (None, Some(base)) => adapt(&base.load(common)?, &data, &params, &gazetteer, &show)?,
    };
    let words = baseline(&data, &params, &gazetteer, trained.out_of_fold.len());
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
    let interval = interval(&keys, &y_true, &stances, params.seed)?;
    common.note(format_args!("macro-F1 on held-out folds: {score:.4}{interval}"));
    say_folds(&trained.out_of_fold, common)?;
    say_baselines(&trained.out_of_fold, words.as_deref(), common)?;
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
    if let Some(pairs) = test {
        let params = EvaluateParams { seed: params.seed, ..EvaluateParams::default() };
        let record = detente::evaluate(&pipeline.with_gazetteer(gazetteer), &pairs, &params)?;
        let [lo, hi] = record.ci95.get("macro_f1").copied().unwrap_or([f64::NAN; 2]);
        common.note(format_args!(
            "macro-F1 on {dev_name} ({} rows): {:.4} (95 % interval {lo:.4} to {hi:.4})",
            record.n, record.macro_f1
        ));
        if let Some(leaks) = record.leaks.filter(|leaks| leaks.rows > 0) {
            common.note(format_args!(
                "warning: the sentences of {} of these rows are among those trained on",
                leaks.rows
            ));
        }
    }
    Ok(Outcome::Done)
}

/// Takes a share of the groups out of the data, and gives their rows.
fn hold_out(data: &mut [Dataset], share: f64, seed: u64) -> Result<Vec<LabelledPair>> {
    let all: Vec<LabelledPair> = data.iter().flat_map(|dataset| dataset.pairs.iter().cloned()).collect();
    let params = SplitParams { ratios: vec![1.0 - share, share], seed, ..SplitParams::default() };
    let (parts, blocks) = split::split(&all, &params)?;
    let mut parts_left = parts.iter();
    for dataset in data.iter_mut() {
        dataset.pairs.retain(|_| parts_left.next() == Some(&0));
    }
    let held_out: Vec<LabelledPair> =
        all.into_iter().zip(&parts).filter(|(_, part)| **part == 1).map(|(p, _)| p).collect();
    anyhow::ensure!(
        !held_out.is_empty() && data.iter().any(|dataset| !dataset.pairs.is_empty()),
        "--test-size {share}: the rows are in {blocks} groups, too few to keep some out"
    );
    Ok(held_out)
}

/// The candidates, one line each, and what the choice is worth.
fn say_tuned(tuned: &Tuned, data: &[Dataset], common: &Common) -> Result<()> {
    let mut rows = table(&["", "TRIED", "MACRO F1", "ERROR"]);
    for tried in &tuned.tried {
        let mark = if tried.chosen { "→" } else { "" };
        let numbers = [tried.macro_f1, tried.standard_error].map(|n| format!("{n:.4}"));
        rows.add_row([mark.to_owned(), tried.name.clone()].into_iter().chain(numbers));
    }
    common.note(format_args!("{}", rows.trim_fmt()));
    let (y, p): (Vec<Stance>, Vec<Stance>) = tuned.nested.iter().map(|row| (row.label, row.stance)).unzip();
    let keys: Vec<&str> = tuned.nested.iter().map(|row| data[row.row.0].pairs[row.row.1].group_key()).collect();
    let interval = interval(&keys, &y, &p, 0)?;
    let score = metrics::f1_macro_score(&y, &p)?;
    common.note(format_args!(
        "→ the simplest within one standard error of the best; on rows that had no say in the choice (nested folds): \
         {score:.4}{interval}"
    ));
    Ok(())
}

/// The 95 % interval of macro-F1, in words; empty where there is one group.
fn interval(keys: &[&str], y_true: &[Stance], y_pred: &[Stance], seed: u64) -> Result<String> {
    let found = macro_f1_interval(&Bootstrap::new().draws(1_000).seed(seed), keys, y_true, y_pred)?;
    Ok(found.map_or_else(String::new, |[low, high]| format!(" (95 % interval {low:.4} to {high:.4})")))
}

/// The score of each fold, and how far they lie apart.
fn say_folds(rows: &[OutOfFold], common: &Common) -> Result<()> {
    const SHOWN: usize = 20;
    let folds: BTreeSet<usize> = rows.iter().map(|row| row.fold).collect();
    let score = |fold: usize| {
        let (y, p): (Vec<Stance>, Vec<Stance>) =
            rows.iter().filter(|row| row.fold == fold).map(|row| (row.label, row.stance)).unzip();
        metrics::f1_macro_score(&y, &p)
    };
    let scores: Vec<f64> = folds.into_iter().map(score).collect::<Result<_, _>>()?;
    let (mean, error) = tune::mean_and_error(&scores);
    let each: Vec<String> = scores.iter().take(SHOWN).map(|score| format!("{score:.3}")).collect();
    let more = if scores.len() > SHOWN { format!(" … ({} folds)", scores.len()) } else { String::new() };
    common.note(format_args!("  by fold: {}{more}; mean {mean:.4}, standard error {error:.4}", each.join(" ")));
    Ok(())
}

/// The same rows by words alone, or none where that would take long or cannot be done.
fn baseline(data: &[Dataset], params: &TrainParams, gazetteer: &Gazetteer, rows: usize) -> Option<Vec<OutOfFold>> {
    const MOST: usize = 20_000;
    let ngrams = NgramParams { max_n: 1, max_region_n: 0, context: 0, stems: false, ..NgramParams::default() };
    let params = TrainParams { ngrams, folds: params.folds, seed: params.seed, ..TrainParams::default() };
    let trained = (rows <= MOST).then(|| detente::train(data, &params, gazetteer, &|_| {}))?;
    trained.ok().map(|trained| trained.out_of_fold)
}

/// What is no model, or hardly one, beside the model.
fn say_baselines(rows: &[OutOfFold], words: Option<&[OutOfFold]>, common: &Common) -> Result<()> {
    let y: Vec<Stance> = rows.iter().map(|row| row.label).collect();
    let shares = Stance::ALL.map(|label| y.iter().filter(|y| **y == label).count() as f64 / y.len() as f64);
    let usual = Stance::argmax(&shares);
    let mut shown = table(&["", "HELD OUT", "MACRO F1", "RIGHT", "LOG LOSS"]);
    let mut add = |name: &str, y: &[Stance], stances: &[Stance], p: &[[f64; 3]]| -> Result<()> {
        let numbers =
            [metrics::f1_macro_score(y, stances)?, metrics::accuracy_score(y, stances)?, metrics::log_loss(y, p)?];
        let cells = numbers.map(|number| format!("{number:.3}"));
        shown.add_row([String::new(), name.to_owned()].into_iter().chain(cells));
        Ok(())
    };
    let mut of = |name: &str, rows: &[OutOfFold]| {
        let y: Vec<Stance> = rows.iter().map(|row| row.label).collect();
        let stances: Vec<Stance> = rows.iter().map(|row| row.stance).collect();
        let p: Vec<[f64; 3]> = rows.iter().map(|row| row.probabilities).collect();
        add(name, &y, &stances, &p)
    };
    of("this model", rows)?;
    words.map(|rows| of("bag of words", rows)).transpose()?;
    add(&format!("always {usual}, by the labels' shares"), &y, &vec![usual; y.len()], &vec![shares; y.len()])?;
    common.note(format_args!("{}", shown.trim_fmt()));
    Ok(())
}

fn write_out_of_fold(path: &Path, data: &[Dataset], rows: &[detente::train::OutOfFold]) -> Result<()> {
    let mut sink = Sink::open(Some(path))?;
    let mut writer = csv::Writer::from_writer(&mut sink);
    writer.write_record(predictions::COLUMNS)?;
    for row in rows {
        let pair = &data[row.row.0].pairs[row.row.1];
        writer.write_record(predictions::row(pair, row.label, row.stance, Some(row.probabilities)))?;
    }
    writer.flush()?;
    drop(writer);
    sink.finish()
}
