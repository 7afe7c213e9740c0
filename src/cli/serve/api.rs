//! The API: articles in the body, options in the query, records in the answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::admission::Wanted;
use super::answer::{self, Answer, Articles};
use super::guard::PROBLEMS;
use super::problem::{self, Problem};
use super::question::{self, EXPLAIN, PREDICT, Question, TREND};

const JSONL: &str = "application/jsonl";

pub async fn predict(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap, body: Body) -> Answered {
    answer(state, query, headers, body, PREDICT, JSONL, answer::predict_jsonl).await
}

pub async fn explain(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap, body: Body) -> Answered {
    answer(state, query, headers, body, EXPLAIN, JSONL, answer::explain_jsonl).await
}

pub async fn trend(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap, body: Body) -> Answered {
    answer(state, query, headers, body, TREND, "application/json", answer::trend_json).await
}

type Answered = Result<Response, Problem>;
type Compute = fn(&App, Articles, &Question, &Wanted) -> Result<Answer<Vec<u8>>, Problem>;

async fn answer(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
    known: &[&str],
    content_type: &'static str,
    compute: Compute,
) -> Answered {
    let question = Question::parse(query.as_deref(), known)?;
    let source = question::body(&headers, body, app.limits.body, question.name.as_deref()).await?;
    let of = Arc::clone(&app);
    let answer = app.admission.run(move |wanted| compute(&of, Articles::from(source), &question, wanted)).await?;
    let mut response = ([(header::CONTENT_TYPE, content_type)], answer.answer).into_response();
    if let Some(problems) = problem::header_of(&answer.problems) {
        response.headers_mut().insert(PROBLEMS, problems);
    }
    Ok(response)
}

/// That it runs, and what answers.
pub async fn health(State(app): State<Arc<App>>) -> Response {
    let body = serde_json::json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "model": app.model});
    ([(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}
