//! `detente serve`: a page and an API on this machine.
//!
//! A request goes through [`guard`] (from whom), [`admission`] (how much at once) and [`question`] (what is asked) to
//! [`answer`], which asks the library and nothing else; [`api`] and [`pages`] say it in records and in HTML.

mod admission;
mod answer;
mod api;
mod assets;
mod connections;
mod guard;
mod pages;
mod problem;
mod question;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use detente::Pipeline;

use super::inputs::FieldArgs;
use super::models::{ModelArgs, ModelName, is_fast};
use super::{Common, Outcome};
use admission::Admission;
use problem::Problem;

/// Open a page on this machine to ask who stands where; nothing leaves it
///
/// Paste a text, drop files or a folder, and read stances with their evidence, over time if you like. The same by HTTP: POST
/// articles in any text format to /v1/predict, /v1/explain or /v1/trend, with the options of these commands in the query;
/// /v1/openapi.json describes it. Trends are answered by the fast model where --model names a slower one. Prints the address once it listens; Ctrl-C or SIGTERM end it after what is running.
///
/// Examples:
///   detente serve
///   detente serve --port 0 --model fast
///   curl --data-binary @article.txt 'http://127.0.0.1:8137/v1/predict?actor=Russia'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The port to listen at; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8137)]
    port: u16,
    /// The address to listen at. Others can ask only where it is not of this machine alone; nobody is asked for a password
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// A name, besides localhost and addresses, by which it may be asked; may be given several times
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// A page elsewhere whose script may ask the API, as `https://example.org`; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    allow_origin: Vec<HeaderValue>,
    /// The most bytes of a request, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_body: u32,
    /// The most files of a request
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_files: u32,
    /// The most seconds that a request may take from its head to its answer; of these its body has 30
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    max_time: u64,
    /// The most requests that are held at once; more are refused
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65536))]
    max_requests: u32,
    #[command(flatten)]
    model: ModelArgs,
}

fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let value = host.filter(|host| !host.is_empty() && !host.contains(['/', '*'])).and_then(|_| text.parse().ok());
    value.ok_or_else(|| "expected https://NAME or http://NAME, with a port if it has one and no path".into())
}

/// How much is taken.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Bytes of a body.
    body: usize,
    /// Files of it.
    files: usize,
    /// From the head of a request to its answer.
    time: Duration,
    /// Requests at once.
    requests: usize,
}

/// What every request is answered with.
struct App {
    /// Answers `predict` and `explain`.
    pipeline: Pipeline,
    /// Answers `trend`, if it is another: archives are too long for one that takes its time.
    trend: Option<Pipeline>,
    model: String,
    fields: FieldArgs,
    limits: Limits,
    hosts: guard::Hosts,
    admission: Admission,
    quiet: bool,
}

impl App {
    /// The model that answers `trend`.
    fn trend(&self) -> &Pipeline {
        self.trend.as_ref().unwrap_or(&self.pipeline)
    }

    /// Its name.
    fn trend_model(&self) -> &str {
        if self.trend.is_some() { "fast" } else { &self.model }
    }
}

/// Says where the program failed, and not of what: a panic's message may quote an article.
fn keep_texts_out_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if !detente::source::is_guarded() {
            let at = panic.location().map(ToString::to_string).unwrap_or_default();
            super::say(format_args!("error: a request failed at {at}; please report it"));
        }
    }));
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    keep_texts_out_of_panics();
    let address = SocketAddr::new(args.bind, args.port);
    let threads = rayon::current_num_threads();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        // One for each that computes, and some to spare.
        .max_blocking_threads(threads + 2)
        .enable_all()
        .build()?;
    // Before the model is loaded: a port that is taken is known at once.
    let listener = runtime
        .block_on(async { connections::listen(address) })
        .with_context(|| format!("cannot listen at {address}; --port 0 takes a free port"))?;
    let address = listener.local_addr()?;
    let pipeline = args.model.load(common)?;
    let trend = if is_fast(&pipeline) { None } else { Some(ModelName::Fast.load(common)?) };
    let limits = Limits {
        body: (args.max_body as usize) << 20,
        files: args.max_files as usize,
        time: Duration::from_secs(args.max_time),
        requests: args.max_requests as usize,
    };
    let app = Arc::new(App {
        pipeline,
        trend,
        model: args.model.name().to_string(),
        fields: common.fields.clone(),
        limits,
        hosts: guard::Hosts::new(args.bind, &args.host, &args.allow_origin),
        admission: Admission::new(&limits, threads),
        quiet: common.is_quiet(),
    });
    if !args.bind.is_loopback() {
        common.note(format_args!("whoever reaches {address} can ask; nobody is asked for a password"));
    }
    runtime.block_on(async {
        let mut out = std::io::stdout();
        writeln!(out, "http://{address}/").and_then(|()| out.flush()).context("cannot write to standard output")?;
        common.note(format_args!("Ctrl-C ends it"));
        connections::serve(listener, router(&app, &args.allow_origin), &limits).await
    })?;
    runtime.shutdown_timeout(Duration::from_millis(500));
    Ok(Outcome::Done)
}

/// All that can be asked for.
fn router(app: &Arc<App>, origins: &[HeaderValue]) -> Router {
    let questions = Router::new()
        .route("/v1/predict", post(api::predict))
        .route("/v1/explain", post(api::explain))
        .route("/v1/trend", post(api::trend))
        // Before the layers, so that they see what browsers ask first: OPTIONS.
        .method_not_allowed_fallback(no_such_method);
    let pages = Router::new()
        .route("/", get(pages::ask).post(pages::predict))
        .route("/trend", get(pages::ask_trend).post(pages::trend));
    let asked = |router: Router<Arc<App>>| {
        router
            .layer(DefaultBodyLimit::max(app.limits.body))
            .route_layer(middleware::from_fn_with_state(Arc::clone(app), admission::admit))
    };
    let api = asked(questions).route("/v1/openapi.json", get(assets::openapi)).layer(guard::cors(origins));
    asked(pages)
        .merge(api)
        .route("/healthz", get(api::health))
        .route("/style.css", get(assets::style))
        .route("/page.js", get(assets::page_script))
        .route("/serve.js", get(assets::serve_script))
        .route("/icon.svg", get(assets::icon))
        .fallback(|uri: Uri| async move { Problem::no_such_page().at(uri.path()) })
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(|_| Problem::failed().as_response()))
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard::check))
        .with_state(Arc::clone(app))
}

async fn no_such_method(uri: Uri) -> Response {
    Problem::no_such_method().at(uri.path())
}
