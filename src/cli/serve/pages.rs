//! The pages: a form, and below it what `predict --html` and `trend --html` show.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use detente::report::{Frame, PredictionPage, TrendNotes, write_empty, write_trend};
use detente::source::{Format, Source};
use detente::{Article, shortened};

use super::App;
use super::admission::{Held, StillAsked, arriving};
use super::answer::{self, Answer, Articles};
use super::guard::PROBLEMS;
use super::problem::{self, Problem};
use super::question::{self, Question};

/// What the form is filled with at the start, if that is asked for.
const EXAMPLE: &str = include_str!("../../../datasets/examples/harbour-pact.txt");
/// Evidence of each pair.
const EVIDENCE: usize = 3;
/// Reports of each period.
const REPORTS: usize = 3;
/// Problems that a page says.
const SAID: usize = 20;
/// The longest text that is shown again in the form, and the longest list of actors, in bytes.
const LONGEST_AGAIN: usize = 200_000;
const LONGEST_ACTORS: usize = 2000;

/// The form.
#[derive(Template)]
#[template(path = "serve/ask.html")]
struct Ask<'a> {
    over_time: bool,
    text: &'a str,
    /// What answers.
    model: &'a str,
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
    /// Of a trend.
    Json,
    Report,
}

impl Save {
    /// What can be saved of stances, or of a trend.
    fn of(name: &str, over_time: bool) -> Option<Self> {
        match (name, over_time) {
            ("csv", false) => Some(Self::Csv),
            ("jsonl", false) => Some(Self::Jsonl),
            ("json", true) => Some(Self::Json),
            ("report", _) => Some(Self::Report),
            _ => None,
        }
    }

    /// The media type, and the name of the file.
    fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"stances.csv\""),
            Self::Jsonl => ("application/jsonl", "attachment; filename=\"stances.jsonl\""),
            Self::Json => ("application/json", "attachment; filename=\"trend.json\""),
            Self::Report => ("text/html; charset=utf-8", "attachment; filename=\"report.html\""),
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

pub async fn predict(State(app): State<Arc<App>>, Extension(held): Extension<Held>, form: Form) -> Response {
    answer(&app, held, form, false, |app, articles, question, asked, filled| match filled.save {
        Some(Save::Csv) => answer::predict_csv(app, articles, question, asked),
        Some(Save::Jsonl) => answer::predict_jsonl(app, articles, question, asked),
        _ => {
            let mut page = PredictionPage::new("");
            let problems = answer::predict(app, articles, question, asked, |article, records| {
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

pub async fn trend(State(app): State<Arc<App>>, Extension(held): Extension<Held>, form: Form) -> Response {
    answer(&app, held, form, true, |app, articles, question, asked, filled| {
        if filled.save == Some(Save::Json) {
            return answer::trend_json(app, articles, question, asked);
        }
        let Answer { answer, problems } = answer::trend_of(app, articles, question, asked, REPORTS)?;
        let notes = TrendNotes {
            frame: frame(app, filled, true, &problems),
            corrected: answer.corrected,
            deduplicated: !question.no_dedup,
            // The form says them already.
            left_out: if filled.save.is_some() { problems.clone() } else { Vec::new() },
        };
        let mut html = Vec::new();
        write_trend(&answer.trend, &notes, &mut html).map_err(|_| Problem::failed())?;
        Ok(Answer { answer: html, problems })
    })
    .await
}

type Compute = fn(&App, Articles, &Question, &StillAsked, &Filled) -> Result<Answer<Vec<u8>>, Problem>;

async fn answer(app: &Arc<App>, held: Held, form: Form, over_time: bool, compute: Compute) -> Response {
    let mut filled = Filled::default();
    let read = arriving(app, fill(app, form, over_time, &mut filled)).await;
    let read = read.and_then(|()| asked(app, over_time, &mut filled));
    let filled = Arc::new(filled);
    let answered = match read {
        Err(problem) => Err(problem),
        Ok((articles, question)) => {
            let (of, by) = (Arc::clone(app), Arc::clone(&filled));
            app.admission.run(held, move |asked| compute(&of, articles, &question, asked, &by)).await
        }
    };
    let sent = answered.and_then(|answer| Ok((app.admission.body(answer.answer)?, answer.problems)));
    let (body, problems) = match sent {
        Ok(sent) => sent,
        Err(problem) => return empty(app, &filled, over_time, Some(&problem)),
    };
    let Some(save) = filled.save else { return Html(body).into_response() };
    let (content_type, disposition) = save.kind();
    let mut response =
        ([(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, disposition)], body).into_response();
    if let Some(problems) = problem::header_of(&problems) {
        response.headers_mut().insert(PROBLEMS, problems);
    }
    response
}

/// Reads the form to its end, even where something is wrong with it: whoever still sends would not hear what.
async fn fill(app: &App, form: Form, over_time: bool, filled: &mut Filled) -> Result<(), Problem> {
    let mut form = form.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(app.limits.body),
        _ => Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected the form of this page (multipart/form-data)"),
    })?;
    let failed = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(app.limits.body),
        _ => Problem::bad_request("the form ends too early, or is broken"),
    };
    let (mut files, mut passed_over) = (0, 0);
    let mut wrong = None;
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
                    let detail = format!(
                        "more than {} files; send fewer at once, or start the server with a larger --max-files",
                        app.limits.files
                    );
                    wrong = Some(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
                } else if is_passed_over(&name) {
                    passed_over += 1;
                } else if name.len() > question::LONGEST_NAME {
                    filled.problems.push(format!("{}: too long a name", shortened(&name)));
                } else if question::is_packed(&bytes) {
                    filled.problems.push(format!("{}: {}", shortened(&name), question::PACKED));
                } else {
                    filled.files.push(Source::bytes(name, bytes));
                }
            }
            "text" => filled.text = field.text().await.map_err(failed)?,
            "actor" => filled.actor = field.text().await.map_err(failed)?,
            "by" => filled.by = field.text().await.map_err(failed)?,
            "any_language" => filled.any_language = true,
            "save" => {
                let name = field.text().await.map_err(failed)?;
                filled.save = Save::of(&name, over_time);
                if filled.save.is_none() {
                    wrong = Some(Problem::bad_request("this cannot be saved so"));
                }
            }
            _ => {}
        }
    }
    if passed_over > 0 {
        filled.problems.push(format!("{passed_over} files of other kinds are passed over"));
    }
    wrong.map_or(Ok(()), Err)
}

/// Whether a file of a folder is none that is read, as on the command line: hidden, of an unknown kind, or saved by a browser
/// beside a page.
fn is_passed_over(name: &str) -> bool {
    let Some((folders, _)) = name.rsplit_once('/') else { return false };
    let is_beside = folders.split('/').any(|folder| folder.ends_with("_files") || folder.ends_with(".files"));
    is_beside || name.split('/').any(|part| part.starts_with('.')) || Format::of(Path::new(name)).is_none()
}

/// What a form asks.
fn asked(app: &App, over_time: bool, filled: &mut Filled) -> Result<(Articles, Question), Problem> {
    if filled.actor.len() > LONGEST_ACTORS {
        filled.actor.clear();
        return Err(Problem::bad_request("toward whom? That is too long for names."));
    }
    let actors: Vec<String> = match filled.actor.trim() {
        "" => Vec::new(),
        actor if app.pipeline.gazetteer().find(actor).is_some() => vec![actor.to_owned()],
        several => {
            several.split([',', ';']).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        }
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
        let nothing = if over_time {
            "There is nothing to read: choose files with dated articles."
        } else {
            "There is nothing to read: paste a text, or choose files."
        };
        return Err(Problem::bad_request(nothing));
    }
    if articles.text.is_none() && articles.sources.is_empty() {
        return Err(Problem { problems: articles.problems, ..Problem::bad_request("no file could be read") });
    }
    Ok((articles, question))
}

fn frame(app: &App, filled: &Filled, over_time: bool, problems: &[String]) -> Frame {
    if filled.save == Some(Save::Report) {
        return "".into();
    }
    let trouble = (!problems.is_empty()).then_some("Of what was sent:");
    Frame::Served { before: form(app, filled, over_time, trouble, problems) }
}

fn form(app: &App, filled: &Filled, over_time: bool, trouble: Option<&str>, problems: &[String]) -> String {
    let mut names: Vec<&str> = app.pipeline.gazetteer().entries().iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    let ask = Ask {
        over_time,
        text: if filled.text.len() <= LONGEST_AGAIN { &filled.text } else { "" },
        model: if over_time { app.trend_model() } else { &app.model },
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
        (Some(_), _) => ("No answer", ""),
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
