//! People: who is busy and who is not to be disturbed, favourites, pictures, and how people find each other.

use anyhow::{Context as _, Result};
use call_client::{CallingState, EndReason, JoinOptions, Toggle};
use harness::service::{Service, User};
use wire::{Code, DoNotDisturb, HistoryOutcome, Outcome, PeopleQuery, Presence, QuietHours, Weekday};

const ACCEPT: JoinOptions = JoinOptions { create: false, video: Toggle::Off };

/// Waits until somebody sees another person so.
async fn sees_as(user: &User, other: &User, presence: Presence) -> Result<()> {
    let what = format!("{} as {presence:?}", other.account.user);
    user.sees(&what, |state| {
        state.people.iter().any(|person| person.id == other.account.user && person.presence == presence)
    })
    .await
    .map(|_| ())
}

fn by_hand() -> DoNotDisturb {
    DoNotDisturb { is_on: true, ..DoNotDisturb::default() }
}

#[tokio::test]
async fn r13_who_is_busy_in_a_call_answers_so_by_itself_and_finds_a_missed_call() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    ben.client.set_busy_when_in_call(Toggle::On).await?;
    let first = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&first, CallingState::Ringing).await?;
    ben.client.join(first.clone(), ACCEPT).await?;
    let second = cem.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    cem.sees_call(&second, "that ben is busy", |call| call.state.reason == Some(EndReason::Busy)).await?;
    let ring = cem.call(&second).and_then(|call| call.ring).context("cem's ring")?;
    assert_eq!(ring.targets[0].outcome, Outcome::Busy);
    ben.sees("a missed call", |state| {
        state.history.iter().any(|entry| entry.outcome == HistoryOutcome::Missed && entry.unseen)
    })
    .await?;
    assert!(ben.call(&second).is_none_or(|call| call.state.calling_state != CallingState::Ringing));
    let there = ben.call(&first).context("the first call")?.state.calling_state;
    assert!(!matches!(there, CallingState::Left | CallingState::Ended), "the first call goes on: {there:?}");
    Ok(())
}

#[tokio::test]
async fn r13_without_the_setting_a_second_call_rings() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, cem) = (service.person("ann").await?, service.person("ben").await?, service.person("cem").await?);
    let first = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&first, CallingState::Ringing).await?;
    ben.client.join(first, ACCEPT).await?;
    let second = cem.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&second, CallingState::Ringing).await?;
    Ok(())
}

#[tokio::test]
async fn r14_who_is_not_to_be_disturbed_is_silent_on_every_device_and_finds_a_missed_call() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let laptop = ben.another_device().await?;
    ben.client.server().set_do_not_disturb(&by_hand()).await?;
    for device in [&ben, &laptop] {
        device.sees("quiet", |state| state.is_quiet && state.do_not_disturb.is_on).await?;
    }
    sees_as(&ann, &ben, Presence::DoNotDisturb).await?;
    let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    // The next thing ben's devices hear comes after the ring, and neither has rung by then.
    ann.client.server().leave(&cid, &wire::Leave::default()).await?;
    for device in [&ben, &laptop] {
        let state = device
            .sees("the missed call", |state| {
                let rang = state.calls.iter().any(|call| call.state.calling_state == CallingState::Ringing);
                assert!(!rang, "nothing may ring");
                state.history.iter().any(|entry| entry.outcome == HistoryOutcome::Missed && entry.unseen)
            })
            .await?;
        assert_eq!(state.history.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn r14_one_device_alone_can_be_quiet() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let laptop = ben.another_device().await?;
    // Every minute of every day, in two halves.
    let days = Weekday::ALL.into_iter().collect::<std::collections::BTreeSet<_>>();
    let half = |from, to| QuietHours { days: days.clone(), from, to };
    let always = DoNotDisturb { hours: vec![half(0, 720), half(720, 0)], ..DoNotDisturb::default() };
    laptop.client.set_do_not_disturb(always).await?;
    laptop.sees("quiet", |state| state.is_quiet).await?;
    let cid = ann.client.ring(vec![ben.account.user.clone()], Toggle::Off).await?;
    ben.is_in(&cid, CallingState::Ringing).await?;
    assert!(laptop.call(&cid).is_none_or(|call| call.state.calling_state != CallingState::Ringing));
    sees_as(&ann, &ben, Presence::Online).await?;
    // What still rings when it ends rings here too.
    laptop.client.set_do_not_disturb(DoNotDisturb::default()).await?;
    laptop.is_in(&cid, CallingState::Ringing).await?;
    Ok(())
}

#[tokio::test]
async fn presence_is_that_of_the_best_device() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    sees_as(&ann, &ben, Presence::Online).await?;
    ben.client.set_away(Toggle::On).await?;
    sees_as(&ann, &ben, Presence::Away).await?;
    let laptop = ben.another_device().await?;
    sees_as(&ann, &ben, Presence::Online).await?;
    laptop.client.shutdown().await;
    sees_as(&ann, &ben, Presence::Away).await?;
    ben.client.shutdown().await;
    sees_as(&ann, &ben, Presence::Offline).await
}

#[tokio::test]
async fn favourites_are_kept_and_shown_on_every_device() -> Result<()> {
    let mut service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let laptop = ann.another_device().await?;
    let favourite = vec![ben.account.user.clone()];
    ann.client.server().add_favourite(&favourite[0]).await?;
    laptop.sees("the favourite", |state| state.favourites == favourite).await?;
    service.restart().await?;
    let again = User::connect(ann.account.clone()).await?;
    assert_eq!(again.state().favourites, favourite);
    again.client.server().remove_favourite(&favourite[0]).await?;
    again.sees("no favourite", |state| state.favourites.is_empty()).await?;
    let nobody = again.client.server().add_favourite(&"nobody".parse()?).await.expect_err("nobody");
    assert_eq!(nobody.body().field.as_deref(), Some("id"));
    Ok(())
}

#[tokio::test]
async fn a_picture_is_encoded_anew_and_its_tag_tells_everybody() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let upload = include_bytes!("../../src-tauri/icons/128x128.png").to_vec();
    ann.client.server().set_avatar(Some(upload.clone())).await?;
    let has_picture = |state: &call_client::ClientState| {
        state.people.iter().any(|person| person.id == ann.account.user && person.avatar.is_some())
    };
    ben.sees("ann's picture", has_picture).await?;
    let kept = ben.client.server().avatar(&ann.account.user).await?;
    assert_eq!(&kept[..3], [0xff, 0xd8, 0xff], "a JPEG, whatever was uploaded");
    assert_ne!(kept, upload);
    let refused = ann.client.server().set_avatar(Some(b"no picture".to_vec())).await.expect_err("no picture");
    assert_eq!((refused.code(), refused.body().field.as_deref()), (Some(Code::InvalidRequest), Some("image")));
    assert_eq!(ben.client.server().avatar(&ann.account.user).await?, kept, "the old one stays");
    ann.client.server().set_avatar(None).await?;
    ben.sees("no picture", |state| !has_picture(state)).await?;
    assert!(ben.client.server().avatar(&ann.account.user).await.is_err());
    Ok(())
}

#[tokio::test]
async fn people_are_found_by_parts_of_name_and_id_page_by_page() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("Ann Smith").await?;
    for name in ["Ben Smith", "Cem", "Dan_100%"] {
        service.account(name, wire::CreateInvite::default()).await?;
    }
    let find = async |search: &str| -> Result<Vec<String>> {
        let query = PeopleQuery { search: Some(search.to_owned()), ..PeopleQuery::default() };
        Ok(ann.client.server().people(&query).await?.people.into_iter().map(|person| person.name).collect())
    };
    assert_eq!(find("smith").await?, ["Ann Smith", "Ben Smith"]);
    assert_eq!(find("%").await?, ["Dan_100%"], "a letter, not a pattern");
    assert!(find("nobody").await?.is_empty());
    let page = |after| PeopleQuery { after, limit: Some(2), ..PeopleQuery::default() };
    let first = ann.client.server().people(&page(None)).await?;
    assert_eq!(first.people.len(), 2);
    let second = ann.client.server().people(&page(first.next.clone())).await?;
    let all: Vec<_> = first.people.iter().chain(&second.people).map(|person| person.name.as_str()).collect();
    assert_eq!(all, ["admin", "Ann Smith", "Ben Smith", "Cem"]);
    let third = ann.client.server().people(&page(second.next.clone())).await?;
    assert_eq!((third.people.len(), third.next), (1, None));
    Ok(())
}

#[tokio::test]
async fn a_new_name_is_seen_by_everybody() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    ann.client.server().set_name("Ann the Second").await?;
    ben.sees("the new name", |state| state.people.iter().any(|person| person.name == "Ann the Second")).await?;
    ann.sees("my new name", |state| state.me.name == "Ann the Second").await?;
    Ok(())
}
