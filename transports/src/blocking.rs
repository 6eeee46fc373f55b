//! Code that has to block, without blocking the context that waits for it.

/// Runs something on a thread for such work, and waits for what it returns. Meanwhile the context goes on with the rest.
///
/// The threads are those of the crate [`blocking`](https://docs.rs/blocking): started as they are needed, up to some hundreds, and
/// ended when they are not; what comes beyond that waits for one. Any executor will do.
///
/// # Panics
/// Where it is awaited, if what runs panics: in a method, that is the caller's answer.
///
/// # Cancel safety
/// What has not begun when the future is dropped is not run. What runs is not stopped.
///
/// # Examples
/// ```
/// use handover_transports::{blocking, context};
///
/// let size = context::block_on(async {
///     blocking::unblock(|| std::fs::metadata("Cargo.toml").map(|file| file.len())).await
/// })?;
/// assert!(size > 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn unblock<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    ::blocking::unblock(run).await
}
