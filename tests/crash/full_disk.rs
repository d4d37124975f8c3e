//! A disk that is full, under the real server: what is asked for is refused, nothing is stored by halves, and it goes on
//! when there is room.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use call_client::{CallingState, Leave, Toggle};
use harness::{Log, ServerProcess, eventually, service::User};
use wire::{CallData, CallId, Code, Custom, GetOrCreate, GetOrCreated, MemberData, Outcome, UserId};

use super::run::{LIMITS, everybody};

/// What the log says when a batch could not be stored.
const LOGGED: &str = "the store failed";
/// More than fit into the log's last page on the disk.
const REFUSALS: usize = 40;

#[tokio::test]
async fn a_full_disk_is_unavailable_and_logged_and_no_ring_is_half_stored() -> Result<()> {
    fill_and_clear(Log::Elsewhere).await
}

#[tokio::test]
async fn a_log_that_cannot_be_written_either_ends_nothing() -> Result<()> {
    fill_and_clear(Log::OnTheDisk).await
}

async fn fill_and_clear(log: Log) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = ServerProcess::start_on_small_disk(&data, log, "127.0.0.1:0", &LIMITS).await?;
    let (address, disk) = (server.address().to_owned(), server.own(&data)?);
    let users = everybody(&server).await?;
    let (ann, ben, dee) = (&users[0], &users[1], &users[3]);
    let rung = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&rung, CallingState::Ringing).await?;

    let ballast = fill(&disk)?;
    let refused: CallId = "default:refused".parse()?;
    for _ in 0..REFUSALS {
        let answer = rings(ann, &refused, &dee.account.user).await;
        assert_eq!(answer.map_err(|error| error.code()).map(|_| ()), Err(Some(Code::Unavailable)));
    }
    is_as_if_never_asked(ann, dee, &refused).await?;
    // What a person says meanwhile is not lost: it is repeated until the disk has room again.
    let no = Leave::Reject { reason: wire::Reason::Decline, message: None };
    ben.client.leave(rung.clone(), no).await?;
    // A look that meets his answer on its way to the disk fails with it.
    let told = || outcome(ann, &rung);
    let looked = eventually("somebody looks", told, |_| true).await?;
    assert_eq!(looked, Outcome::Ringing, "what is not stored is not so");
    if log == Log::Elsewhere {
        let logged = || async { Ok(fs::read_to_string(data.join("serve.log"))?.matches(LOGGED).count()) };
        eventually("each refusal is in the log", logged, |times| *times >= REFUSALS).await?;
    }

    fs::remove_file(ballast)?;
    eventually("the disk has room again", told, |outcome| *outcome == Outcome::Declined).await?;
    is_as_if_never_asked(ann, dee, &refused).await?;
    let again: CallId = "default:again".parse()?;
    rings(ann, &again, &dee.account.user).await?;
    dee.is_in(&again, CallingState::Ringing).await?;

    // The disk is gone with its server: what is started again is what a crash would have left on it now.
    let copy = folder.path().join("copy");
    fs::create_dir(&copy)?;
    for name in ["bellbird.db", "bellbird.db-wal", "token-secret", "media-secret"] {
        fs::copy(disk.join(name), copy.join(name))?;
    }
    server.kill().await?;
    let server = ServerProcess::start_with(&copy, &address, &LIMITS).await?;
    is_as_if_never_asked(ann, dee, &refused).await?;
    assert_eq!(outcome(ann, &rung).await?, Outcome::Declined);
    dee.is_in(&again, CallingState::Ringing).await?;
    server.kill().await
}

/// Writes until nothing more can be; answers which file to remove to make room.
fn fill(disk: &Path) -> Result<PathBuf> {
    let path = disk.join("ballast");
    let mut file = File::create(&path)?;
    // The last bytes, too: in ever smaller pieces.
    for size in [64 << 10, 4 << 10, 1] {
        let piece = vec![0; size];
        let full = loop {
            if let Err(error) = file.write_all(&piece) {
                break error;
            }
        };
        ensure!(full.kind() == ErrorKind::StorageFull, "the disk cannot be filled: {full}");
    }
    Ok(path)
}

async fn rings(ann: &User, cid: &CallId, whom: &UserId) -> Result<GetOrCreated, call_client::ClientError> {
    let member = MemberData { user: whom.clone(), role: None, custom: Custom::new() };
    let data = CallData { members: vec![member], ..CallData::default() };
    ann.client.server().get_or_create(cid, &GetOrCreate { ring: true, data, ..GetOrCreate::default() }).await
}

/// There is no call, and nobody rings.
async fn is_as_if_never_asked(caller: &User, rung: &User, cid: &CallId) -> Result<()> {
    let found = caller.client.server().read(cid).await;
    assert_eq!(found.map_err(|error| error.code()).map(|_| ()), Err(Some(Code::CallNotFound)));
    assert!(rung.call(cid).is_none(), "nobody rings for what is not stored");
    let history = rung.client.server().history(None, 100).await?;
    assert!(history.entries.iter().all(|line| line.cid != *cid), "{history:?}");
    Ok(())
}

async fn outcome(ann: &User, cid: &CallId) -> Result<Outcome> {
    let ring = ann.client.server().read(cid).await?.ring.context("a ring")?;
    Ok(ring.targets.first().context("a target")?.outcome)
}
