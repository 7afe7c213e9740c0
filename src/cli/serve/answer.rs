//! From articles to answers: what the commands `predict`, `explain` and `trend` answer, in memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use rayon::prelude::*;

use detente::pipeline::explanation::ExplanationRecord;
use detente::pipeline::{Prediction, explain};
use detente::source::{Source, Warn, Warning, holds_answers};
use detente::trend::{Trend, TrendParams, trend};
use detente::{Article, Pipeline, Query, Record};

use super::super::batches;
use super::super::complaints::Complaints;
use super::super::models::is_fast;
use super::super::trend as command;
use super::App;
use super::admission::{LARGEST_ANSWER, StillAsked};
use super::problem::Problem;
use super::question::Question;

/// Articles that one thread answers at once, and for each thread those that are answered before it is asked whether anybody
/// still waits. Of a model that takes its time, one.
const EACH: usize = 8;
const FOR_EACH_THREAD: usize = 32;
/// The longest text that such a model is asked about, in bytes: it reads that in some two minutes, and cannot be stopped within.
const LONGEST_SLOW: usize = 250_000;
/// Problems that are kept; more are counted.
const PROBLEMS: usize = 1000;
/// What a record and a piece of evidence are in JSON beside their texts, in bytes, about.
const RECORD: usize = 400;
const EVIDENCE: usize = 200;

/// An answer, and what was wrong with some of the articles or should be known of it.
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
    asked: &StillAsked,
    mut with: impl FnMut(&Article, Vec<Record>) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    let (query, mut notes) = question.query(app.pipeline.gazetteer())?;
    notes.extend(answered(app, &app.pipeline, articles, &query, question, asked, &mut with)?);
    Ok(notes)
}

fn answered(
    app: &App,
    pipeline: &Pipeline,
    articles: Articles,
    query: &Query,
    question: &Question,
    asked: &StillAsked,
    with: &mut impl FnMut(&Article, Vec<Record>) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    // Before records are made, as each has a copy of what is known of its article.
    let left = AtomicUsize::new(LARGEST_ANSWER);
    let fits = |article: &Article, predictions: &[Prediction<'_>]| -> Result<(), Problem> {
        let size = size(article, predictions);
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(size));
        taken.map(drop).map_err(|_| too_much())
    };
    let each = if is_fast(pipeline) { EACH } else { 1 };
    read(app, articles, question, !is_fast(pipeline), asked, |some| {
        let of = |some: &[Article]| -> Result<Vec<Vec<Record>>, Problem> {
            asked.check()?;
            let answered = some.iter().zip(pipeline.predict_batch(some, query));
            let records = answered.map(|(article, predictions)| {
                fits(article, &predictions)?;
                Ok(Record::all(article, &predictions).collect())
            });
            records.collect()
        };
        let found: Vec<Vec<Vec<Record>>> = some.par_chunks(each).map(of).collect::<Result<_, _>>()?;
        some.iter().zip(found.into_iter().flatten()).try_for_each(|(article, records)| with(article, records))
    })
}

/// About how many bytes the records of an article are as JSON.
fn size(article: &Article, predictions: &[Prediction<'_>]) -> usize {
    let known = [&article.title, &article.date, &article.url, &article.source];
    let known: usize = known.into_iter().flatten().map(String::len).sum();
    let columns: usize = article.columns.iter().map(|(name, value)| name.len() + value.len()).sum();
    let of_article = article.id.len() + article.path.len() + known + columns;
    let evidence = |p: &Prediction<'_>| p.evidence.iter().map(|e| EVIDENCE + e.evidence.span.len()).sum::<usize>();
    predictions.iter().map(|p| RECORD + of_article + evidence(p)).sum()
}

fn too_much() -> Problem {
    let detail = format!("the answer would be more than {} MiB; ask for less at once", LARGEST_ANSWER >> 20);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// The first warnings, and who takes them.
fn kept_warnings() -> (Arc<Mutex<Vec<String>>>, Warn) {
    let warnings: Arc<Mutex<Vec<String>>> = Arc::default();
    let warned = Arc::clone(&warnings);
    let warn = Arc::new(move |warning: Warning| {
        let mut warnings = warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < PROBLEMS {
            warnings.push(warning.to_string());
        }
    });
    (warnings, warn)
}

/// Hands the articles of a request to `with`, some at a time; gives what was wrong with others.
fn read(
    app: &App,
    articles: Articles,
    question: &Question,
    is_slow: bool,
    asked: &StillAsked,
    mut with: impl FnMut(&[Article]) -> Result<(), Problem>,
) -> Result<Vec<String>, Problem> {
    const LOOK: Duration = Duration::from_millis(100);
    let (warnings, warn) = kept_warnings();
    let options = app.fields.options(&[]);
    let sources = articles.sources.into_iter().map(|source| source.with_options(&options)).collect();
    let which = batches::Wanted { any_language: question.any_language };
    let (batches, reader) = batches::read(articles.text, sources, Complaints::kept(PROBLEMS), warn, which);
    let together = rayon::current_num_threads() * if is_slow { 1 } else { FOR_EACH_THREAD };
    let mut read = 0;
    loop {
        let batch = match batches.recv_timeout(LOOK) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => {
                asked.check()?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        for some in batch.chunks(together) {
            asked.check()?;
            read += some.len();
            if let Some(article) = some.iter().find(|article| is_slow && article.text.len() > LONGEST_SLOW) {
                return Err(too_long(article));
            }
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

fn too_long(article: &Article) -> Problem {
    let id = detente::shortened(&article.id);
    let detail = format!(
        "{id}: an article of {} kB, of which this model reads {}; a server with --model fast reads longer ones",
        article.text.len() / 1000,
        LONGEST_SLOW / 1000
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// The lines that `predict --format jsonl` writes.
pub fn predict_jsonl(
    app: &App,
    articles: Articles,
    question: &Question,
    asked: &StillAsked,
) -> Result<Answer<Vec<u8>>, Problem> {
    let mut lines = Lines::default();
    let problems =
        predict(app, articles, question, asked, |_, records| records.iter().try_for_each(|record| lines.add(record)))?;
    Ok(Answer { answer: lines.0, problems })
}

/// The rows that `predict --format csv` writes.
pub fn predict_csv(
    app: &App,
    articles: Articles,
    question: &Question,
    asked: &StillAsked,
) -> Result<Answer<Vec<u8>>, Problem> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(Record::COLUMNS).map_err(|_| Problem::failed())?;
    let problems = predict(app, articles, question, asked, |_, records| {
        for record in records {
            let row = record.row().map_err(|_| Problem::failed())?;
            rows.write_record(row).map_err(|_| Problem::failed())?;
        }
        Ok(())
    })?;
    Ok(Answer { answer: rows.into_inner().map_err(|_| Problem::failed())?, problems })
}

/// The lines that `explain --format json` writes: one for each article that connects the two.
pub fn explain_jsonl(
    app: &App,
    articles: Articles,
    question: &Question,
    asked: &StillAsked,
) -> Result<Answer<Vec<u8>>, Problem> {
    let gazetteer = app.pipeline.gazetteer();
    let (state, actor, mut notes) = question.pair(gazetteer)?;
    let is_meant = |article: &&Article| question.id.as_ref().is_none_or(|id| *id == article.id);
    let mut lines = Lines::default();
    // Whoever names a pair wants it explained, in whatever language.
    let question = Question { any_language: true, ..question.clone() };
    let problems = read(app, articles, &question, !is_fast(&app.pipeline), asked, |some| {
        for article in some.iter().filter(is_meant) {
            asked.check()?;
            if let Some(found) = explain::explain(&app.pipeline, article, state, actor) {
                lines.add(&ExplanationRecord::new(article, gazetteer.get(state), gazetteer.get(actor), &found))?;
            }
        }
        Ok(())
    })?;
    notes.extend(problems);
    Ok(Answer { answer: lines.0, problems: notes })
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
    asked: &StillAsked,
    reports: usize,
) -> Result<Answer<TrendAnswer>, Problem> {
    let pipeline = app.trend();
    let gazetteer = pipeline.gazetteer();
    let (query, mut problems) = question.query(gazetteer)?;
    let query = Query { evidence_limit: Some(1), ..query };
    problems.append(&mut articles.problems);
    let mut records: Vec<Record> = Vec::new();
    let (warnings, warn) = kept_warnings();
    let options = app.fields.options(&[]);
    articles.sources.iter_mut().for_each(|source| source.options = Arc::clone(&options));
    let are_records = |source: &mut Source| command::records::are_lines(&source.input) && holds_answers(source);
    let recorded = articles.sources.extract_if(.., are_records);
    for source in recorded {
        asked.check()?;
        let is_asked = command::records::asked(&query, gazetteer);
        let read = command::records::read(&source.input, &warn, |record| {
            records.extend(Some(record).filter(&is_asked));
        });
        read.map_err(|error| Problem::unprocessable(format!("{error:#}")))?;
    }
    problems.append(&mut warnings.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(source) = articles.sources.iter().find(|source| holds_answers(source)) {
        let name = detente::visible(&source.input.name()).into_owned();
        let detail = format!("{name}: these are answers, no articles; answers are read as JSONL");
        return Err(Problem::unprocessable(detail));
    }
    let mut prevalence = None;
    if !articles.sources.is_empty() || articles.text.is_some() {
        let mut add = |_: &Article, found: Vec<Record>| {
            records.extend(found);
            Ok(())
        };
        problems.extend(answered(app, pipeline, articles, &query, question, asked, &mut add)?);
        prevalence = command::calibrated(pipeline).filter(|_| !question.no_correction);
    }
    let corrected = prevalence.is_some();
    asked.check()?;
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
    asked: &StillAsked,
) -> Result<Answer<Vec<u8>>, Problem> {
    let Answer { answer, problems } = trend_of(app, articles, question, asked, 0)?;
    let mut json = serde_json::to_vec_pretty(&answer.trend).map_err(|_| Problem::failed())?;
    json.push(b'\n');
    Ok(Answer { answer: json, problems })
}

/// JSON, an object a line.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, object: &impl serde::Serialize) -> Result<(), Problem> {
        serde_json::to_writer(&mut self.0, object).map_err(|_| Problem::failed())?;
        self.0.push(b'\n');
        if self.0.len() <= LARGEST_ANSWER { Ok(()) } else { Err(too_much()) }
    }
}
