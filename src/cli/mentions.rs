//! `detente mentions`: which names a text has, and whose they are.

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use detente::characters::Characters;
use detente::{Article, Error, Part, source};

use super::complaints::Complaints;
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

/// A name in a text, for the table.
struct TableRow {
    id: String,
    part: &'static str,
    start: usize,
    text: String,
    code: String,
    name: String,
    how: String,
    around: String,
}

/// The table, as wide as the terminal; of several articles each is named.
fn print(out: &mut impl Write, rows: &[TableRow]) -> Result<()> {
    let several = rows.iter().any(|row| row.id != rows[0].id);
    let columns = if several { 8 } else { 7 };
    let share = width() / columns;
    let cells = |row: &TableRow| {
        let id = several.then(|| shorten(&row.id, share.max(12)));
        let rest = [
            row.part.to_owned(),
            row.start.to_string(),
            shorten(&row.text, (2 * share).max(10)),
            shorten(&row.code, share.max(6)),
            shorten(&row.name, (3 * share / 2).max(8)),
            shorten(&row.how, share.max(8)),
        ];
        id.into_iter().chain(rest).collect::<Vec<String>>()
    };
    let mut shown: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let header = ["ID", "PART", "START", "NAME", "CODE", "WHOSE", "HOW", "AROUND"];
    let mut header: Vec<&str> = header[header.len() - columns..].to_vec();
    let widest = |at: usize| shown.iter().map(|row| row[at].width()).max().unwrap_or(0).max(header[at].len()) + 2;
    let taken: usize = (0..columns - 1).map(widest).sum();
    // A few letters say nothing.
    const LEAST: usize = 12;
    let room = width().saturating_sub(taken);
    if room < LEAST {
        header.pop();
    } else {
        for (cells, row) in shown.iter_mut().zip(rows) {
            cells.push(shorten(&row.around, room));
        }
    }
    let mut printed = table(&header);
    for cells in shown {
        printed.add_row(cells);
    }
    writeln!(out, "{}", printed.trim_fmt())?;
    Ok(())
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let gazetteer = common.load_gazetteer()?;
    let mut out = stdout()?;
    let mut rows: Vec<TableRow> = Vec::new();
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
                        rows.push(TableRow {
                            id: row.id.to_owned(),
                            part: if part == Part::Title { "title" } else { "text" },
                            start,
                            text: row.text.to_owned(),
                            code: row.code.to_owned(),
                            name: row.name.to_owned(),
                            how: row.how.clone(),
                            around: whole[around].to_owned(),
                        });
                    }
                }
            }
        }
        Ok(())
    };
    let (inputs, mut complaints) = args.articles.inputs(&args.read, &[], common);
    let mut failed = complaints.finish();
    let mut complaints = Complaints::default();
    let mut any = false;
    for article in args.articles.given().into_iter().map(Ok).chain(source::read_all(inputs, &common.warn())) {
        any |= !matches!(article, Err(Error::Io { .. }));
        match article {
            Ok(article) => show(&article)?,
            Err(error) => complaints.add(&error),
        }
    }
    failed |= complaints.finish();
    anyhow::ensure!(any, "nothing could be read");
    if args.format == Format::Table {
        print(&mut out, &rows)?;
    }
    if let Some(mut writer) = writer {
        writer.flush()?;
    }
    Ok(Outcome::failed_if(failed))
}
