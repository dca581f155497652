//! Waiting for whoever wants a command to end.

/// The signal that has come.
#[cfg(unix)]
pub(super) async fn caught() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        },
        // Signals end the process by themselves then.
        _ => std::future::pending().await,
    }
}

/// The signal that has come.
#[cfg(not(unix))]
pub(super) async fn caught() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl-C",
        Err(_) => std::future::pending().await,
    }
}
