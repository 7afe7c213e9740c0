//! The pages: a form, and below it what `predict --html` and `trend --html` show.

use std::io::Write;
use std::sync::Arc;

use askama::Template;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use detente::report::{Frame, PredictionPage, TrendNotes, write_empty, write_trend};
use detente::source::Source;
use detente::{Article, shortened};

use super::App;
use super::admission::Wanted;
use super::answer::{self, Answer, Articles};
use super::problem::Problem;
use super::question::{self, Question};

/// What the form is filled with at the start, if that is asked for.
const EXAMPLE: &str = include_str!("../../../datasets/examples/harbour-pact.txt");
/// Evidence of each pair.
const EVIDENCE: usize = 3;
/// Reports of each period.
const REPORTS: usize = 3;
/// Problems that a page says.
const SAID: usize = 20;

/// The form.
#[derive(Template)]
#[template(path = "serve/ask.html")]
struct Ask<'a> {
    over_time: bool,
    text: &'a str,
    actor: &'a str,
    /// Lengths of periods, and whether each is chosen.
    periods: [(&'static str, bool); 4],
    any_language: bool,
    /// Names that can be asked for.
    names: Vec<&'a str>,
    max_files: usize,
    max_bytes: usize,
    /// Why there is no answer, or what is wrong with a part of it.
    trouble: Option<&'a str>,
    problems: &'a [String],
    more_problems: usize,
}

/// What was filled in.
#[derive(Debug, Default)]
struct Filled {
    text: String,
    actor: String,
    by: String,
    any_language: bool,
    save: Option<Save>,
    files: Vec<Source>,
    problems: Vec<String>,
}

/// A file in place of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Save {
    Csv,
    Jsonl,
    Json,
    Report,
}

impl Save {
    fn of(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::Jsonl),
            "json" => Some(Self::Json),
            "report" => Some(Self::Report),
            _ => None,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
            Self::Json => "application/json",
            Self::Report => "text/html; charset=utf-8",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Csv => "stances.csv",
            Self::Jsonl => "stances.jsonl",
            Self::Json => "trend.json",
            Self::Report => "report.html",
        }
    }
}

/// The empty form; `?example` fills it.
pub async fn ask(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let text = if query.is_some_and(|query| query.starts_with("example")) { EXAMPLE } else { "" };
    let filled = Filled { text: text.to_owned(), actor: "Russia".into(), ..Filled::default() };
    empty(&app, &filled, false, None)
}

/// The empty form for stances over time.
pub async fn ask_trend(State(app): State<Arc<App>>) -> Response {
    let filled = Filled { actor: "Russia".into(), by: "year".into(), ..Filled::default() };
    empty(&app, &filled, true, None)
}

type Form = Result<Multipart, MultipartRejection>;

pub async fn predict(State(app): State<Arc<App>>, form: Form) -> Response {
    answer(&app, form, false, |app, articles, question, wanted, filled| match filled.save {
        Some(Save::Csv) => answer::predict_csv(app, articles, question, wanted),
        Some(Save::Jsonl | Save::Json) => answer::predict_jsonl(app, articles, question, wanted),
        Some(Save::Report) | None => {
            let mut page = PredictionPage::new("");
            let problems = answer::predict(app, articles, question, wanted, |article, records| {
                page.add_article(article, records);
                Ok(())
            })?;
            page.set_frame(frame(app, filled, false, &problems));
            let mut html = Vec::new();
            page.write(&mut html).map_err(|_| Problem::failed())?;
            Ok(Answer { answer: html, problems })
        }
    })
    .await
}

pub async fn trend(State(app): State<Arc<App>>, form: Form) -> Response {
    answer(&app, form, true, |app, articles, question, wanted, filled| {
        if matches!(filled.save, Some(Save::Json | Save::Jsonl | Save::Csv)) {
            return answer::trend_json(app, articles, question, wanted);
        }
        let Answer { answer, problems } = answer::trend_of(app, articles, question, wanted, REPORTS)?;
        let notes = TrendNotes {
            frame: frame(app, filled, true, &problems),
            corrected: answer.corrected,
            deduplicated: !question.no_dedup,
            left_out: Vec::new(),
        };
        let mut html = Vec::new();
        write_trend(&answer.trend, &notes, &mut html).map_err(|_| Problem::failed())?;
        Ok(Answer { answer: html, problems })
    })
    .await
}

type Compute = fn(&App, Articles, &Question, &Wanted, &Filled) -> Result<Answer<Vec<u8>>, Problem>;

async fn answer(app: &Arc<App>, form: Form, over_time: bool, compute: Compute) -> Response {
    let mut filled = Filled::default();
    let read = async {
        let form = form.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(app.limits.body),
            _ => {
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected the form of this page (multipart/form-data)")
            }
        })?;
        fill(app, form, &mut filled).await
    };
    let read = read.await;
    let filled = Arc::new(filled);
    let answered = match read {
        Err(problem) => Err(problem),
        Ok((articles, question)) => {
            let (of, by) = (Arc::clone(app), Arc::clone(&filled));
            app.admission.run(move |wanted| compute(&of, articles, &question, wanted, &by)).await
        }
    };
    match answered {
        Err(problem) => empty(app, &filled, over_time, Some(&problem)),
        Ok(answer) => {
            let content_type = filled.save.map_or("text/html; charset=utf-8", Save::content_type);
            let mut response = ([(header::CONTENT_TYPE, content_type)], answer.answer).into_response();
            if let Some(save) = filled.save {
                let disposition = format!("attachment; filename=\"{}\"", save.name());
                if let Ok(disposition) = HeaderValue::from_str(&disposition) {
                    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
                }
            }
            response
        }
    }
}

/// Reads the form.
async fn fill(app: &App, mut form: Multipart, filled: &mut Filled) -> Result<(Articles, Question), Problem> {
    let failed = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(app.limits.body),
        _ => Problem::bad_request("the form ends too early, or is broken"),
    };
    let mut files = 0;
    while let Some(field) = form.next_field().await.map_err(failed)? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let bytes = field.bytes().await.map_err(failed)?;
                // A form sends an empty file where none is chosen.
                if name.is_empty() && bytes.is_empty() {
                    continue;
                }
                files += 1;
                if files > app.limits.files {
                    let detail = format!("more than {} files; send fewer at once", app.limits.files);
                    return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
                }
                if question::is_packed(&bytes) {
                    filled.problems.push(format!("{}: {}", shortened(&name), question::PACKED));
                } else {
                    filled.files.push(Source::bytes(name, bytes));
                }
            }
            "text" => filled.text = field.text().await.map_err(failed)?,
            "actor" => filled.actor = field.text().await.map_err(failed)?,
            "by" => filled.by = field.text().await.map_err(failed)?,
            "any_language" => filled.any_language = true,
            "save" => filled.save = Save::of(&field.text().await.map_err(failed)?),
            _ => {}
        }
    }
    let actors: Vec<String> = match filled.actor.trim() {
        "" => Vec::new(),
        actor if app.pipeline.gazetteer().find(actor).is_some() => vec![actor.to_owned()],
        several => several.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
    };
    let question = Question {
        all_actors: actors.is_empty(),
        actors,
        evidence: EVIDENCE,
        any_language: filled.any_language,
        by: question::period(&filled.by).unwrap_or(Question::default().by),
        ..Question::default()
    };
    let text = Some(filled.text.as_str()).filter(|text| !text.trim().is_empty());
    let articles = Articles {
        text: text.map(|text| Article::new(text).with_id("text")),
        sources: std::mem::take(&mut filled.files),
        problems: std::mem::take(&mut filled.problems),
    };
    if articles.text.is_none() && articles.sources.is_empty() && articles.problems.is_empty() {
        return Err(Problem::bad_request("There is nothing to read: paste a text, or choose files."));
    }
    Ok((articles, question))
}

fn frame(app: &App, filled: &Filled, over_time: bool, problems: &[String]) -> Frame {
    if filled.save == Some(Save::Report) {
        return "".into();
    }
    let trouble = (!problems.is_empty()).then_some("Not all could be read as it is:");
    Frame::Served { before: form(app, filled, over_time, trouble, problems) }
}

fn form(app: &App, filled: &Filled, over_time: bool, trouble: Option<&str>, problems: &[String]) -> String {
    let mut names: Vec<&str> = app.pipeline.gazetteer().entries().iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    let ask = Ask {
        over_time,
        text: &filled.text,
        actor: &filled.actor,
        periods: ["year", "quarter", "month", "week"].map(|name| (name, name == filled.by)),
        any_language: filled.any_language,
        names,
        max_files: app.limits.files,
        max_bytes: app.limits.body,
        trouble,
        problems: &problems[..problems.len().min(SAID)],
        more_problems: problems.len().saturating_sub(SAID),
    };
    ask.render().unwrap_or_default()
}

/// The form without an answer.
fn empty(app: &App, filled: &Filled, over_time: bool, problem: Option<&Problem>) -> Response {
    let (title, lead) = match (problem, over_time) {
        (Some(_), _) => ("No answer", "What is wrong is said above."),
        (None, false) => (
            "Who stands with, apart from, or against whom?",
            "For each state that an article connects with an actor: aligned, neutral or opposed, how sure that is, and the \
             sentences and words that say so.",
        ),
        (None, true) => (
            "Who moved, and when?",
            "From dated articles: how far each state stood with or against an actor in each year, quarter, month or week, with \
             intervals, turns, and the reports behind each figure.",
        ),
    };
    let (trouble, problems) =
        problem.map_or((None, [].as_slice()), |p| (Some(p.detail.as_str()), p.problems.as_slice()));
    let before = form(app, filled, over_time, trouble, problems);
    let mut html = Vec::new();
    let written = write_empty(title, lead, Frame::Served { before }, &mut html).and_then(|()| html.flush());
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    match written {
        Ok(()) => (status, Html(html)).into_response(),
        Err(_) => Problem::failed().as_response(),
    }
}
