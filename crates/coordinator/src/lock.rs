//! One server a data folder: two would each know half of what happens.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use tokio::time::{sleep, timeout};

use crate::{access::open_private, error::StartError};

/// In the data folder: whoever holds it is the server.
pub(crate) const LOCK: &str = "lock";
/// How long a server that is just ending is waited for.
const OLD_SERVER: Duration = Duration::from_secs(3);

/// The data folder for this server alone.
pub(crate) async fn locked(data: &Path) -> Result<File, StartError> {
    let lock = open_private(&data.join(LOCK))?;
    // The system tells nobody that a lock was let go; waiting for it in a thread could not be given up.
    let waiting = async {
        while let Err(TryLockError::WouldBlock) = lock.try_lock() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let in_use = |_| StartError::InUse { data: data.to_owned() };
    timeout(OLD_SERVER, waiting).await.map_err(in_use)?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_folder_is_one_servers() {
        let folder = tempfile::tempdir().unwrap();
        let first = locked(folder.path()).await.unwrap();
        assert!(matches!(locked(folder.path()).await, Err(StartError::InUse { data }) if data == folder.path()));
        drop(first);
        locked(folder.path()).await.unwrap();
    }
}
