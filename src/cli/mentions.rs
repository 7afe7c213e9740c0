//! `detente mentions`: which names a text has, and whose they are.

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use detente::characters::Characters;
use detente::{Article, Part, source};

use super::inputs::{ArticleArgs, ReadArgs};
use super::output::{shorten, stdout, table, width};
use super::{Common, Outcome};

/// List the names of states and bodies in a text: where, whose, and by what kind of name
///
/// Examples:
///   detente mentions article.txt
///   detente mentions --text "The Kremlin thanked Minsk." --format jsonl
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    articles: ArticleArgs,
    #[command(flatten)]
    read: ReadArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Jsonl,
}

/// A name in a text; offsets count characters of the part.
#[derive(Debug, Serialize)]
struct MentionRow<'a> {
    id: &'a str,
    part: Part,
    start: usize,
    end: usize,
    text: &'a str,
    code: &'a str,
    name: &'a str,
    how: String,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let gazetteer = common.load_gazetteer()?;
    let mut out = stdout()?;
    let mut failed = false;
    let mut rows = table(&["PART", "START", "NAME", "CODE", "WHOSE", "HOW", "AROUND"]);
    let mut writer = (args.format == Format::Csv)
        .then(|| csv::WriterBuilder::new().has_headers(false).from_writer(std::io::stdout()));
    if let Some(writer) = &mut writer {
        writer.write_record(["id", "part", "start", "end", "text", "code", "name", "how"])?;
    }
    let mut show = |article: &Article| -> Result<()> {
        // The text first: it introduces the persons that the title only names.
        let mut scan = gazetteer.scan(article.month());
        let text = scan.mentions(&article.text);
        let title = scan.mentions(article.part(Part::Title));
        for (part, mentions) in [(Part::Title, title), (Part::Text, text)] {
            let whole = article.part(part);
            let characters = Characters::new(whole);
            for mention in mentions {
                let entry = gazetteer.get(mention.entry);
                let [start, end] = characters.of_span(&(mention.start..mention.end));
                let row = MentionRow {
                    id: &article.id,
                    part,
                    start,
                    end,
                    text: &whole[mention.start..mention.end],
                    code: &entry.code,
                    name: &entry.name,
                    how: mention.how.to_string(),
                };
                match args.format {
                    Format::Jsonl => {
                        serde_json::to_writer(&mut out, &row)?;
                        writeln!(out)?;
                    }
                    Format::Csv => {
                        if let Some(writer) = &mut writer {
                            writer.serialize(&row)?;
                        }
                    }
                    Format::Table => {
                        let around = whole.floor_char_boundary(mention.start.saturating_sub(30))
                            ..whole.ceil_char_boundary((mention.end + 30).min(whole.len()));
                        let part = if part == Part::Title { "title" } else { "text" };
                        rows.add_row(vec![
                            part.to_owned(),
                            start.to_string(),
                            shorten(row.text, 40),
                            row.code.to_owned(),
                            shorten(row.name, 30),
                            row.how.clone(),
                            shorten(&whole[around], width().saturating_sub(90).max(30)),
                        ]);
                    }
                }
            }
        }
        Ok(())
    };
    let (inputs, complaints) = args.articles.inputs(&args.read, &[], common);
    failed |= complaints.finish();
    let mut complaints = super::complaints::Complaints::default();
    for article in args.articles.given().into_iter().map(Ok).chain(source::read_all(inputs, &common.warn())) {
        match article {
            Ok(article) => show(&article)?,
            Err(error) => complaints.add(&error),
        }
    }
    failed |= complaints.finish();
    if args.format == Format::Table {
        writeln!(out, "{}", rows.trim_fmt())?;
    }
    if let Some(mut writer) = writer {
        writer.flush()?;
    }
    Ok(Outcome::failed_if(failed))
}
