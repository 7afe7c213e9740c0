//! What is wrong with a request, as its answer says it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use detente::report::{Frame, write_empty};
use detente::{Error, shortened};

/// A request that is not answered, and why (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// What is wrong, and what to do.
    pub detail: String,
    /// What was wrong with each input.
    pub problems: Vec<String>,
}

#[derive(Serialize)]
struct Body<'p> {
    title: &'p str,
    status: u16,
    detail: &'p str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    problems: &'p [String],
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), problems: Vec::new() }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// What was sent cannot be worked on: a name that is not known, a language that is not read.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub fn too_large(limit: usize) -> Self {
        let detail =
            format!("more than {} MiB; send less at once, or start the server with a larger --max-body", limit >> 20);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub fn took_too_long(seconds: u64) -> Self {
        let detail = format!(
            "it took more than {seconds} seconds; send less at once, or start the server with a larger --max-time"
        );
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
    }

    pub fn busy() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too much is asked at once; ask again in a moment")
    }

    pub fn no_such_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing of that name here; /v1/openapi.json says what there is")
    }

    pub fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "articles are sent by POST, pages fetched by GET")
    }

    pub fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "this should not have happened; please report it")
    }

    /// As an answer to what was asked at `path`: of the API for programs, elsewhere a page.
    pub fn at(&self, path: &str) -> Response {
        if path.starts_with("/v1/") { self.as_response() } else { self.as_page() }
    }

    fn as_page(&self) -> Response {
        let back = "<p class=\"ask\"><a href=\"/\">Back to the question</a></p>".to_owned();
        let mut html = Vec::new();
        // What is said is our own.
        let written = write_empty("No answer", self.detail.as_str(), Frame::Served { before: back }, &mut html);
        if written.is_err() {
            return self.as_response();
        }
        let mut response = (self.status, Html(html)).into_response();
        self.put_headers(&mut response);
        response
    }

    /// As an answer of the API.
    pub fn as_response(&self) -> Response {
        let body = Body {
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            problems: &self.problems,
        };
        let mut body = serde_json::to_string(&body).unwrap_or_default();
        body.push('\n');
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.put_headers(&mut response);
        response
    }

    fn put_headers(&self, response: &mut Response) {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.as_response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownEntity { name, nearest, .. } => {
                let nearest = match nearest.as_slice() {
                    [] => String::new(),
                    names => format!("; did you mean {}?", names.join(" or ")),
                };
                Self::unprocessable(format!("no state or actor is known as {}{nearest}", shortened(&name)))
            }
            error => Self::unprocessable(error.to_string()),
        }
    }
}

/// The problems of an answer that is one all the same, as a header can hold them: a JSON array in ASCII.
pub fn header_of(problems: &[String]) -> Option<HeaderValue> {
    /// What some clients take of all headers together is 16 KiB.
    const BYTES: usize = 4000;
    if problems.is_empty() {
        return None;
    }
    let mut said: Vec<String> = Vec::new();
    let mut bytes = 0;
    for problem in problems {
        let problem = shortened(problem).into_owned();
        bytes += problem.chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum::<usize>() + 3;
        if bytes > BYTES && !said.is_empty() {
            said.push(format!("and {} more", problems.len() - said.len()));
            break;
        }
        said.push(problem);
    }
    let json = serde_json::to_string(&said).unwrap_or_default();
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}")));
        }
    }
    HeaderValue::from_str(&ascii).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_in_a_header_are_json_in_ascii() {
        let problems = vec!["größer 😀".to_owned(), "a\"b".to_owned()];
        let header = header_of(&problems).expect("problems");
        let text = header.to_str().expect("ASCII");
        assert_eq!(text, r#"["gr\u00f6\u00dfer \ud83d\ude00","a\"b"]"#);
        assert_eq!(serde_json::from_str::<Vec<String>>(text).expect("JSON"), problems);
        assert_eq!(header_of(&[]), None);
    }

    #[test]
    fn of_many_problems_some_are_said() {
        let header = header_of(&vec!["ж".repeat(400); 25]).expect("problems");
        assert!(header.len() < 8000, "{}", header.len());
        let said: Vec<String> = serde_json::from_str(header.to_str().expect("ASCII")).expect("JSON");
        assert_eq!((said.len(), said[1].as_str()), (2, "and 24 more"));
    }
}
