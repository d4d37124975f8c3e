//! One connected process a profile: the lock, and the way for another process to ask it to leave a call.
//!
//! A device has one connection to its server, so two connected processes of one profile would cut each other off. The
//! lock is the socket `running.sock`, the same as the app's. A line `leave CID` on it is answered by `done` or
//! `unknown`: leaving while a call rings only dismisses it on this device (R6), which no server can pass on.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use call_client::{CallingState, Client, Leave};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use wire::{CallId, Code};

use crate::{exit::Failure, profile::Profile};

/// How long a process that is about to end is waited for, and how long a running one may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often is looked whether the other is still there.
const LOOKS: u32 = 10;
/// Longest request line.
const MAX_LINE: u64 = 256;

/// Held while a process is connected in the name of a profile.
pub(crate) struct Lock {
    socket: PathBuf,
    listener: Option<UnixListener>,
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
    pub(crate) fn take(profile: &Profile) -> Result<Self, Failure> {
        let socket = socket(profile);
        if is_held(&socket) {
            let message = "another bellbird is connected with this profile, and a device has one connection: end it \
                           first, or sign in one more device with `bellbird invite --me` and another --profile";
            return Err(Failure::refused(Code::Conflict, message));
        }
        _ = std::fs::remove_file(&socket);
        let listener = match UnixListener::bind(&socket) {
            Ok(listener) => Some(listener),
            Err(error) => {
                // A path too long for a socket, mostly: nobody can be asked, and everything else works.
                tracing::warn!(%error, "this profile cannot be locked");
                None
            }
        };
        Ok(Self { socket, listener })
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

/// Somebody holds the lock, and still does after a while: only a process that has ended takes nobody in any more.
fn is_held(socket: &Path) -> bool {
    let pause = PATIENCE / LOOKS;
    for _ in 0..LOOKS {
        let Ok(mut stream) = UnixStream::connect(socket) else { return false };
        _ = stream.set_read_timeout(Some(pause));
        // It says nothing by itself; its end, and that alone for sure, ends the stream at once.
        if stream.read(&mut [0]).is_ok() {
            std::thread::sleep(pause);
        }
    }
    true
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
