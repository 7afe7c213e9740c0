//! `detente explain`: the words that made a stance.

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;

use detente::pipeline::explain::{self, Explanation, Method};
use detente::pipeline::explanation::{ExplanationRecord, by_word};
use detente::source;
use detente::{Article, Error, Part, Stance};

use super::complaints::Complaints;
use super::inputs::{ArticleArgs, ReadArgs};
use super::models::ModelArgs;
use super::output::{paint, shorten, stdout, table, width};
use super::{Common, Outcome, say};

/// Show the sentences and words behind a stance, with what each adds to the score
///
/// What each sentence adds is exact: with the base it adds up to the score (the logit) of the class. Of the fast model so is
/// what each feature adds; of the accurate one, words act together, so each is left out in turn, and what the score loses is
/// shown.
///
/// Example:
///   detente explain article.txt --state Myanmar --actor Russia
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    articles: ArticleArgs,
    /// Whose stance
    #[arg(long, value_name = "NAME")]
    state: String,
    /// Toward whom
    #[arg(long, value_name = "NAME")]
    actor: String,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Show what speaks against another stance, and what speaks for it
    #[arg(long, value_name = "STANCE", value_parser = parse_stance)]
    why_not: Option<Stance>,
    /// Features to show for each sentence
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

fn parse_stance(text: &str) -> Result<Stance, String> {
    text.parse().map_err(|_| "expected aligned, neutral or opposed".into())
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let pipeline = args.model.load(common)?;
    let gazetteer = pipeline.gazetteer();
    let state = common.find(gazetteer, std::slice::from_ref(&args.state))?[0];
    let actor = common.find(gazetteer, std::slice::from_ref(&args.actor))?[0];
    let mut out = stdout()?;
    let (inputs, mut complaints) = args.articles.inputs(&args.read, &[], common);
    let mut failed = complaints.finish();
    let mut complaints = Complaints::default();
    let mut any = false;
    for article in args.articles.given().into_iter().map(Ok).chain(source::read_all(inputs, &common.warn())) {
        any |= !matches!(article, Err(Error::Io { .. }));
        let article = match article {
            Ok(article) => article,
            Err(error) => {
                complaints.add(&error);
                continue;
            }
        };
        let Some(explanation) = explain::explain(&pipeline, &article, state, actor) else {
            say(format_args!("{}: no evidence for this pair", article.id));
            continue;
        };
        match args.format {
            Format::Json => {
                let record = ExplanationRecord::new(&article, gazetteer.get(state), gazetteer.get(actor), &explanation);
                serde_json::to_writer(&mut out, &record)?;
                writeln!(out)?;
            }
            Format::Table => print(&mut out, &article, &explanation, args)?,
        }
    }
    failed |= complaints.finish();
    anyhow::ensure!(any, "nothing could be read");
    Ok(Outcome::failed_if(failed))
}

fn print(out: &mut impl Write, article: &Article, explanation: &Explanation, args: &Args) -> Result<()> {
    let stance = explanation.stance;
    let [a, n, o] = explanation.probabilities;
    writeln!(
        out,
        "{} toward {}: {} (aligned {a:.3}, neutral {n:.3}, opposed {o:.3})",
        detente::visible(&args.state),
        detente::visible(&args.actor),
        paint(stance)
    )?;
    if let Some(advantage) = explanation.by_advantage {
        let likeliest = Stance::argmax(&explanation.probabilities);
        writeln!(
            out,
            "{likeliest} is more probable; {stance} was decided on by its advantage of {advantage:.1} in the score, which \
             training chose for macro-F1"
        )?;
    }
    let k = stance.index();
    if let Some(other) = args.why_not {
        return print_why_not(out, article, explanation, other, args.top);
    }
    writeln!(out, "score of {stance}: {:+.3} = base {:+.3} + evidence", explanation.logits[k], explanation.base[k])?;
    for evidence in &explanation.evidence {
        for (at, (part, span)) in evidence.sentences.iter().enumerate() {
            let lead = if at == 0 { format!("\n{:+.3}  ", evidence.contribution[k]) } else { " ".repeat(8) };
            let title = if *part == Part::Title && evidence.sentences.len() > 1 { "under the title: " } else { "" };
            let room = width().saturating_sub(8 + title.len());
            writeln!(out, "{lead}{title}{}", shorten(&article.part(*part)[span.clone()], room))?;
        }
        if let Some(without) = evidence.without {
            writeln!(out, "        without this sentence {stance} would have {:.3}", without[k])?;
        }
        let exact = evidence.method == Method::Exact;
        if exact {
            let lead = |c: &[f64; 3]| c[k] - c.iter().sum::<f64>() / 3.0;
            let mut words = by_word(article, &evidence.features);
            words.sort_by(|a, b| lead(&b.2).total_cmp(&lead(&a.2)));
            let mut rows = table(&["", "ADDS", "WORD"]);
            for (part, span, contribution) in words.iter().take(args.top) {
                let word = shorten(&article.part(*part)[span.clone()], width());
                rows.add_row(vec!["      ".to_string(), format!("{:+.3}", contribution[k]), word]);
            }
            writeln!(out, "{}", rows.trim_fmt())?;
        }
        let mut rows = table(if exact { &["", "ADDS", "FEATURE", "WORDS"] } else { &["", "LOST WITHOUT", "WORD"] });
        for feature in evidence.strongest(stance, args.top) {
            let adds = format!("{:+.3}", feature.contribution[k]);
            let mut row = vec!["      ".to_string(), adds, shorten(&feature.words, width())];
            if exact {
                row.insert(2, detente::visible(&feature.name).into_owned());
            }
            rows.add_row(row);
        }
        writeln!(out, "{}", rows.trim_fmt())?;
    }
    Ok(())
}

/// What keeps a pair from another stance: the difference of the two scores, taken apart.
fn print_why_not(
    out: &mut impl Write,
    article: &Article,
    explanation: &Explanation,
    other: Stance,
    top: usize,
) -> Result<()> {
    let stance = explanation.stance;
    if other == stance {
        writeln!(out, "it is {stance}")?;
        return Ok(());
    }
    let lead = |scores: &[f64; 3]| scores[stance.index()] - scores[other.index()];
    writeln!(
        out,
        "{stance} and not {other}: {:+.3} in the score = {:+.3} before any word + evidence",
        lead(&explanation.logits),
        lead(&explanation.base)
    )?;
    for evidence in &explanation.evidence {
        for (at, (part, span)) in evidence.sentences.iter().enumerate() {
            let first = if at == 0 { format!("\n{:+.3}  ", lead(&evidence.contribution)) } else { " ".repeat(8) };
            writeln!(out, "{first}{}", shorten(&article.part(*part)[span.clone()], width().saturating_sub(8)))?;
        }
        let mut words = by_word(article, &evidence.features);
        words.sort_by(|a, b| lead(&b.2).total_cmp(&lead(&a.2)));
        let mut rows = table(&["", "ADDS", "WORD"]);
        let (against, speaking): (Vec<_>, Vec<_>) = words.iter().partition(|(.., c)| lead(c) > 0.0);
        let mut add = |title: String, words: Vec<&(Part, detente::Span, [f64; 3])>| {
            for (at, (part, span, contribution)) in words.into_iter().take(top).enumerate() {
                let title = if at == 0 { title.clone() } else { String::new() };
                let word = shorten(&article.part(*part)[span.clone()], width());
                rows.add_row(vec![format!("        {title}"), format!("{:+.3}", lead(contribution)), word]);
            }
        };
        add(format!("for {stance}"), against);
        add(format!("for {other}"), speaking.into_iter().rev().collect());
        writeln!(out, "{}", rows.trim_fmt())?;
        if evidence.method != Method::Exact {
            writeln!(out, "        each word left out in turn; words act together, so these do not add up")?;
        }
    }
    if let Some(advantage) = explanation.by_advantage {
        writeln!(out, "and an advantage of {advantage:.1} that training chose for {stance}")?;
    }
    Ok(())
}
