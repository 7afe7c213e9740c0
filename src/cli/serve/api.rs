//! The API: articles in the body, options in the query, records in the answer.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::admission::{Held, StillAsked, arriving};
use super::answer::{self, Answer, Articles};
use super::guard::PROBLEMS;
use super::problem::{self, Problem};
use super::question::{self, EXPLAIN, PREDICT, Question, TREND};

const JSONL: &str = "application/jsonl";
const JSON: &str = "application/json";

type Answered = Result<Response, Problem>;
/// A request but for its body.
type Asked = (State<Arc<App>>, Extension<Held>, RawQuery, HeaderMap);
type Compute = fn(&App, Articles, &Question, &StillAsked) -> Result<Answer<Vec<u8>>, Problem>;

pub async fn predict(asked: Asked, body: Body) -> Answered {
    answer(asked, body, PREDICT, JSONL, answer::predict_jsonl).await
}

pub async fn explain(asked: Asked, body: Body) -> Answered {
    answer(asked, body, EXPLAIN, JSONL, answer::explain_jsonl).await
}

pub async fn trend(asked: Asked, body: Body) -> Answered {
    answer(asked, body, TREND, JSON, answer::trend_json).await
}

async fn answer(asked: Asked, body: Body, known: &[&str], content_type: &'static str, compute: Compute) -> Answered {
    let (State(app), Extension(held), RawQuery(query), headers) = asked;
    // The body first: whoever still sends would not hear what is wrong with the rest.
    let bytes = arriving(&app, question::bytes(body, app.limits.body)).await?;
    let question = Question::parse(query.as_deref(), known)?;
    let source = question::source(&headers, bytes, question.name.as_deref())?;
    let of = Arc::clone(&app);
    let compute = move |asked: &StillAsked| compute(&of, Articles::from(source), &question, asked);
    let answer = app.admission.run(held, compute).await?;
    let mut response = ([(header::CONTENT_TYPE, content_type)], app.admission.body(answer.answer)?).into_response();
    if let Some(problems) = problem::header_of(&answer.problems) {
        response.headers_mut().insert(PROBLEMS, problems);
    }
    Ok(response)
}

/// That it runs, and what answers.
pub async fn health(State(app): State<Arc<App>>) -> Response {
    let trend_model = app.trend_model();
    let version = env!("CARGO_PKG_VERSION");
    let body = serde_json::json!({"status": "ok", "version": version, "model": app.model, "trend_model": trend_model});
    ([(header::CONTENT_TYPE, JSON)], format!("{body}\n")).into_response()
}
