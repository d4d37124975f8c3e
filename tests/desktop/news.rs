//! What the server tells and does not keep: planned calls, the end that comes, who asks to speak, what opens.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use call_client::{
    CallingState, JoinOptions, Toggle,
    wire::{
        AskPermission, CallData, CallId, Capability, CreateInvite, Custom, Event, GetOrCreate, MemberData, UnixMillis,
        UpdatePermissions,
    },
};
use harness::{
    App, AppWindow, Desktop, Shown,
    camera::{Card, Scene},
    eventually,
    service::Service,
    steps::{is_in, sign_in},
};

async fn ann_on<'a>(service: &Service, desktop: &'a Desktop) -> Result<AppWindow<'a>> {
    let ann = desktop.open(&App::default()).await?;
    let link = call_client::Rest::new(service.admin.clone())?.create_invite(&CreateInvite::default()).await?.link;
    sign_in(&ann, &link, "Ann").await?;
    Ok(ann)
}

async fn shown(desktop: &Desktop, summary: &str) -> Result<Shown> {
    let look = || async { Ok(desktop.notifications().into_iter().find(|shown| shown.summary.contains(summary))) };
    let found = eventually(&format!("a notification of {summary:?}"), look, Option::is_some).await?;
    found.context("there is no notification")
}

/// A call that somebody makes with Ann, and tells her of.
#[expect(clippy::disallowed_methods, reason = "the test plans by the clock the server goes by")]
fn with_ann(in_ms: Option<i64>) -> Result<GetOrCreate> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let custom = serde_json::json!({ "title": "Standup" });
    let data = CallData {
        members: vec![MemberData { user: "ann".parse()?, role: None, custom: Custom::new() }],
        custom: custom.as_object().cloned().unwrap_or_default(),
        starts_at: in_ms.map(|in_ms| UnixMillis(now + in_ms)),
        ..CallData::default()
    };
    Ok(GetOrCreate { notify: true, data, ..GetOrCreate::default() })
}

#[tokio::test]
async fn a_planned_call_is_told_natively_and_joined_from_its_notification() -> Result<()> {
    let service = Service::start().await?;
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = ann_on(&service, &desktop).await?;
    let admin = service.admin().await?;
    let cid: CallId = "default:standup".parse()?;
    admin.client.server().get_or_create(&cid, &with_ann(Some(8_000))?).await?;
    shown(&desktop, "admin invites you to Standup").await?;
    ann.says("admin invites you.").await?;
    desktop.keep("reminder")?;
    let begins = shown(&desktop, "Standup begins now").await?;
    let told = desktop.notifications().into_iter().filter(|shown| shown.summary.contains("Standup")).count();
    assert_eq!(told, 1, "the newer one takes the place of the older");
    desktop.press_notification(begins.id, "join").await?;
    is_in(&ann).await?;
    let mut gone = desktop.past_notifications().into_iter();
    assert!(gone.all(|shown| shown.category != "call.incoming"), "nothing rings at a planned time");
    ann.press("Hang up").await?;
    let text = ann.says("Recent calls").await?;
    assert!(!text.contains("Standup begins"), "who was in needs no reminder: {text}");
    Ok(())
}

#[tokio::test]
async fn a_button_pressed_in_the_moment_it_is_there_counts() -> Result<()> {
    let service = Service::start().await?;
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = ann_on(&service, &desktop).await?;
    let admin = service.admin().await?;
    desktop.press_next_notification("accept");
    let ring = GetOrCreate { ring: true, notify: false, ..with_ann(None)? };
    admin.client.server().get_or_create(&"default:now".parse()?, &ring).await?;
    is_in(&ann).await
}

#[tokio::test]
async fn the_popup_says_what_the_call_is_about() -> Result<()> {
    let service = Service::start().await?;
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = ann_on(&service, &desktop).await?;
    let admin = service.admin().await?;
    let mut ring = GetOrCreate { ring: true, notify: false, ..with_ann(None)? };
    ring.data.custom.insert("message".to_owned(), "Dinner at eight?".into());
    admin.client.server().get_or_create(&"default:dinner".parse()?, &ring).await?;
    eventually("the popup says it", || ann.popup_text(), |text| text.contains("Dinner at eight?")).await?;
    ann.says("Dinner at eight?").await?;
    desktop.keep("about")?;
    Ok(())
}

#[tokio::test]
async fn a_listener_waits_for_the_room_to_open_and_asks_to_speak() -> Result<()> {
    let service = Service::start().await?;
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = ann_on(&service, &desktop).await?;
    let admin = service.admin().await?;
    let cid: CallId = "audio_room:standup".parse()?;
    admin.client.server().get_or_create(&cid, &with_ann(None)?).await?;
    ann.press("Join").await?;
    ann.says("You come in by yourself as soon as it is.").await?;
    desktop.keep("waiting")?;
    admin.client.join(cid.clone(), JoinOptions { create: false, video: Toggle::Off }).await?;
    admin.client.server().go_live(&cid).await?;
    is_in(&ann).await?;
    ann.says("You may only listen here").await?;
    desktop.keep("listener")?;

    let mut notices = admin.client.notices();
    ann.press("Ask to speak").await?;
    let Event::PermissionAsked { user, capabilities, .. } = notices.recv().await? else {
        anyhow::bail!("another notice")
    };
    assert_eq!(capabilities, [Capability::SendAudio].into());
    let update = UpdatePermissions { user, grant: capabilities, revoke: [].into() };
    admin.client.server().update_permissions(&cid, &update).await?;
    ann.says("You may speak now").await?;
    ann.press("Unmute").await?;
    Ok(())
}

#[tokio::test]
async fn who_runs_a_call_lets_somebody_speak() -> Result<()> {
    let service = Service::start().await?;
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let ann = ann_on(&service, &desktop).await?;
    let cleo = service.person("Cleo").await?;
    ann.press("Call Cleo").await?;
    let state = cleo.sees("the ring", |state| state.incoming().next().is_some()).await?;
    let cid = state.incoming().next().map(|call| call.cid.clone()).context("it rings")?;
    cleo.client.accept(cid.clone(), Toggle::Off).await?;
    cleo.is_in(&cid, CallingState::Joined).await?;
    is_in(&ann).await?;
    let request = AskPermission { capabilities: [Capability::ShareScreen].into() };
    cleo.client.server().ask_permission(&cid, &request).await?;
    ann.says("Cleo asks to share the screen").await?;
    desktop.keep("asked")?;
    ann.press("Allow").await?;
    let user = &cleo.account.user;
    let granted = || async {
        let call = cleo.client.server().read(&cid).await?.call;
        Ok(call.grants.get(user).is_some_and(|grants| grants.granted.contains(&Capability::ShareScreen)))
    };
    eventually("it is granted", granted, |is| *is).await?;
    eventually("it is asked no more", || ann.text(), |text| !text.contains("asks to share")).await?;
    Ok(())
}
