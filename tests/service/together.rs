//! What people in a call do to and for each other, and what is told to all their devices.

use std::time::Duration;

use anyhow::{Context as _, Result};
use call_client::{CallingState, JoinOptions, Leave, Toggle};
use harness::service::{Service, User};
use serde_json::json;
use wire::{Code, Custom, Event, HistoryOutcome, MemberData, UpdateMembers};

/// Ann and ben are in the call, ben with two devices of which the other one came in last.
struct Together {
    _service: Service,
    ann: User,
    ben: User,
    laptop: User,
    cem: User,
    cid: wire::CallId,
}

async fn together() -> Result<Together> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let laptop = ben.another_device().await?;
    let cid: wire::CallId = "default:room".parse()?;
    let create = JoinOptions { create: true, video: Toggle::Off };
    for user in [&ben, &ann, &laptop] {
        user.client.join(cid.clone(), create).await?;
        user.is_in(&cid, CallingState::Joined).await?;
    }
    Ok(Together { _service: service, ann, ben, laptop, cem, cid })
}

#[tokio::test]
async fn signs_and_own_events_reach_every_device_in_the_call_once_and_nobody_else() -> Result<()> {
    let Together { _service, ann, ben, laptop, cem, cid } = together().await?;
    let mut heard = [&ann, &ben, &laptop].map(|user| user.client.notices());
    let mut outside = cem.client.notices();
    let data: Custom = serde_json::from_value(json!({"page": 3}))?;
    ann.client.server().react(&cid, "👍").await?;
    ann.client.server().send_event(&cid, data.clone()).await?;
    for notices in &mut heard {
        let (first, second) = (notices.recv().await?, notices.recv().await?);
        assert!(
            matches!(&first, Event::Reaction { user, reaction, .. } if *user == ann.account.user && reaction == "👍")
        );
        assert!(matches!(&second, Event::Custom { data: told, .. } if *told == data), "{second:?}");
    }
    assert!(outside.try_recv().is_err(), "who is not in the call hears nothing");
    let outsider = cem.client.server().react(&cid, "👍").await;
    assert_eq!(outsider.map_err(|error| error.code()), Err(Some(Code::Conflict)));
    Ok(())
}

#[tokio::test]
async fn a_pin_is_there_for_everybody_until_it_is_taken_away() -> Result<()> {
    let Together { _service, ann, ben, cid, .. } = together().await?;
    let server = ben.client.server();
    server.pin(&cid, &ann.account.user).await?;
    assert!(ann.client.server().read(&cid).await?.call.pinned.contains(&ann.account.user));
    server.unpin(&cid, &ann.account.user).await?;
    assert!(ann.client.server().read(&cid).await?.call.pinned.is_empty());
    Ok(())
}

#[tokio::test]
async fn members_are_added_changed_and_taken_off_with_what_they_carry() -> Result<()> {
    let Together { _service, ann, ben, cem, cid, .. } = together().await?;
    let member = |user: &User, role: &str, seat: u32| -> Result<MemberData> {
        let custom = serde_json::from_value(json!({ "seat": seat }))?;
        Ok(MemberData { user: user.account.user.clone(), role: Some(role.to_owned()), custom })
    };
    let server = ben.client.server();
    let set = vec![member(&ann, "speaker", 1)?, member(&cem, "member", 2)?];
    server.update_members(&cid, &UpdateMembers { set, remove: Vec::new() }).await?;
    let set = vec![member(&cem, "host", 3)?];
    server.update_members(&cid, &UpdateMembers { set, remove: vec![ann.account.user.clone()] }).await?;
    let members = server.read(&cid).await?.call.members.clone();
    assert!(members.iter().all(|known| known.user != ann.account.user));
    let known = members.iter().find(|known| known.user == cem.account.user).context("cem")?;
    assert_eq!((known.role.as_str(), known.custom.get("seat")), ("host", Some(&json!(3))));
    Ok(())
}

#[tokio::test]
async fn the_history_says_who_was_there_and_how_long_over_all_stints() -> Result<()> {
    const STINT: Duration = Duration::from_millis(1_200);
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let cid = ann.client.ring(vec![ben.account.user.clone(), cem.account.user.clone()], Toggle::Off).await?;
    for callee in [&ben, &cem] {
        callee.is_in(&cid, CallingState::Ringing).await?;
        callee.client.join(cid.clone(), JoinOptions::default()).await?;
        callee.is_in(&cid, CallingState::Joined).await?;
    }
    ann.is_in(&cid, CallingState::Joined).await?;
    // Ben goes and comes back; the others stay.
    for _ in 0..2 {
        tokio::time::sleep(STINT).await;
        ben.client.leave(cid.clone(), Leave::Plain).await?;
        ben.is_in(&cid, CallingState::Left).await?;
        ben.client.join(cid.clone(), JoinOptions::default()).await?;
        ben.is_in(&cid, CallingState::Joined).await?;
    }
    ann.client.end(cid.clone()).await?;
    for user in [&ann, &ben, &cem] {
        let at_least = u32::try_from(2 * STINT.as_millis())?;
        let is_told = |line: &call_client::HistoryView| {
            line.cid == cid && line.outcome == HistoryOutcome::Answered && line.duration_ms >= at_least
        };
        let state = user.sees("how long it was", |state| state.history.iter().any(is_told)).await?;
        assert_eq!(state.history.len(), 1, "one line for one call: {:#?}", state.history);
        assert_eq!(state.history[0].caller, ann.account.user);
    }
    Ok(())
}

#[tokio::test]
async fn missed_calls_that_were_looked_at_are_so_on_every_device_and_history_comes_by_the_page() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let laptop = ben.another_device().await?;
    for _ in 0..3 {
        let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
        ben.is_in(&cid, CallingState::Ringing).await?;
        ann.client.leave(cid.clone(), Leave::Plain).await?;
        ben.is_in(&cid, CallingState::Left).await?;
    }
    let unseen = |count: usize| {
        move |state: &call_client::ClientState| {
            let missed = state.history.iter().filter(|line| line.outcome == HistoryOutcome::Missed && line.unseen);
            missed.count() == count
        }
    };
    for device in [&ben, &laptop] {
        device.sees("three missed calls", unseen(3)).await?;
    }
    ben.client.mark_missed_seen().await?;
    for device in [&ben, &laptop] {
        device.sees("none that was not looked at", unseen(0)).await?;
    }
    let server = ben.client.server();
    let first = server.history(None, 2).await?;
    assert_eq!(first.entries.len(), 2);
    let second = server.history(first.next, 2).await?;
    assert_eq!((second.entries.len(), second.next), (1, None));
    let mut ids: Vec<i64> = first.entries.iter().chain(&second.entries).map(|line| line.id).collect();
    assert!(ids.is_sorted_by(|one, other| one > other), "newest first: {ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // Nobody else's.
    let others = service.person("eve").await?.client.server().history(None, 10).await?;
    assert!(others.entries.is_empty());
    Ok(())
}
