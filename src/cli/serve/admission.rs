//! How much is taken at once: requests, bytes, time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::{App, Limits};

/// Bytes are counted in units of so many.
const UNIT: usize = 1 << 10;
/// So many bodies of the largest size are held at once.
const BODIES: usize = 8;
/// What is sent with a request that is refused is read so long, and so many times the largest body, so that the client comes
/// to read why.
const LINGER: Duration = Duration::from_secs(10);
const LINGER_BODIES: usize = 8;

/// What is free.
pub struct Admission {
    requests: Arc<Semaphore>,
    /// Of bodies, in units.
    bytes: Arc<Semaphore>,
    /// Those that compute.
    jobs: Arc<Semaphore>,
}

impl Admission {
    pub fn new(limits: &Limits, threads: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            requests: semaphore(limits.requests),
            bytes: semaphore(BODIES * limits.body / UNIT),
            jobs: semaphore(threads),
        }
    }

    /// Computes, as soon as one may; what is computed can know whether it is still wanted.
    pub async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&Wanted) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let job = Arc::clone(&self.jobs).acquire_owned().await.map_err(|_| Problem::busy())?;
        let wanted = Wanted::default();
        // Dropped with the request: where the client hung up, or the time is over.
        let _unwanted = Unwanted(wanted.clone());
        let computed = tokio::task::spawn_blocking(move || {
            let _job = job;
            compute(&wanted)
        });
        computed.await.unwrap_or_else(|_| Err(Problem::failed()))
    }
}

/// Whether an answer is still waited for.
#[derive(Clone)]
pub struct Wanted(Arc<AtomicBool>);

impl Default for Wanted {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Wanted {
    /// # Errors
    /// Where it is not; nobody reads them.
    pub fn check(&self) -> Result<(), Problem> {
        if self.0.load(Ordering::Relaxed) { Ok(()) } else { Err(Problem::busy()) }
    }
}

struct Unwanted(Wanted);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// Takes a request if there is room for it, and gives it its time.
pub async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let permits = match permits(&app, request.headers()) {
        Ok(permits) => permits,
        Err(problem) => {
            tokio::spawn(drain(request.into_body(), LINGER_BODIES * app.limits.body));
            return problem.at(&path);
        }
    };
    match tokio::time::timeout(app.limits.time, next.run(request)).await {
        // Held until the last byte is sent.
        Ok(mut answered) => {
            if let Some(length) = answered.body().size_hint().exact() {
                answered.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            }
            answered.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let _held = &permits;
                    frame
                }))
            })
        }
        Err(_) => Problem::took_too_long(app.limits.time.as_secs()).at(&path),
    }
}

fn permits(app: &App, headers: &HeaderMap) -> Result<[OwnedSemaphorePermit; 2], Problem> {
    let request = Arc::clone(&app.admission.requests).try_acquire_owned();
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let length: usize = stated.unwrap_or(app.limits.body);
    if length > app.limits.body {
        return Err(Problem::too_large(app.limits.body));
    }
    let units = u32::try_from(length.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX);
    let bytes = Arc::clone(&app.admission.bytes).try_acquire_many_owned(units);
    match (request, bytes) {
        (Ok(request), Ok(bytes)) => Ok([request, bytes]),
        _ => Err(Problem::busy()),
    }
}

/// Reads and forgets: a connection that is closed with bytes unread loses what was answered.
async fn drain(mut body: Body, most: usize) {
    let mut left = most;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, axum::body::Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, read).await;
}
