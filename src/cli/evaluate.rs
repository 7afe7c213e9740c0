//! `detente evaluate`: how well a model does on labelled pairs.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use detente::evaluate::behaviour;
use detente::evaluate::compare::McNemar;
use detente::evaluate::examine::{self, LeakRecord, Sure};
use detente::evaluate::faithfulness::{self, Deletion};
use detente::evaluate::metrics::{Direction, METRICS, Metric};
use detente::evaluate::predictions;
use detente::evaluate::report::{self, Evaluation, ModelRecord, Scored};
use detente::source::{self, Source};
use detente::{EvaluateParams, LabelledPair, Pipeline, Stance};

use super::complaints::Complaints;
use super::models::ModelName;
use super::output::{Sink, table, write_json};
use super::predict::{parse_level, parse_probability};
use super::{Common, LabelArgs, Outcome, paths, say};

/// Score a model on labelled pairs, with 95 % intervals
///
/// Examples:
///   detente evaluate --data test.csv
///   detente evaluate --data test.csv --model accurate --model fast --model other-tool.csv
///   detente evaluate --behaviour --model my.detente
///   detente evaluate --data test.csv --model my.detente --json scores.json --predictions rows.csv --by actor
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Labelled rows: CSV, JSONL or another table; may be given several times
    #[arg(long, required_unless_present = "behaviour", num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Try the model on turns of phrase: 25 kinds of cases that come with the program
    #[arg(long, conflicts_with_all = ["data", "predictions", "by", "min", "max", "compare"])]
    behaviour: bool,
    /// Take the strongest word of the evidence out of up to 300 of the rows, or another, and see what becomes of the answer
    #[arg(long, conflicts_with_all = ["behaviour", "predictions", "by", "min", "max", "compare", "coverage", "min_prob"])]
    faithfulness: bool,
    /// The model: `accurate`, `small`, `cascade`, `fast`, the path of a model file, or of a table of predictions (`id`,
    /// `stance`, and, if there are, `state`, `actor`, `p_aligned`, `p_neutral`, `p_opposed`). The first is compared with
    /// those that are given after it
    #[arg(long, short, value_name = "MODEL", default_value = "accurate")]
    model: Vec<ModelName>,
    #[command(flatten)]
    labels: LabelArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write the evaluation record there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write every row's prediction there, as CSV
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Break the score down by these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    by: Vec<String>,
    /// Exit with 1 where a score is below a bar, as `macro_f1=0.6`; may be given several times
    #[arg(long, value_name = "METRIC=BAR", value_parser = parse_min)]
    min: Vec<Bar>,
    /// Exit with 1 where a loss is above a bar, as `log_loss=0.7`; may be given several times
    #[arg(long, value_name = "METRIC=BAR", value_parser = parse_max)]
    max: Vec<Bar>,
    /// The same as a further --model
    #[arg(long, value_name = "MODEL")]
    compare: Vec<ModelName>,
    /// Say how many of the answers from this probability up are right
    #[arg(long, value_name = "P", value_parser = parse_probability, conflicts_with_all = ["coverage", "behaviour"])]
    min_prob: Option<f64>,
    /// Say how many of the answers are right that are as sure as this share of the rows that the model was measured by
    #[arg(long, value_name = "SHARE", value_parser = parse_probability, conflicts_with = "behaviour")]
    coverage: Option<f64>,
    /// How often, at least, the sets of stances of `predict --conformal` should hold the truth
    #[arg(long, value_name = "LEVEL", value_parser = parse_level, default_value_t = 0.9)]
    conformal: f64,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// A metric and the value that it must reach, or must not pass.
#[derive(Debug, Clone)]
struct Bar {
    metric: &'static Metric,
    value: f64,
}

fn parse_min(text: &str) -> Result<Bar, String> {
    parse_bar(text, Direction::HigherIsBetter, "--max")
}

fn parse_max(text: &str) -> Result<Bar, String> {
    parse_bar(text, Direction::LowerIsBetter, "--min")
}

fn parse_bar(text: &str, direction: Direction, other_flag: &str) -> Result<Bar, String> {
    let of_kind = || METRICS.iter().filter(|m| m.direction == direction);
    let names = || of_kind().map(|m| m.name).collect::<Vec<_>>().join(", ");
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("expected METRIC=BAR, METRIC one of {}", names()))?;
    let Some(metric) = of_kind().find(|m| m.name == name) else {
        return Err(match METRICS.iter().find(|m| m.name == name) {
            Some(other) => format!("of `{name}` {}; use {other_flag} {text}", other.direction),
            None => format!("no metric `{name}`; there are {}", names()),
        });
    };
    let [least, most] = metric.range;
    match value.parse::<f64>() {
        Ok(value) if value.is_finite() && (least..=most).contains(&value) => Ok(Bar { metric, value }),
        _ if most.is_finite() => {
            Err(format!("`{value}` is no value of {name}; expected a number from {least} to {most}"))
        }
        _ => Err(format!("`{value}` is no value of {name}; expected a number of at least {least}")),
    }
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let models: Vec<&ModelName> = args.model.iter().chain(&args.compare).collect();
    let read = args.data.iter().map(PathBuf::as_path).chain(common.files());
    let read = read.chain(models.iter().filter_map(|model| model.file()));
    let written = [("--json", &args.json), ("--predictions", &args.predictions)];
    paths::check(read, written.iter().filter_map(|(flag, path)| Some((*flag, path.as_deref()?))))?;
    if args.behaviour {
        anyhow::ensure!(models.len() == 1, "--behaviour tries one model");
        return try_behaviour(&models[0].load(common)?, args);
    }
    let (pairs, failed) = read_pairs(&args.data, args, common)?;
    if args.faithfulness {
        anyhow::ensure!(models.len() == 1, "--faithfulness tries one model");
        try_faithfulness(&models[0].load(common)?, &pairs, args)?;
        return Ok(Outcome::failed_if(failed));
    }
    let sure = args.min_prob.map(Sure::MinProb).or(args.coverage.map(Sure::Coverage));
    let params = EvaluateParams {
        by: args.by.clone(),
        seed: args.seed,
        sure,
        level: args.conformal,
        ..EvaluateParams::default()
    };
    check_columns(&args.by, &pairs)?;
    say_repeated(&pairs, common)?;
    let (scored, model, pipeline) = score(models[0], &pairs, args, common)?;
    let mut record = report::summarise(&scored, &params, model)?;
    match &pipeline {
        Some(pipeline) => examine::examine(&mut record, &scored, pipeline, &params)?,
        None => {
            let sure = scored.iter().all(|row| row.probabilities.is_some());
            anyhow::ensure!(args.coverage.is_none(), "--coverage asks a model; for predictions give --min-prob");
            anyhow::ensure!(sure || args.min_prob.is_none(), "--min-prob: the predictions have no probabilities");
        }
    }
    for other in &models[1..] {
        let (beside, model, pipeline) = score(other, &pairs, args, common)?;
        let mut comparison = report::compare(&scored, &beside, &params, model)?;
        comparison.leaks = pipeline.map(|pipeline| examine::leaks(&beside, &pipeline)).transpose()?.flatten();
        record.comparisons.push(comparison);
    }
    report::correct(&mut record.comparisons)?;
    say_gaps(&record, common);
    let metrics = serde_json::to_value(&record)?;
    let mut missed = false;
    for Bar { metric, value: bar } in args.min.iter().chain(&args.max) {
        match metrics[metric.name].as_f64() {
            Some(value) if metric.direction.reaches(value, *bar) => continue,
            Some(value) => say(format_args!("{} is {value:.4}, {} {bar}", metric.name, metric.direction.missed())),
            None => say(format_args!("{} is not known: the predictions have no probabilities", metric.name)),
        }
        missed = true;
    }
    if let Some(path) = &args.json {
        write_json(Some(path), &record)?;
    }
    if let Some(path) = &args.predictions {
        let mut sink = Sink::open(Some(path))?;
        write_predictions(&mut sink, &scored)?;
        sink.finish()?;
    }
    match args.format {
        Format::Json => write_json(None, &record)?,
        Format::Table => {
            let mut out = Sink::open(None)?;
            print(&mut out, &record)?;
            out.finish()?;
        }
    }
    Ok(Outcome::failed_if(failed || missed))
}

/// How many rows repeat others: each counts.
fn say_repeated(pairs: &[LabelledPair], common: &Common) -> Result<()> {
    let gazetteer = common.load_gazetteer()?;
    let different = pairs.iter().map(|pair| pair.identity(&gazetteer)).collect::<HashSet<_>>().len();
    if different < pairs.len() {
        common.note(format_args!(
            "warning: {} rows repeat another (the same text, state and actor), and count each time; leave them out, or let `detente data check` name them",
            pairs.len() - different
        ));
    }
    Ok(())
}

/// What the rows cannot show, and what to do about it.
fn say_gaps(record: &Evaluation, common: &Common) {
    for (class, _) in record.per_class.iter().filter(|(_, scores)| scores.support == 0) {
        common.note(format_args!(
            "warning: no row is {class}: macro-F1 leaves it out, or counts it as 0 where an answer says so; add rows that are, or go by the scores of the other classes"
        ));
    }
    if record.ci95.is_empty() {
        common.note(format_args!(
            "warning: all rows are of one group or text, so there is no interval; add rows of others, or a column `group` that tells stories apart"
        ));
    }
}

/// What a model, or a file of predictions, says of the pairs.
fn score<'d>(
    model: &ModelName,
    pairs: &'d [LabelledPair],
    args: &Args,
    common: &Common,
) -> Result<(Vec<Scored<'d>>, ModelRecord, Option<Pipeline>)> {
    let name = model.to_string();
    if let Some(path) = model.file().filter(|path| source::Format::of(path).is_some_and(source::Format::is_rows)) {
        let gazetteer = common.load_gazetteer()?;
        let read = predictions::read(&Source::file(path), pairs, &args.labels.label_map, &gazetteer, &common.warn())?;
        let sha256 = detente::input_file::sha256(path)?;
        return Ok((read, ModelRecord { name, sha256, version: String::new() }, None));
    }
    let pipeline = model.load(common)?;
    Ok((report::score(&pipeline, pairs)?, ModelRecord::of(&pipeline, &name), Some(pipeline)))
}

/// Tries the model on the cases that come with the program.
fn try_behaviour(pipeline: &detente::Pipeline, args: &Args) -> Result<Outcome> {
    let record = behaviour::behaviour(pipeline)?;
    if let Some(path) = &args.json {
        write_json(Some(path), &record)?;
    }
    match args.format {
        Format::Json => write_json(None, &record)?,
        Format::Table => {
            let mut rows = table(&["KIND", "CASES", "RIGHT", "RATE", "95 % INTERVAL", "CONTRASTS", "ALL RIGHT"]);
            for (kind, r) in record.kinds.iter().chain([(&"all".to_owned(), &record.all)]) {
                let [low, high] = r.ci95;
                rows.add_row(vec![
                    kind.clone(),
                    r.n.to_string(),
                    r.right.to_string(),
                    format!("{:.2}", r.rate),
                    format!("{low:.2} to {high:.2}"),
                    r.groups.to_string(),
                    r.groups_right.to_string(),
                ]);
            }
            let mut out = Sink::open(None)?;
            writeln!(out, "{}", rows.trim_fmt())?;
            out.finish()?;
        }
    }
    Ok(Outcome::Done)
}

/// Takes words out of the rows' texts.
fn try_faithfulness(pipeline: &Pipeline, pairs: &[LabelledPair], args: &Args) -> Result<()> {
    const MOST: usize = 300;
    let record = faithfulness::faithfulness(pipeline, pairs, MOST, args.seed)?;
    if let Some(path) = &args.json {
        write_json(Some(path), &record)?;
    }
    if let Format::Json = args.format {
        return write_json(None, &record);
    }
    let mut rows = table(&["WITHOUT", "PROBABILITY FALLS", "BY, IN THE MEAN", "STANCE TURNS"]);
    for (name, deletion) in [("the strongest word", record.strongest), ("another word", record.random)] {
        let Deletion { falls, mean_fall, turns } = deletion;
        let shares = [format!("{:.1} %", 100.0 * falls), format!("{mean_fall:.3}"), format!("{:.1} %", 100.0 * turns)];
        rows.add_row([name.to_owned()].into_iter().chain(shares));
    }
    let mut out = Sink::open(None)?;
    writeln!(out, "{} pairs\n\n{}", record.pairs, rows.trim_fmt())?;
    out.finish()
}

/// Refuses a column that no row has.
fn check_columns(columns: &[String], pairs: &[LabelledPair]) -> Result<()> {
    for column in columns {
        let dated = column == "year" && pairs.iter().any(|pair| pair.article.month().is_some());
        if !pairs.is_empty() && !dated && pairs.iter().all(|pair| pair.column(column).is_none()) {
            let mut known: BTreeSet<&str> = ["state", "actor", "label"].into();
            known.extend(pairs.iter().flat_map(|pair| pair.columns.keys().map(String::as_str)));
            known.extend(
                ["group", "title", "date", "url", "source", "language"]
                    .into_iter()
                    .filter(|name| pairs.iter().any(|pair| pair.column(name).is_some())),
            );
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            anyhow::bail!("--by {column}: no such column; there are {known}");
        }
    }
    Ok(())
}

/// Reads labelled files; a bad row is reported and the rest are used.
fn read_pairs(paths: &[PathBuf], args: &Args, common: &Common) -> Result<(Vec<LabelledPair>, bool)> {
    let (mut pairs, mut complaints) = (Vec::new(), Complaints::default());
    for path in paths {
        let rows = match common.labelled(path, &args.labels) {
            Ok(rows) => rows,
            Err(error) => {
                complaints.add(&error);
                continue;
            }
        };
        for pair in rows {
            match pair {
                Ok(pair) => pairs.push(pair),
                Err(error) => complaints.add(&error),
            }
        }
    }
    let failed = complaints.finish();
    anyhow::ensure!(!pairs.is_empty(), "nothing to score: no labelled row could be read");
    Ok((pairs, failed))
}

fn write_predictions(out: impl Write, scored: &[Scored<'_>]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(predictions::COLUMNS)?;
    for s in scored {
        writer.write_record(predictions::row(s.pair, s.label, s.stance, s.probabilities))?;
    }
    writer.flush()?;
    Ok(())
}

/// What the model says of its own sureness, and whether it has seen the rows.
fn print_sureness(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    if let Some(a) = &record.answered {
        let right = a.accuracy.map_or_else(String::new, |right| format!(", {right:.3} of them right"));
        writeln!(
            out,
            "\nfrom a probability of {:.3} up, {:.1} % of the rows are answered{right}",
            a.min_prob,
            100.0 * a.coverage
        )?;
    }
    if let Some(c) = &record.conformal {
        let by_class: Vec<String> = c.by_class.iter().map(|(class, share)| format!("{class} {share:.3}")).collect();
        writeln!(
            out,
            "\nsets of stances that should hold the truth for {:.1} % hold it for {:.1} % ({}); {:.1} % are one stance, their \
             mean size is {:.2}",
            100.0 * c.level,
            100.0 * c.coverage,
            by_class.join(", "),
            100.0 * c.single,
            c.mean_size
        )?;
    }
    if let Some(leaks) = record.leaks.as_ref().filter(|leaks| leaks.rows > 0) {
        let without =
            leaks.macro_f1_without.map_or_else(String::new, |f1| format!("; without them macro-F1 is {f1:.3}"));
        writeln!(out, "\nwarning: the model has learnt from the sentences of {} of these rows{without}", leaks.rows)?;
    }
    Ok(())
}

/// The other models beside the first.
fn print_comparisons(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    if record.comparisons.is_empty() {
        return Ok(());
    }
    let header = [
        "MODEL",
        "MACRO F1",
        "DIFFERENCE",
        "95 % INTERVAL",
        "P",
        "P HOLM",
        "ONLY FIRST",
        "ONLY THIS",
        "MCNEMAR P",
        "EFFECT G",
    ];
    let mut rows = table(&header);
    rows.add_row(vec![detente::visible(&record.model.name).into_owned(), format!("{:.3}", record.macro_f1)]);
    for c in &record.comparisons {
        let [low, high] = c.ci95;
        let McNemar { only_first, only_second, p_value, effect } = c.mcnemar;
        rows.add_row(vec![
            detente::visible(&c.model.name).into_owned(),
            format!("{:.3}", c.macro_f1),
            format!("{:+.3}", -c.difference),
            format!("{:+.3} to {:+.3}", -high, -low),
            format!("{:.4}", c.p_value),
            format!("{:.4}", c.p_holm),
            only_second.to_string(),
            only_first.to_string(),
            format!("{p_value:.4}"),
            format!("{:+.2}", -effect),
        ]);
    }
    writeln!(out, "\n{}", rows.trim_fmt())?;
    for c in &record.comparisons {
        writeln!(out, "{}", detente::visible(&c.sentence(&record.model.name)))?;
        let leaked = |leaks: &Option<LeakRecord>| leaks.as_ref().map_or(0, |leaks| leaks.rows);
        for (name, rows) in [(&record.model.name, leaked(&record.leaks)), (&c.model.name, leaked(&c.leaks))] {
            if rows > 0 {
                let name = detente::visible(name);
                writeln!(
                    out,
                    "  but {name} has learnt from the sentences of {rows} of these rows, and is not to be judged by them"
                )?;
            }
        }
    }
    writeln!(
        out,
        "P by approximate randomisation over groups, corrected by Holm's method; ONLY: rows that the one has right and the \
         other not"
    )?;
    Ok(())
}

fn print(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    let mut headline = table(&["METRIC", "VALUE", "95 % INTERVAL"]);
    let values = serde_json::to_value(record)?;
    for Metric { name: metric, .. } in METRICS {
        let interval = record.ci95.get(*metric).map_or(String::new(), |[lo, hi]| format!("{lo:.3} to {hi:.3}"));
        let Some(value) = values[*metric].as_f64() else { continue };
        headline.add_row(vec![(*metric).into(), format!("{value:.3}"), interval]);
    }
    writeln!(out, "{} rows, {} of them without both names in the text", record.n, record.missing)?;
    if let Some(right) = record.contrasts_right {
        writeln!(
            out,
            "{} contrasts (one group, state and actor, other labels), {right:.3} all right",
            record.contrasts
        )?;
    }
    writeln!(out)?;
    writeln!(out, "{}\n", headline.trim_fmt())?;
    let mut classes =
        table(&["CLASS", "PRECISION", "RECALL", "F1", "AUC", "AVG PREC", "SUPPORT", "→ aligned", "neutral", "opposed"]);
    for stance in Stance::ALL {
        let class = &record.per_class[&stance];
        let confusion = record.confusion[stance.index()];
        let mut row = vec![stance.to_string()];
        row.extend([class.precision, class.recall, class.f1].map(|v| format!("{v:.3}")));
        let known = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
        row.extend([known(class.roc_auc), known(class.average_precision)]);
        row.push(class.support.to_string());
        row.extend(confusion.map(|n| n.to_string()));
        classes.add_row(row);
    }
    writeln!(out, "{}", classes.trim_fmt())?;
    if !record.selective.is_empty() {
        let mut rows = table(&["ANSWERED", "FROM PROB", "RIGHT", "MACRO F1"]);
        for r in &record.selective {
            let share = format!("{:.0} %", 100.0 * r.coverage);
            rows.add_row(vec![
                share,
                format!("{:.2}", r.min_prob),
                format!("{:.3}", r.accuracy),
                format!("{:.3}", r.macro_f1),
            ]);
        }
        writeln!(out, "\n{}", rows.trim_fmt())?;
    }
    print_sureness(out, record)?;
    print_comparisons(out, record)?;
    for (column, values) in &record.by {
        let title = column.to_uppercase();
        let header = [detente::visible(&title), "N".into(), "MACRO F1".into(), "95 % INTERVAL".into(), "RIGHT".into()];
        let mut rows = table(&header);
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort_by(|a, b| b.1.n.cmp(&a.1.n).then(a.0.cmp(b.0)));
        rows.add_rows(sorted.iter().map(|(v, g)| {
            let small = if g.small { "~" } else { "" };
            vec![
                detente::shortened(v).into_owned(),
                g.n.to_string(),
                format!("{small}{:.3}", g.macro_f1),
                g.ci95.map_or(String::new(), |[low, high]| format!("{low:.3} to {high:.3}")),
                format!("{:.3}", g.accuracy),
            ]
        }));
        writeln!(out, "\n{}", rows.trim_fmt())?;
        if values.values().any(|g| g.small) {
            writeln!(out, "~ fewer than {} rows: says little", report::SMALL)?;
        }
    }
    Ok(())
}
