//! One connected process a profile: the lock, and the way for another process to ask it to leave a call.
//!
//! A device has one connection to its server, so two connected processes of one profile would cut each other off. The
//! lock is on `running.lock`, the app's as well; the system lets it go when its holder ends, however he ends. `running.sock`
//! is for talking. A line `leave CID` on it is answered by `done` or `unknown`: leaving while a call rings only dismisses
//! it on this device (R6), which no server can pass on.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::OpenOptionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use call_client::{CallingState, Client, Leave};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _},
    time::{sleep, timeout},
};
use wire::{CallId, Code};

use crate::{exit::Failure, profile::Profile};

/// How long a process that is about to end is waited for, and how long a running one may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often is looked whether the other is still there.
const LOOK: Duration = Duration::from_millis(50);
/// Longest request line.
const MAX_LINE: u64 = 256;

/// Held while a process is connected in the name of a profile.
#[derive(Debug)]
pub(crate) struct Lock {
    socket: PathBuf,
    listener: Option<UnixListener>,
    /// Let go last.
    _file: Option<File>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.socket);
    }
}

fn socket(profile: &Profile) -> PathBuf {
    profile.folder().join("running.sock")
}

impl Lock {
    /// Takes the lock; a process that is just ending is waited for.
    pub(crate) async fn take(profile: &Profile) -> Result<Self, Failure> {
        let socket = socket(profile);
        let file = timeout(PATIENCE, locked(&profile.folder().join("running.lock"))).await.map_err(|_| held())?;
        let file = file.inspect_err(|error| tracing::warn!(%error, "this profile cannot be locked")).ok();
        _ = std::fs::remove_file(&socket);
        let listener = match UnixListener::bind(&socket) {
            Ok(listener) => Some(listener),
            Err(error) => {
                // A path too long for a socket, mostly: nobody can be asked, and everything else works.
                tracing::warn!(%error, "other processes cannot ask this one to leave a call");
                None
            }
        };
        Ok(Self { socket, listener, _file: file })
    }

    /// Answers other processes of this profile from now on.
    pub(crate) fn serve(&mut self, client: &Client) {
        let Some(listener) = self.listener.take() else { return };
        let listening = listener.set_nonblocking(true).and_then(|()| tokio::net::UnixListener::from_std(listener));
        let Ok(listener) = listening else { return };
        let client = client.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let client = client.clone();
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &client).await {
                        tracing::debug!(%error, "another process of this profile went away");
                    }
                });
            }
        });
    }
}

fn held() -> Failure {
    let message = "another bellbird is connected with this profile, and a device has one connection: end it first, or \
                   sign in one more device with `bellbird invite --me` and another --profile";
    Failure::refused(Code::Conflict, message)
}

/// This file, as soon as no other process holds it; the system tells nobody that a lock was let go.
async fn locked(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(LOOK).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

async fn answer(stream: tokio::net::UnixStream, client: &Client) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    let cid = line.trim().strip_prefix("leave ").and_then(|cid| cid.parse::<CallId>().ok());
    let answer = match cid.filter(|cid| is_on(client, cid)) {
        Some(cid) if client.leave(cid.clone(), Leave::Plain).await.is_ok() => "done\n",
        Some(_) | None => "unknown\n",
    };
    write.write_all(answer.as_bytes()).await
}

/// The call rings or is joined in this process.
fn is_on(client: &Client, cid: &CallId) -> bool {
    let state = client.state();
    let state = state.borrow();
    state.calls.iter().any(|call| {
        call.cid == *cid
            && match call.state.calling_state {
                CallingState::Ringing | CallingState::Joining | CallingState::Joined | CallingState::Reconnecting => {
                    true
                }
                CallingState::Idle | CallingState::Left | CallingState::Ended => false,
            }
    })
}

/// Asks the connected process of a profile to leave a call; says whether it did.
pub(crate) fn ask_to_leave(profile: &Profile, cid: &CallId) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = UnixStream::connect(socket(profile))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("leave {cid}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream.take(MAX_LINE)).read_line(&mut answer)?;
        Ok(answer.trim() == "done")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use tempfile::TempDir;

    use super::*;

    fn profile(folder: &Path) -> Profile {
        Profile::new(Some(folder.to_owned()))
    }

    #[tokio::main(flavor = "current_thread")]
    async fn take(profile: &Profile) -> Result<Lock, Failure> {
        Lock::take(profile).await
    }

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn of_many_that_want_a_profile_at_once_one_gets_it() {
        let folder = folder();
        let (profile, start) = (profile(folder.path()), Barrier::new(8));
        let taken: Vec<_> = thread::scope(|scope| {
            let take = || {
                start.wait();
                take(&profile)
            };
            let taking: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            taking.into_iter().map(|taking| taking.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 1, "{taken:?}");
        assert!(UnixStream::connect(socket(&profile)).is_ok(), "who has it can be asked");
    }

    #[test]
    fn a_profile_too_deep_for_a_socket_is_one_processs_as_well() {
        let folder = folder();
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let held = take(&profile(&deep)).unwrap();
        assert_eq!(take(&profile(&deep)).unwrap_err().message(), super::held().message());
        drop(held);
        take(&profile(&deep)).unwrap();
    }
}
