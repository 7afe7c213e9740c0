//! Connections: taken, timed, and ended in good order.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use super::Limits;

/// The head of a request must be there by then, and the next request of a connection.
const HEAD: Duration = Duration::from_secs(15);
/// A client that takes nothing of an answer for so long is gone.
const STALLED: Duration = Duration::from_secs(30);
/// What is running has so long once the program is told to end.
const ENDING: Duration = Duration::from_secs(8);
/// Bytes of a connection that are held beside its body.
const BUFFER: usize = 64 << 10;

/// Clients that wait to be taken; more must try again.
const WAITING: u32 = 1024;

/// Listens at an address.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the standard library has it: where connections of a server that has ended linger, another may start.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Serves until a signal ends it.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits) -> Result<()> {
    let graceful = GracefulShutdown::new();
    // Some beside those that ask wait for their next request.
    let connections = Arc::new(Semaphore::new(2 * limits.requests));
    let mut end = std::pin::pin!(ended());
    loop {
        let taken = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut end => break,
            taken = taken => taken,
        };
        // Say, no file descriptor is left: one may be in a moment.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(STALLED));
        let io: TokioIo<Pin<Box<_>>> = TokioIo::new(Box::pin(stream));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(BUFFER)
            .serve_connection(io, TowerToHyperService::new(router.clone()));
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            let _permit = permit;
            let _ = watched.await;
        });
    }
    drop(listener);
    tokio::select! {
        _ = tokio::time::timeout(ENDING, graceful.shutdown()) => {}
        // Asked twice, it does not wait.
        () = self::ended() => {}
    }
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn ended() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        if let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
