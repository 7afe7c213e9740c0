//! What pages are made of, all of it part of the program.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use detente::report;

/// What the served pages have beside those that are files.
const SERVED_STYLE: &str = include_str!("../../../templates/serve/serve.css");
const SERVED_SCRIPT: &str = include_str!("../../../templates/serve/serve.js");
const ICON: &str = include_str!("../../../templates/serve/icon.svg");
const OPENAPI: &str = include_str!("../../../templates/serve/openapi.json");

pub async fn style() -> Response {
    asset("text/css; charset=utf-8", format!("{}{SERVED_STYLE}", report::STYLE))
}

pub async fn page_script() -> Response {
    asset("text/javascript; charset=utf-8", report::SCRIPT)
}

pub async fn serve_script() -> Response {
    asset("text/javascript; charset=utf-8", SERVED_SCRIPT)
}

pub async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

pub async fn openapi() -> Response {
    asset("application/json", OPENAPI)
}

/// Asked for anew each time, which costs nothing here: another version may be started at the same address.
fn asset(content_type: &'static str, content: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}
