//! Section 2 of the calling model, row by row.

use anyhow::{Context as _, Result};
use call_client::{CallingState, EndReason, JoinOptions, Leave, Toggle};
use harness::service::{Service, User};
use serde_json::json;
use wire::{CallData, CallId, Capability, Code, Direction, Event, GetOrCreate, MemberData, Outcome, Reason, UserId};

fn cid(text: &str) -> CallId {
    text.parse().expect("a call id")
}

fn member(user: &User) -> MemberData {
    MemberData { user: user.account.user.clone(), role: None, custom: wire::Custom::new() }
}

fn with(members: Vec<MemberData>) -> GetOrCreate {
    GetOrCreate { data: CallData { members, ..CallData::default() }, ..GetOrCreate::default() }
}

fn create() -> JoinOptions {
    JoinOptions { create: true, video: Toggle::Off }
}

fn existing() -> JoinOptions {
    JoinOptions { create: false, video: Toggle::Off }
}

fn code(error: call_client::ClientError) -> Option<Code> {
    error.code()
}

/// Ann rings some people; answers the call once everybody's device shows it.
async fn rings(ann: &User, others: &[&User]) -> Result<CallId> {
    let people: Vec<UserId> = others.iter().map(|user| user.account.user.clone()).collect();
    let cid = ann.client.ring(people, Toggle::Off).await?;
    ann.is_in(&cid, CallingState::Ringing).await?;
    for other in others {
        other.is_in(&cid, CallingState::Ringing).await?;
    }
    Ok(cid)
}

#[tokio::test]
async fn s01_join_with_create_creates_and_joins() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    ann.client.join(cid("default:meeting"), create()).await?;
    let call = ann.is_in(&cid("default:meeting"), CallingState::Joined).await?;
    assert!(call.is_created_by_me);
    Ok(())
}

#[tokio::test]
async fn s02_the_type_decides_features_and_permissions() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let room = ann.client.server().get_or_create(&cid("audio_room:a"), &GetOrCreate::default()).await?;
    assert!(!room.state.call.settings.video.enabled && room.state.call.settings.backstage.enabled);
    assert!(!room.state.own_capabilities.contains(&Capability::SendVideo));
    let call = ann.client.server().get_or_create(&cid("default:a"), &GetOrCreate::default()).await?;
    assert!(call.state.own_capabilities.contains(&Capability::SendVideo));
    let unknown = ann.client.server().get_or_create(&cid("unheard:a"), &GetOrCreate::default()).await;
    assert_eq!(unknown.map(|_| ()).map_err(code), Err(Some(Code::InvalidRequest)));
    Ok(())
}

#[tokio::test]
async fn s03_without_create_only_an_existing_call_is_joined() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let joined = ann.client.join(cid("default:nowhere"), existing()).await;
    assert_eq!(joined.map_err(code), Err(Some(Code::CallNotFound)));
    Ok(())
}

#[tokio::test]
async fn s04_get_or_create_does_not_join() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let first = ann.client.server().get_or_create(&cid("default:a"), &GetOrCreate::default()).await?;
    let second = ann.client.server().get_or_create(&cid("default:a"), &GetOrCreate::default()).await?;
    assert_eq!((first.created, second.created), (true, false));
    assert_eq!(second.state.call.session, None);
    Ok(())
}

#[tokio::test]
async fn s05_who_leaves_goes_alone() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let cid = rings(&ann, &[&ben, &cem]).await?;
    for callee in [&ben, &cem] {
        callee.client.join(cid.clone(), existing()).await?;
        callee.is_in(&cid, CallingState::Joined).await?;
    }
    ann.is_in(&cid, CallingState::Joined).await?;
    ben.client.leave(cid.clone(), Leave::Plain).await?;
    ben.is_in(&cid, CallingState::Left).await?;
    let there = |count: usize| {
        move |state: &wire::CallState| {
            state.call.session.as_ref().is_some_and(|session| session.participants.len() == count)
        }
    };
    let look = || async { Ok(ann.client.server().read(&cid).await?) };
    harness::eventually("two are left", look, there(2)).await?;
    assert_eq!(cem.call(&cid).context("cem's call")?.state.calling_state, CallingState::Joined);
    Ok(())
}

#[tokio::test]
async fn s06_end_needs_a_permission_and_ends_for_everyone() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let cid = rings(&ann, &[&ben, &cem]).await?;
    ben.client.join(cid.clone(), existing()).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    assert_eq!(ben.client.end(cid.clone()).await.map_err(code), Err(Some(Code::PermissionDenied)));
    ann.client.end(cid.clone()).await?;
    for user in [&ann, &ben, &cem] {
        let over =
            |call: &call_client::CallView| matches!(call.state.calling_state, CallingState::Ended | CallingState::Left);
        user.sees_call(&cid, "the end", over).await?;
    }
    Ok(())
}

#[tokio::test]
async fn s07_an_ended_call_is_joined_only_by_who_may() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let request = with(vec![member(&ben)]);
    ann.client.server().get_or_create(&cid("default:a"), &request).await?;
    ann.client.end(cid("default:a")).await?;
    let refused = ben.client.server().join(&cid("default:a"), &wire::Join::default()).await;
    assert_eq!(refused.map(|_| ()).map_err(code), Err(Some(Code::CallEnded)));
    ann.client.join(cid("default:a"), existing()).await?;
    ann.is_in(&cid("default:a"), CallingState::Joined).await?;
    Ok(())
}

#[tokio::test]
async fn s08_ring_with_members_rings_and_adds_the_caller() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let request = GetOrCreate { ring: true, ..with(vec![member(&ben)]) };
    let state = ann.client.get_or_create(cid("default:a"), request).await?;
    let on_list = |user: &User| state.call.members.iter().any(|member| member.user == user.account.user);
    assert!(on_list(&ann) && on_list(&ben));
    ben.is_in(&cid("default:a"), CallingState::Ringing).await?;
    Ok(())
}

#[tokio::test]
async fn s09_the_caller_joins_by_itself_at_the_first_accept_and_only_then() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let cid = rings(&ann, &[&ben, &cem]).await?;
    ben.client.join(cid.clone(), existing()).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    ben.is_in(&cid, CallingState::Joined).await?;
    ann.client.leave(cid.clone(), Leave::Plain).await?;
    ann.is_in(&cid, CallingState::Left).await?;
    // The second accept finds her gone, and does not fetch her back.
    cem.client.join(cid.clone(), existing()).await?;
    cem.is_in(&cid, CallingState::Joined).await?;
    let is_in = || async {
        Ok(ann
            .call(&cid)
            .is_some_and(|call| matches!(call.state.calling_state, CallingState::Joining | CallingState::Joined)))
    };
    harness::stays("ann stays out", std::time::Duration::from_secs(1), is_in, |is_in| !is_in).await
}

#[tokio::test]
async fn s09_the_caller_joins_by_itself_when_a_snapshot_tells_of_the_accept() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    let account = ann.account.clone();
    // Without a word, as when the app is killed: nothing tells her device of the accept.
    drop(ann);
    ben.client.join(cid.clone(), existing()).await?;
    ben.is_in(&cid, CallingState::Joined).await?;
    let ann = User::connect(account).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    let call = ann.client.server().read(&cid).await?.call;
    assert_eq!(call.session.as_ref().map(|session| session.participants.len()), Some(2));
    Ok(())
}

#[tokio::test]
async fn s10_calling_stops_when_every_callee_has_rejected() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let cid = rings(&ann, &[&ben, &cem]).await?;
    let no = Leave::Reject { reason: Reason::Decline, message: None };
    ben.client.leave(cid.clone(), no.clone()).await?;
    ben.is_in(&cid, CallingState::Left).await?;
    assert_eq!(ann.call(&cid).context("ann's call")?.state.calling_state, CallingState::Ringing);
    cem.client.leave(cid.clone(), no).await?;
    let call = ann.is_in(&cid, CallingState::Left).await?;
    assert_eq!(call.state.reason, Some(EndReason::Declined));
    Ok(())
}

#[tokio::test]
async fn s11_every_device_of_every_callee_rings() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let tablet = ben.another_device().await?;
    let cid = rings(&ann, &[&ben, &cem, &tablet]).await?;
    tablet.client.alerted(cid.clone()).await?;
    let alerted =
        |call: &call_client::CallView| call.ring.iter().flat_map(|ring| &ring.targets).any(|target| target.alerted);
    ann.sees_call(&cid, "that ben is alerted", alerted).await?;
    Ok(())
}

#[tokio::test]
async fn s12_calls_are_watched_by_state_and_direction() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    let (out, incoming) = (ann.call(&cid).context("ann's")?, ben.call(&cid).context("ben's")?);
    assert_eq!((out.direction, out.is_created_by_me), (Direction::Outgoing, true));
    assert_eq!((incoming.direction, incoming.is_created_by_me), (Direction::Incoming, false));
    Ok(())
}

#[tokio::test]
async fn s13_the_caller_cancels_until_the_first_accept() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    ann.client.leave(cid.clone(), Leave::Plain).await?;
    let call = ben.is_in(&cid, CallingState::Left).await?;
    assert_eq!(call.state.reason, Some(EndReason::Cancelled));
    Ok(())
}

#[tokio::test]
async fn s13_a_ring_whose_answer_never_came_is_shown_all_the_same_and_cancelled() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let request = GetOrCreate { ring: true, ..with(vec![member(&ben)]) };
    // Past her device, as if the answer had been lost on its way: it knows of the ring by the event alone.
    ann.client.server().get_or_create(&cid("default:lost"), &request).await?;
    ann.is_in(&cid("default:lost"), CallingState::Ringing).await?;
    ann.client.leave(cid("default:lost"), Leave::Plain).await?;
    let call = ben.is_in(&cid("default:lost"), CallingState::Left).await?;
    assert_eq!(call.state.reason, Some(EndReason::Cancelled));
    Ok(())
}

#[tokio::test]
async fn s14_leaving_after_joining_does_not_stop_the_ringing_of_the_others() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let cid = rings(&ann, &[&ben, &cem]).await?;
    ben.client.join(cid.clone(), existing()).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    ann.client.leave(cid.clone(), Leave::Plain).await?;
    ann.is_in(&cid, CallingState::Left).await?;
    let look = || async { Ok(cem.call(&cid).map(|call| call.state.calling_state)) };
    let time = std::time::Duration::from_secs(1);
    harness::stays("cem rings on", time, look, |state| *state == Some(CallingState::Ringing)).await?;
    cem.client.join(cid.clone(), existing()).await?;
    cem.is_in(&cid, CallingState::Joined).await?;
    Ok(())
}

#[tokio::test]
async fn s15_a_callee_accepts_with_join() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    ben.client.join(cid.clone(), existing()).await?;
    ben.is_in(&cid, CallingState::Joined).await?;
    let accepted = |call: &call_client::CallView| {
        call.ring.iter().flat_map(|ring| &ring.targets).all(|target| target.outcome == Outcome::Accepted)
    };
    ann.sees_call(&cid, "the accept", accepted).await?;
    Ok(())
}

#[tokio::test]
async fn s16_several_calls_are_joined_at_once() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    for name in ["default:a", "default:b"] {
        ann.client.join(cid(name), create()).await?;
        ann.is_in(&cid(name), CallingState::Joined).await?;
    }
    assert_eq!(ann.call(&cid("default:a")).context("the first")?.state.calling_state, CallingState::Joined);
    Ok(())
}

#[tokio::test]
async fn s17_a_callee_rejects_with_reason_and_message() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    let busy = Leave::Reject { reason: Reason::Busy, message: Some("in a meeting, 10 min".to_owned()) };
    ben.client.leave(cid.clone(), busy).await?;
    let call = ann.is_in(&cid, CallingState::Left).await?;
    assert_eq!(call.state.reason, Some(EndReason::Busy));
    let target = call.ring.and_then(|ring| ring.targets.into_iter().next()).context("a target")?;
    assert_eq!((target.outcome, target.message.as_deref()), (Outcome::Busy, Some("in a meeting, 10 min")));
    Ok(())
}

#[tokio::test]
async fn s18_creation_options_are_kept_checked_and_obeyed() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person_with("ann", wire::Role::User, Some("sales")).await?;
    let (ben, eve) = (service.person_with("ben", wire::Role::User, Some("sales")).await?, service.person("eve").await?);
    let mut notices = ben.client.notices();
    let mut request = with(vec![MemberData { role: Some("speaker".to_owned()), ..member(&ben) }]);
    request.notify = true;
    request.data.custom = serde_json::from_value(json!({"topic": "tea"}))?;
    request.data.settings = Some(json!({"ring": {"timeout_ms": 20_000}}));
    request.data.starts_at = Some(wire::UnixMillis(4_000_000_000_000));
    request.data.team = Some("sales".to_owned());
    let state = ann.client.get_or_create(cid("default:plan"), request.clone()).await?;
    assert_eq!(state.call.settings.ring.timeout_ms, 20_000);
    assert_eq!(
        state.call.members.iter().find(|known| known.role == "speaker").map(|known| &known.user),
        Some(&ben.account.user)
    );
    assert_eq!(state.ring, None, "nothing rings by itself");
    let told = notices.recv().await?;
    assert!(matches!(told, Event::Notified { starts_at: Some(_), .. }), "{told:?}");
    assert_eq!(
        eve.client.server().read(&cid("default:plan")).await.map(|_| ()).map_err(code),
        Err(Some(Code::CallNotFound))
    );
    request.data.settings = Some(json!({"ring": {"timeout_ms": 1}}));
    let refused = ann.client.get_or_create(cid("default:other"), request).await.expect_err("a bad setting");
    assert_eq!(refused.body().field.as_deref(), Some("data.settings.ring.timeout_ms"));
    Ok(())
}
