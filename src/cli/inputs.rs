//! What articles are read from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use detente::Article;
use detente::source::{self, FieldNames, Format, ReadOptions, Source};

use super::Common;
use super::complaints::Complaints;

/// How articles are read.
#[derive(Debug, clap::Args)]
pub struct ReadArgs {
    /// What the input is, where its name does not say [default: by extension, else by the first bytes]
    #[arg(long, value_enum, value_name = "FORMAT")]
    input_format: Option<Input>,
}

/// `--input-format`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Input {
    /// Plain text
    Text,
    /// A saved web page
    Html,
    /// A saved web page with all that belongs to it, or a mail
    Mhtml,
    /// CSV with a column `text` or `title`, divided by commas, semicolons, tabs or bars
    Csv,
    /// The same, divided by tabs
    Tsv,
    /// One JSON object a line
    Jsonl,
    /// JSON objects in an array, or one alone
    Json,
    /// Parquet with the columns of CSV
    Parquet,
    /// The first sheet of an Excel workbook
    Xlsx,
    /// RSS or Atom
    Feed,
    /// What the first bytes say, whatever the name
    Auto,
}

impl From<Input> for Format {
    fn from(input: Input) -> Self {
        match input {
            Input::Text => Self::Text,
            Input::Html => Self::Html,
            Input::Mhtml => Self::Mhtml,
            Input::Csv => Self::Csv,
            Input::Tsv => Self::Tsv,
            Input::Jsonl => Self::Jsonl,
            Input::Json => Self::Json,
            Input::Parquet => Self::Parquet,
            Input::Xlsx => Self::Xlsx,
            Input::Feed => Self::Feed,
            Input::Auto => Self::Auto,
        }
    }
}

/// What fields of rows are called.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Fields of rows")]
pub struct FieldArgs {
    /// The field with the text [default: text, content, body, article, … in any case]
    #[arg(long, global = true, value_name = "NAME")]
    text_field: Option<String>,
    /// The field with the title [default: title, headline]
    #[arg(long, global = true, value_name = "NAME")]
    title_field: Option<String>,
    /// The field with the identifier [default: id, guid, uid]
    #[arg(long, global = true, value_name = "NAME")]
    id_field: Option<String>,
    /// The field with the date [default: date, published, pubDate, …]
    #[arg(long, global = true, value_name = "NAME")]
    date_field: Option<String>,
}

impl FieldArgs {
    /// How rows are read, with the fields `keep` carried through.
    pub fn options(&self, keep: &[String]) -> Arc<ReadOptions> {
        let Self { text_field, title_field, id_field, date_field } = self.clone();
        let fields = FieldNames { text: text_field, title: title_field, id: id_field, date: date_field };
        Arc::new(ReadOptions { fields, keep: keep.to_vec(), ..ReadOptions::default() })
    }
}

impl ReadArgs {
    /// The inputs that `paths` name, and what is wrong with those that are none. Says what is passed over in folders.
    pub fn inputs(&self, paths: &[PathBuf], keep: &[String], common: &Common) -> (Vec<Source>, Complaints) {
        let options = common.fields.options(keep);
        let found = source::inputs(paths, self.input_format.map(Format::from));
        let mut inputs = Vec::new();
        let mut complaints = Complaints::default();
        for input in found.sources {
            match input {
                Ok(input) => inputs.push(input.with_options(&options)),
                Err(error) => complaints.add(&error),
            }
        }
        if !found.passed_over.is_empty() {
            let named = |(ending, count): (&String, &usize)| match ending.as_str() {
                "" => format!("{count} without extension"),
                ending => format!("{count} {ending}"),
            };
            let passed: Vec<String> = found.passed_over.iter().map(named).collect();
            let files = if inputs.len() == 1 { "file is" } else { "files are" };
            common.note(format_args!("{} {files} read; passed over: {}", inputs.len(), passed.join(", ")));
        }
        (inputs, complaints)
    }
}

/// Which articles: files, or a text.
#[derive(Debug, clap::Args)]
#[group(required = true)]
pub struct ArticleArgs {
    /// Files, folders, or `-` for standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A text in place of files
    #[arg(long, value_name = "TEXT", conflicts_with = "paths", value_parser = parse_text)]
    text: Option<String>,
}

fn parse_text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("an empty text".into()) } else { Ok(text.to_owned()) }
}

impl ArticleArgs {
    /// The inputs that the paths name.
    pub fn inputs(&self, read: &ReadArgs, keep: &[String], common: &Common) -> (Vec<Source>, Complaints) {
        read.inputs(&self.paths, keep, common)
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(PathBuf::as_path)
    }

    /// The article that `--text` gives.
    pub fn given(&self) -> Option<Article> {
        self.text.as_ref().map(|text| Article::new(text.clone()).with_id("text"))
    }
}
