//! Waiting for a condition, with a bound and a message that says what was seen last.

use std::{
    fmt::Debug,
    future::Future,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How long anything may take on a machine that two apps, two encoders and two cameras share.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at that nothing announces.
const LOOK: Duration = Duration::from_millis(40);

/// Looks until `is` likes what it sees, and answers it.
///
/// # Errors
/// When it does not within [`PATIENCE`]: with what was seen last.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F, is: impl Fn(&T) -> bool) -> Result<T>
where
    T: Debug,
    F: Future<Output = Result<T>>,
{
    let begun = Instant::now();
    loop {
        let seen = look().await;
        match &seen {
            Ok(value) if is(value) => return seen,
            Ok(_) | Err(_) if begun.elapsed() < PATIENCE => tokio::time::sleep(LOOK).await,
            Ok(value) => bail!("{what}: not within {PATIENCE:?}; seen last: {value:?}"),
            Err(error) => bail!("{what}: not within {PATIENCE:?}; the last look failed: {error:#}"),
        }
    }
}

/// Looks for a while and wants what it sees to stay as it is liked: for things that must not happen.
///
/// # Errors
/// As soon as it is not: with what was seen.
pub async fn stays<T, F>(what: &str, time: Duration, mut look: impl FnMut() -> F, is: impl Fn(&T) -> bool) -> Result<()>
where
    T: Debug,
    F: Future<Output = Result<T>>,
{
    let begun = Instant::now();
    while begun.elapsed() < time {
        let seen = look().await?;
        if !is(&seen) {
            bail!("{what}: not any more after {:?}; seen: {seen:?}", begun.elapsed());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
