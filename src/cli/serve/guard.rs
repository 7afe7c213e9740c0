//! From whom a request comes, and what a browser may do with the answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::cors::CorsLayer;

use super::super::say;
use super::App;
use super::problem::Problem;

/// What was wrong with some of the articles of an answer.
pub const PROBLEMS: HeaderName = HeaderName::from_static("detente-problems");

/// Nothing runs, is fetched or is framed but what this server gives.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What there is; of anything else not even the name is logged.
const PATHS: [&str; 11] = [
    "/",
    "/trend",
    "/style.css",
    "/page.js",
    "/serve.js",
    "/icon.svg",
    "/healthz",
    "/v1/predict",
    "/v1/explain",
    "/v1/trend",
    "/v1/openapi.json",
];

/// By which names the server may be asked, and by which pages elsewhere.
pub struct Hosts {
    bind: IpAddr,
    names: Vec<String>,
    origins: Vec<HeaderValue>,
}

impl Hosts {
    pub fn new(bind: IpAddr, names: &[String], origins: &[HeaderValue]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { bind, names, origins: origins.to_vec() }
    }

    /// Whether a request was meant for this server. A page elsewhere can have a name of its own point to this machine (DNS
    /// rebinding); it cannot have an address do so.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        if authority.as_str().contains('@') {
            return false;
        }
        match name.parse::<IpAddr>() {
            Ok(address) if self.bind.is_unspecified() => !address.is_multicast(),
            Ok(address) => address == self.bind || address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST,
            Err(_) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || self.names.contains(&name)
            }
        }
    }

    /// Whether a page elsewhere sent it, which was not allowed to.
    fn is_foreign(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN);
        if origin.is_some_and(|origin| self.origins.contains(origin)) {
            return false;
        }
        if let Some(site) = headers.get("sec-fetch-site") {
            return site != "same-origin" && site != "none";
        }
        let Some(origin) = origin else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let of = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        of.is_none() || of != host
    }
}

/// Which pages elsewhere may read what the API answers.
pub fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([PROBLEMS, header::RETRY_AFTER])
}

/// Refuses what was not meant for this server, says what browsers must know, and logs what was asked: never of whom or
/// about what.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let headers = request.headers();
    let mut hosts: Vec<String> =
        headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default().to_owned()).collect();
    let is_one = hosts.len() == 1;
    hosts.extend(request.uri().authority().map(ToString::to_string));
    let refused = match is_one {
        false => Some(Problem::bad_request("expected one Host")),
        true if !hosts.iter().all(|host| app.hosts.is_ours(host)) => Some(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "asked by a name that is not its own; start the server with --host NAME if it should be",
        )),
        true if *request.method() == Method::POST && app.hosts.is_foreign(headers) => Some(Problem::new(
            StatusCode::FORBIDDEN,
            "asked by a page elsewhere; start the server with --allow-origin if that page may",
        )),
        true => None,
    };
    let asked = (!app.quiet).then(|| {
        let path = request.uri().path();
        let path = if PATHS.contains(&path) { path } else { "(other)" };
        let method =
            if matches!(*request.method(), Method::GET | Method::POST) { request.method().as_str() } else { "(other)" };
        format!("{method} {path}")
    });
    let mut response = match refused {
        Some(problem) => problem.as_response(),
        None => next.run(request).await,
    };
    if let Some(asked) = asked {
        say(format_args!("{asked} {} {} ms", response.status().as_u16(), began.elapsed().as_millis()));
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A form's Origin is "null" under no-referrer.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(bind: &str) -> Hosts {
        Hosts::new(
            bind.parse().expect("an address"),
            &["news.example".into()],
            &[HeaderValue::from_static("https://a.example")],
        )
    }

    #[test]
    fn a_name_that_somebody_else_points_here_is_not_ours() {
        let local = hosts("127.0.0.1");
        for ours in ["127.0.0.1:8137", "localhost:1", "LOCALHOST", "localhost.", "[::1]:8137", "news.example:80"] {
            assert!(local.is_ours(ours), "{ours}");
        }
        for other in ["evil.example:8137", "127.0.0.1.evil.example", "10.0.0.7", "a@localhost", "", "local host", "::1"]
        {
            assert!(!local.is_ours(other), "{other}");
        }
        assert!(hosts("0.0.0.0").is_ours("10.0.0.7:8137"));
        assert!(hosts("10.0.0.7").is_ours("10.0.0.7:8137"));
    }

    #[test]
    fn a_page_elsewhere_is_foreign_unless_allowed() {
        let local = hosts("127.0.0.1");
        let foreign = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:8137"));
            for (name, value) in pairs {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            local.is_foreign(&headers)
        };
        assert!(!foreign(&[]));
        assert!(!foreign(&[("origin", "http://localhost:8137")]));
        assert!(!foreign(&[("origin", "http://localhost:8137"), ("sec-fetch-site", "same-origin")]));
        assert!(!foreign(&[("origin", "https://a.example"), ("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("origin", "http://localhost:3000")]));
        assert!(foreign(&[("origin", "null")]));
        assert!(foreign(&[("origin", "https://b.example"), ("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("sec-fetch-site", "same-site")]));
    }
}
