//! What the server tells and does not keep: who asks to speak.

use anyhow::{Context as _, Result};
use call_client::{
    CallingState, Toggle,
    wire::{AskPermission, Capability, CreateInvite},
};
use harness::{
    App, AppWindow, Desktop,
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
