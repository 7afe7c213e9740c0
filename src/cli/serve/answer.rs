//! From articles to answers: what the commands `predict`, `explain` and `trend` answer, in memory.

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use detente::pipeline::explain;
use detente::pipeline::explanation::ExplanationRecord;
use detente::source::Source;
use detente::trend::{Trend, TrendParams, trend};
use detente::{Article, Pipeline, Query, Record};

use super::super::batches;
use super::super::complaints::Complaints;
use super::super::trend as command;
use super::App;
use super::admission::Wanted;
use super::problem::Problem;
use super::question::Question;

/// The most bytes of an answer.
const LARGEST: usize = 256 << 20;
/// Articles that are answered before the next are looked at, and those that one thread answers at once.
const TOGETHER: usize = 64;
const EACH: usize = 8;

/// An answer, and what was wrong with some of the articles.
#[derive(Debug)]
pub struct Answer<T> {
    pub answer: T,
    pub problems: Vec<String>,
}

/// The articles of a request: files, and a text.
#[derive(Debug, Default)]
pub struct Articles {
    pub sources: Vec<Source>,
    pub text: Option<Article>,
    /// What is wrong with files that are none of these.
    pub problems: Vec<String>,
}

impl From<Source> for Articles {
    fn from(source: Source) -> Self {
        Self { sources: vec![source], ..Self::default() }
    }
}

/// Hands each article with its records to `with`.
pub fn predict(
    app: &App,
    articles: Articles,
    question: &Question,
    wanted: &Wanted,
    mut with: impl FnMut(&Article, Vec<Record>) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    let query = question.query(app.pipeline.gazetteer())?;
    answered(app, &app.pipeline, articles, &query, question, wanted, &mut with)
}

fn answered(
    app: &App,
    pipeline: &Pipeline,
    articles: Articles,
    query: &Query,
    question: &Question,
    wanted: &Wanted,
    with: &mut impl FnMut(&Article, Vec<Record>) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    read(app, articles, question, wanted, |some| {
        let of = |some: &[Article]| -> Vec<Vec<Record>> {
            let answered = some.iter().zip(pipeline.predict_batch(some, query));
            answered.map(|(article, predictions)| Record::all(article, &predictions).collect()).collect()
        };
        let found: Vec<Vec<Vec<Record>>> = some.par_chunks(EACH).map(of).collect();
        some.iter().zip(found.into_iter().flatten()).try_for_each(|(article, records)| with(article, records))
    })
}

/// Hands the articles of a request to `with`, some at a time; gives what was wrong with others.
fn read(
    app: &App,
    articles: Articles,
    question: &Question,
    wanted: &Wanted,
    mut with: impl FnMut(&[Article]) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    let warnings: Arc<Mutex<Vec<String>>> = Arc::default();
    let warned = Arc::clone(&warnings);
    let warn: detente::source::Warn = Arc::new(move |warning| {
        warned.lock().unwrap_or_else(PoisonError::into_inner).push(warning.to_string());
    });
    let options = app.fields.options(&[]);
    let sources = articles.sources.into_iter().map(|source| source.with_options(&options)).collect();
    let which = batches::Wanted { any_language: question.any_language };
    let (batches, reader) = batches::read(articles.text, sources, Complaints::kept(), warn, which);
    let mut read = 0;
    for batch in batches {
        for some in batch.chunks(TOGETHER) {
            wanted.check()?;
            read += some.len();
            with(some)?;
        }
    }
    let done = reader.join().map_err(|_| Problem::failed())?;
    let is_foreign = done.leaves_out_languages();
    let mut problems = articles.problems;
    problems.extend(done.into_complaints());
    problems.append(&mut warnings.lock().unwrap_or_else(PoisonError::into_inner));
    if read == 0 && !problems.is_empty() {
        let detail = "no article could be read";
        let problem = if is_foreign { Problem::unprocessable(detail) } else { Problem::bad_request(detail) };
        return Err(Problem { problems, ..problem });
    }
    Ok(problems)
}

/// The lines that `predict --format jsonl` writes.
pub fn predict_jsonl(
    app: &App,
    articles: Articles,
    question: &Question,
    wanted: &Wanted,
) -> Result<Answer<Vec<u8>>, Problem> {
    let mut lines = Lines::default();
    let problems =
        predict(app, articles, question, wanted, |_, records| records.iter().try_for_each(|record| lines.add(record)))?;
    Ok(Answer { answer: lines.0, problems })
}

/// The rows that `predict --format csv` writes.
pub fn predict_csv(
    app: &App,
    articles: Articles,
    question: &Question,
    wanted: &Wanted,
) -> Result<Answer<Vec<u8>>, Problem> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(Record::COLUMNS).map_err(|_| Problem::failed())?;
    let problems = predict(app, articles, question, wanted, |_, records| {
        for record in records {
            let row = record.row().map_err(|_| Problem::failed())?;
            rows.write_record(row).map_err(|_| Problem::failed())?;
        }
        fits(rows.get_ref().len())
    })?;
    Ok(Answer { answer: rows.into_inner().map_err(|_| Problem::failed())?, problems })
}

/// The lines that `explain --format json` writes: one for each article that connects the two.
pub fn explain_jsonl(
    app: &App,
    articles: Articles,
    question: &Question,
    wanted: &Wanted,
) -> Result<Answer<Vec<u8>>, Problem> {
    let gazetteer = app.pipeline.gazetteer();
    let (state, actor) = question.pair(gazetteer)?;
    let asked = |article: &&Article| question.id.as_ref().is_none_or(|id| *id == article.id);
    let mut lines = Lines::default();
    // Whoever names a pair wants it explained, in whatever language.
    let question = Question { any_language: true, ..question.clone() };
    let problems = read(app, articles, &question, wanted, |some| {
        for article in some.iter().filter(asked) {
            wanted.check()?;
            if let Some(found) = explain::explain(&app.pipeline, article, state, actor) {
                lines.add(&ExplanationRecord::new(article, gazetteer.get(state), gazetteer.get(actor), &found))?;
            }
        }
        Ok(())
    })?;
    Ok(Answer { answer: lines.0, problems })
}

/// Stance over time, and what a page must know beside it.
pub struct TrendAnswer {
    pub trend: Trend,
    pub corrected: bool,
}

/// What `trend` answers; the sources are articles, or records that `predict` wrote. `reports` are kept of each period.
pub fn trend_of(
    app: &App,
    mut articles: Articles,
    question: &Question,
    wanted: &Wanted,
    reports: usize,
) -> Result<Answer<TrendAnswer>, Problem> {
    let pipeline = app.trend.as_ref().unwrap_or(&app.pipeline);
    let gazetteer = pipeline.gazetteer();
    let query = Query { evidence_limit: Some(1), ..question.query(gazetteer)? };
    let mut records: Vec<Record> = Vec::new();
    let recorded = articles.sources.extract_if(.., |source| command::records::are(bytes_of(source)));
    for source in recorded {
        let wanted = command::records::asked(&query, gazetteer);
        let read = command::records::parse(Cursor::new(bytes_of(&source)), &source.input.name(), |record| {
            records.extend(Some(record).filter(&wanted));
        });
        read.map_err(|error| Problem::unprocessable(format!("{error:#}")))?;
    }
    if let Some(source) = articles.sources.iter().find(|source| command::records::look_like(bytes_of(source))) {
        let name = source.input.name();
        let detail = format!("{}: these are answers, no articles; answers are read as JSONL", detente::visible(&name));
        return Err(Problem::unprocessable(detail));
    }
    let mut prevalence = None;
    let mut problems = Vec::new();
    if !articles.sources.is_empty() || articles.text.is_some() {
        let mut add = |_: &Article, found: Vec<Record>| {
            records.extend(found);
            Ok(())
        };
        problems = answered(app, pipeline, articles, &query, question, wanted, &mut add)?;
        prevalence = command::calibrated(pipeline).filter(|_| !question.no_correction);
    }
    let corrected = prevalence.is_some();
    let params = TrendParams::new(question.by).dedup(!question.no_dedup).prevalence(prevalence).seed(question.seed);
    let trend = trend(&records, &params.reports(reports))?;
    let left_out = command::LeftOut { undated: &trend.undated, repeated: trend.repeated, by: question.by };
    let said = left_out.said(&records, &question.actors, &question.states);
    let said = said.map_err(|error| Problem::unprocessable(format!("{error:#}")))?;
    problems.extend(said.into_iter().map(|(sentence, _)| sentence));
    Ok(Answer { answer: TrendAnswer { trend, corrected }, problems })
}

/// What `trend --format json` writes.
pub fn trend_json(
    app: &App,
    articles: Articles,
    question: &Question,
    wanted: &Wanted,
) -> Result<Answer<Vec<u8>>, Problem> {
    let Answer { answer, problems } = trend_of(app, articles, question, wanted, 0)?;
    let mut json = serde_json::to_vec_pretty(&answer.trend).map_err(|_| Problem::failed())?;
    json.push(b'\n');
    Ok(Answer { answer: json, problems })
}

fn bytes_of(source: &Source) -> &[u8] {
    match &source.input {
        detente::source::Input::Bytes(_, bytes) => bytes,
        _ => &[],
    }
}

/// JSON, an object a line.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, object: &impl serde::Serialize) -> Result<(), Problem> {
        let written: io::Result<()> = serde_json::to_writer(&mut self.0, object).map_err(io::Error::from);
        written.and_then(|()| self.0.write_all(b"\n")).map_err(|_| Problem::failed())?;
        fits(self.0.len())
    }
}

fn fits(bytes: usize) -> Result<(), Problem> {
    if bytes <= LARGEST { Ok(()) } else { Err(Problem::too_large(LARGEST)) }
}
