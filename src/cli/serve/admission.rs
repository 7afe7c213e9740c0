//! How much is taken at once: requests, bytes, time.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::{App, Limits};

/// Bytes are counted in KiB: a semaphore counts by 32 bits.
const UNIT: usize = 1 << 10;
/// So many bodies of the largest size are held at once, and so many answers.
const BODIES: usize = 8;
const ANSWERS: usize = 3;
/// The most bytes of an answer: 128 MiB.
pub const LARGEST_ANSWER: usize = 128 << 20;
/// What is sent with a request that is refused is read so long, so that the client comes to read why.
const LINGER: Duration = Duration::from_secs(10);
/// Of an answer so much is handed to the connection at a time: what lies there is not counted any more.
const SLICE: usize = 64 << 10;

/// What is free.
pub struct Admission {
    requests: Arc<Semaphore>,
    /// Of bodies, in units.
    bytes: Arc<Semaphore>,
    /// Of answers, in units.
    answers: Arc<Semaphore>,
    /// Those that compute.
    jobs: Arc<Semaphore>,
}

/// The place of a request and of its body, free again when the last clone is dropped.
#[derive(Clone)]
pub struct Held {
    _permits: Arc<[OwnedSemaphorePermit; 2]>,
}

impl Admission {
    pub fn new(limits: &Limits, threads: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            requests: semaphore(limits.requests),
            bytes: semaphore(BODIES * limits.body / UNIT),
            answers: semaphore(ANSWERS * LARGEST_ANSWER / UNIT),
            jobs: semaphore(threads),
        }
    }

    /// Computes, as soon as one may. What is computed can know whether it is still asked for; its place is held until it ends,
    /// whoever has gone by then.
    pub async fn run<T: Send + 'static>(
        &self,
        held: Held,
        compute: impl FnOnce(&StillAsked) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let job = Arc::clone(&self.jobs).acquire_owned().await.map_err(|_| Problem::busy())?;
        // Dropped with the request: where the client hung up, or the time is over.
        let asked = Arc::new(());
        let still = StillAsked(Arc::downgrade(&asked));
        let computed = tokio::task::spawn_blocking(move || {
            let (_job, _held) = (job, held);
            compute(&still)
        });
        let computed = computed.await.unwrap_or_else(|_| Err(Problem::failed()));
        drop(asked);
        computed
    }

    /// An answer, sent as fast as it is taken.
    pub fn body(&self, answer: Vec<u8>) -> Result<Body, Problem> {
        let units = u32::try_from(answer.len().div_ceil(UNIT)).unwrap_or(u32::MAX);
        let held = Arc::clone(&self.answers).try_acquire_many_owned(units).map_err(|_| Problem::busy())?;
        Ok(Body::new(Slices { left: answer.into(), _held: held }))
    }
}

/// Whether an answer is still waited for.
pub struct StillAsked(Weak<()>);

impl StillAsked {
    /// # Errors
    /// Where it is not; nobody reads them.
    pub fn check(&self) -> Result<(), Problem> {
        if self.0.strong_count() > 0 { Ok(()) } else { Err(Problem::busy()) }
    }
}

/// A body in slices, which holds its place until the last is taken.
struct Slices {
    left: Bytes,
    _held: OwnedSemaphorePermit,
}

impl HttpBody for Slices {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let slice = self.left.len().min(SLICE);
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(slice)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

/// Takes a request if there is room for it, and gives it its time.
pub async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match place(&app, request.body()) {
        Ok(held) => {
            request.extensions_mut().insert(held);
        }
        Err(problem) => {
            tokio::spawn(drain(request.into_body(), BODIES * app.limits.body));
            return problem.at(&path);
        }
    }
    match tokio::time::timeout(app.limits.time, next.run(request)).await {
        Ok(answered) => answered,
        Err(_) => Problem::took_too_long(app.limits.time.as_secs()).at(&path),
    }
}

/// The place of a request with such a body: none in bytes without one, the largest where its length is not said.
fn place(app: &App, body: &Body) -> Result<Held, Problem> {
    let length =
        body.size_hint().upper().map_or(app.limits.body, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if length > app.limits.body {
        return Err(Problem::too_large(app.limits.body));
    }
    let units = u32::try_from(length.div_ceil(UNIT)).unwrap_or(u32::MAX);
    let request = Arc::clone(&app.admission.requests).try_acquire_owned();
    let bytes = Arc::clone(&app.admission.bytes).try_acquire_many_owned(units);
    match (request, bytes) {
        (Ok(request), Ok(bytes)) => Ok(Held { _permits: Arc::new([request, bytes]) }),
        _ => Err(Problem::busy()),
    }
}

/// Waits for what a client sends, but not for one that falls silent: it takes the place of others.
pub async fn arriving<T>(app: &App, body: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    /// Of the largest body, half a minute is 1 MiB a second.
    const ARRIVING: Duration = Duration::from_secs(30);
    let time = ARRIVING.min(app.limits.time);
    let late = || {
        Problem::new(StatusCode::REQUEST_TIMEOUT, format!("the body did not arrive within {} seconds", time.as_secs()))
    };
    tokio::time::timeout(time, body).await.unwrap_or_else(|_| Err(late()))
}

/// Reads and forgets: a connection that is closed with bytes unread loses what was answered.
async fn drain(mut body: Body, most: usize) {
    let mut left = most;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, read).await;
}
