//! `detente explain`: the words that made a stance.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use detente::document::Strength;
use detente::pipeline::explain::{self, Explanation, Method};
use detente::source;
use detente::{Article, Part, Stance};

use super::inputs::ReadArgs;
use super::models::ModelArgs;
use super::output::{paint, shorten, stdout, table, width};
use super::{Common, Outcome};

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
    /// The article
    path: PathBuf,
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
    /// Features to show for each sentence
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let pipeline = args.model.load(common)?;
    let state = detente::pipeline::find(pipeline.gazetteer(), &args.state)?;
    let actor = detente::pipeline::find(pipeline.gazetteer(), &args.actor)?;
    let warn = common.warn();
    let mut out = stdout()?;
    let (inputs, complaints) = args.read.inputs(std::slice::from_ref(&args.path), &[], common);
    let failed = complaints.finish();
    for input in inputs {
        for article in source::read(&input, &warn)? {
            let article = article?;
            let Some(explanation) = explain::explain(&pipeline, &article, state, actor) else {
                writeln!(out, "{}: names no evidence for this pair", detente::visible(&article.id))?;
                continue;
            };
            match args.format {
                Format::Json => {
                    serde_json::to_writer(&mut out, &explanation)?;
                    writeln!(out)?;
                }
                Format::Table => print(&mut out, &article, &explanation, args)?,
            }
        }
    }
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
    writeln!(out, "score of {stance}: {:+.3} = base {:+.3} + evidence", explanation.logits[k], explanation.base[k])?;
    for evidence in &explanation.evidence {
        let text = &article.part(evidence.part)[evidence.span.clone()];
        writeln!(out, "\n{:+.3}  {}", evidence.contribution[k], shorten(text, width().saturating_sub(8)))?;
        if evidence.strength == Strength::Title {
            let title = article.part(Part::Title);
            writeln!(out, "        under the title {}", shorten(title, width().saturating_sub(24)))?;
        }
        if let Some(without) = evidence.without {
            writeln!(out, "        without this sentence {stance} would have {:.3}", without[k])?;
        }
        let exact = evidence.method == Method::Exact;
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
