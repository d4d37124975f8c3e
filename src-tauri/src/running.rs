//! What other processes of the same profile ask of this one: a further start of the app wants the window shown, the command
//! line wants a call left.

use std::io;

use call_client::{ClientState, Leave};
use tauri::{AppHandle, Manager as _};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};
use wire::CallId;

use crate::{desk::Desk, profile::Lock, ringing::is_on, windows::show_main};

/// What a further start of the app says.
pub(crate) const SHOW: &str = "show\n";
/// Longest request line.
const MAX_LINE: u64 = 256;

/// What another process wants.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Show,
    Leave(CallId),
    Nothing,
}

/// Answers other processes of this profile from now on, and holds the profile while the app runs.
pub(crate) fn answer(app: &AppHandle, lock: Lock) -> io::Result<()> {
    app.manage(lock.file);
    let Some(listener) = lock.listener else { return Ok(()) };
    listener.set_nonblocking(true)?;
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let listener = match tokio::net::UnixListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::warn!(%error, "a second start will not show the window"),
        };
        while let Ok((stream, _)) = listener.accept().await {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Err(error) = answer_one(&app, stream).await {
                    tracing::debug!(%error, "another process of this profile went away");
                }
            });
        }
    });
    Ok(())
}

async fn answer_one(app: &AppHandle, stream: UnixStream) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    match asked(&line) {
        Asked::Show => show_main(app),
        Asked::Leave(cid) => {
            let is_left = leave(app, &cid).await;
            write.write_all(if is_left { b"done\n" } else { b"unknown\n" }).await?;
        }
        Asked::Nothing => {}
    }
    Ok(())
}

fn asked(line: &str) -> Asked {
    let line = line.trim();
    if line == SHOW.trim() {
        return Asked::Show;
    }
    line.strip_prefix("leave ").and_then(|cid| cid.parse().ok()).map_or(Asked::Nothing, Asked::Leave)
}

/// Leaves a call that rings or is joined here; says whether there was one.
async fn leave(app: &AppHandle, cid: &CallId) -> bool {
    let Ok(client) = app.state::<Desk>().client() else { return false };
    let is_here = |state: &ClientState| state.call(cid).is_some_and(|call| call.is_ringing() || is_on(call));
    let is_here = is_here(&client.state().borrow());
    is_here && client.leave(cid.clone(), Leave::Plain).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_wish_asks_for_nothing() {
        assert_eq!(asked(SHOW), Asked::Show);
        assert_eq!(asked("leave default:x\n"), Asked::Leave("default:x".parse().unwrap()));
        for line in ["", "leave\n", "leave nothing\n", "fly\n"] {
            assert_eq!(asked(line), Asked::Nothing, "{line:?}");
        }
    }
}
