//! R10 to R19: how long a ring lasts, and what ends it.

use super::*;

#[tokio::test]
async fn r10_a_ring_lasts_as_long_as_the_call_says() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings_briefly(&ann, &ben).await?;
    let look = || async { Ok(ben.call(&cid).map(|call| call.state.calling_state)) };
    stays("it rings", Duration::from_secs(4), look, |state| *state != Some(CallingState::Left)).await?;
    let call = ben.is_in(&cid, CallingState::Left).await?;
    assert_eq!(call.state.reason, Some(EndReason::Timeout));
    Ok(())
}

#[tokio::test]
async fn r10_a_ring_lasts_5_to_180_seconds_and_45_unless_told() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let ring_for = async |name: &str, timeout: Option<u32>| {
        let settings = timeout.map(|timeout| json!({"ring": {"timeout_ms": timeout}}));
        let members = vec![MemberData { user: ben.account.user.clone(), role: None, custom: wire::Custom::new() }];
        let data = CallData { members, settings, ..CallData::default() };
        let cid: CallId = format!("default:{name}").parse().expect("a cid");
        let request = GetOrCreate { ring: true, data, ..GetOrCreate::default() };
        ann.client.server().get_or_create(&cid, &request).await
    };
    for timeout in [0, 4_999, 180_001, u32::MAX] {
        let refused = ring_for("refused", Some(timeout)).await.expect_err("out of bounds");
        assert_eq!(refused.body().field.as_deref(), Some("data.settings.ring.timeout_ms"), "{timeout}");
    }
    for (name, timeout, lasts) in
        [("usual", None, 45_000), ("shortest", Some(5_000), 5_000), ("longest", Some(180_000), 180_000)]
    {
        let ring = ring_for(name, timeout).await?.state.ring.context("a ring")?;
        assert!((lasts - 1_000..=lasts).contains(&ring.remaining_ms), "{name}: {}", ring.remaining_ms);
        ann.client.server().end(&ring.cid).await?;
    }
    Ok(())
}

#[tokio::test]
async fn r11_a_caller_that_comes_back_in_time_rings_on() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    let account = ann.account.clone();
    drop(ann);
    let look = || async { Ok(ben.call(&cid).map(|call| call.state.calling_state)) };
    let is_ringing = |state: &Option<CallingState>| *state == Some(CallingState::Ringing);
    stays("it rings without her", Duration::from_secs(5), look, is_ringing).await?;
    let back = User::connect(account).await?;
    back.is_in(&cid, CallingState::Ringing).await?;
    stays("it rings on", Duration::from_secs(8), look, is_ringing).await
}

#[tokio::test]
async fn r11_a_caller_that_vanishes_cancels_after_ten_seconds() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    // Without a word: the client's connection goes with the client.
    drop(ann);
    let look = || async { Ok(ben.call(&cid).map(|call| call.state.calling_state)) };
    stays("it rings on at first", Duration::from_secs(7), look, |state| *state == Some(CallingState::Ringing)).await?;
    let call = ben.is_in(&cid, CallingState::Left).await?;
    assert_eq!(call.state.reason, Some(EndReason::Cancelled));
    Ok(())
}

#[tokio::test]
async fn r12_an_answered_ring_is_never_rung_again() -> Result<()> {
    let mut service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    ben.client.join(cid.clone(), ACCEPT).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    service.restart().await?;
    for user in [&ann, &ben] {
        let look = || async { Ok(user.call(&cid).map(|call| call.state.calling_state)) };
        stays("no ring", Duration::from_secs(2), look, |state| *state != Some(CallingState::Ringing)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn r15_ending_a_call_ends_its_ring() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    ann.client.end(cid.clone()).await?;
    for user in [&ann, &ben] {
        user.sees_call(&cid, "no ring", |call| call.state.calling_state != CallingState::Ringing).await?;
    }
    missed(&ben, 1).await
}

#[tokio::test]
async fn r15_who_is_removed_or_blocked_stops_ringing_and_the_others_ring_on() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let (cem, dee) = (service.person("cem").await?, service.person("dee").await?);
    let cid = rings(&ann, &[&ben, &cem, &dee]).await?;
    let removed = UpdateMembers { set: Vec::new(), remove: ids(&[&ben]) };
    ann.client.server().update_members(&cid, &removed).await?;
    ann.client.server().block(&cid, &cem.account.user).await?;
    for (user, was) in [(&ben, "removed"), (&cem, "blocked")] {
        let rings = |state: &call_client::ClientState| {
            state.calls.iter().any(|call| call.state.calling_state == CallingState::Ringing)
        };
        user.sees(&format!("no ring for who was {was}"), |state| !rings(state)).await?;
        missed(user, 1).await?;
    }
    for user in [&ann, &dee] {
        assert_eq!(user.call(&cid).context("the call")?.state.calling_state, CallingState::Ringing);
    }
    dee.client.join(cid.clone(), ACCEPT).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    Ok(())
}

#[tokio::test]
async fn r16_two_who_ring_each_other_end_up_in_one_call() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let (desk, tablet) = (ann.another_device().await?, ben.another_device().await?);
    let (mine, theirs) =
        tokio::join!(ann.client.ring(ids(&[&ben]), Toggle::Off), ben.client.ring(ids(&[&ann]), Toggle::Off));
    let lower = mine?.min(theirs?);
    for user in [&ann, &ben] {
        user.is_in(&lower, CallingState::Joined).await?;
        let others = user.state().calls.iter().filter(|call| call.cid != lower).cloned().collect::<Vec<_>>();
        assert!(others.iter().all(|call| call.state.calling_state != CallingState::Ringing), "{others:#?}");
    }
    for other in [&desk, &tablet] {
        let silent = |state: &call_client::ClientState| {
            state.calls.iter().all(|call| call.state.calling_state != CallingState::Ringing)
        };
        let state = other.sees("that nothing rings", silent).await?;
        assert!(state.history.iter().all(|line| line.outcome != HistoryOutcome::Missed), "{:#?}", state.history);
    }
    Ok(())
}

#[tokio::test]
async fn r17_when_one_of_two_leaves_it_ends_for_the_other() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    ben.client.join(cid.clone(), ACCEPT).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    ben.is_in(&cid, CallingState::Joined).await?;
    ben.client.leave(cid.clone(), Leave::Plain).await?;
    let call = ann.is_in(&cid, CallingState::Ended).await?;
    assert_eq!(call.state.reason, Some(EndReason::Ended));
    Ok(())
}

#[tokio::test]
async fn r17_the_setting_says_otherwise_for_two_and_for_three() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let ring_with = async |name: &str, others: &[&User], ends: bool| -> Result<CallId> {
        let member =
            |user: &&User| MemberData { user: user.account.user.clone(), role: None, custom: wire::Custom::new() };
        let settings = Some(json!({"ring": {"end_when_alone": ends}}));
        let data = CallData { members: others.iter().map(member).collect(), settings, ..CallData::default() };
        let cid: CallId = format!("default:{name}").parse()?;
        ann.client.get_or_create(cid.clone(), GetOrCreate { ring: true, data, ..GetOrCreate::default() }).await?;
        for user in others {
            user.is_in(&cid, CallingState::Ringing).await?;
            user.client.join(cid.clone(), ACCEPT).await?;
            user.is_in(&cid, CallingState::Joined).await?;
        }
        ann.is_in(&cid, CallingState::Joined).await?;
        Ok(cid)
    };
    let two = ring_with("two", &[&ben], false).await?;
    ben.client.leave(two.clone(), Leave::Plain).await?;
    ben.is_in(&two, CallingState::Left).await?;
    let look = || async { Ok(ann.call(&two).map(|call| call.state.calling_state)) };
    stays("ann stays", Duration::from_secs(2), look, |state| *state == Some(CallingState::Joined)).await?;
    ann.client.leave(two, Leave::Plain).await?;
    let three = ring_with("three", &[&ben, &cem], true).await?;
    ben.client.leave(three.clone(), Leave::Plain).await?;
    ben.is_in(&three, CallingState::Left).await?;
    assert_eq!(ann.call(&three).context("the call")?.state.calling_state, CallingState::Joined);
    cem.client.leave(three.clone(), Leave::Plain).await?;
    ann.is_in(&three, CallingState::Ended).await?;
    Ok(())
}

#[tokio::test]
async fn r18_a_server_that_restarts_loses_no_ring() -> Result<()> {
    let mut service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    service.restart().await?;
    for user in [&ann, &ben] {
        user.sees("the server again", |state| state.connection == call_client::Connection::Online).await?;
        user.is_in(&cid, CallingState::Ringing).await?;
    }
    ben.client.join(cid.clone(), ACCEPT).await?;
    ann.is_in(&cid, CallingState::Joined).await?;
    Ok(())
}

#[tokio::test]
async fn r19_a_deadline_travels_as_what_is_left() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = rings(&ann, &[&ben]).await?;
    let left = || async { Ok(ben.client.server().read(&cid).await?.ring.map_or(0, |ring| ring.remaining_ms)) };
    let first = left().await?;
    assert!((40_000..=45_000).contains(&first), "{first}");
    eventually("less is left", left, |now| *now + 200 < first).await?;
    Ok(())
}
