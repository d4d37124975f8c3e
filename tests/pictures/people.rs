//! The others on the server: many, with short names and long ones, with pictures and without, and what they have done.

use anyhow::{Context as _, Result};
use call_client::{
    CallView, CallingState, Leave, Toggle,
    wire::{CreateInvite, Reason, UserId},
};
use harness::{
    AppWindow,
    camera::{Portrait, Scene},
    eventually,
    service::{Service, User},
};

pub(crate) const FIRST: &str = "Cleo Okonkwo";
pub(crate) const LONG: &str = "Dr. Maximiliane Freifrau von und zu Hohenstein-Sigmaringen";
const OFFLINE: [&str; 7] =
    ["Zoë 🎈", "李雷", "Емилия Кръстева", "Jo", "ada", "Donaudampfschifffahrtsgesellschaftskapitän", "Björn"];
/// Side of a picture, in pixels.
const SIDE: u32 = 256;

/// Who is connected among them.
pub(crate) struct Others {
    pub(crate) first: User,
    pub(crate) long: User,
}

pub(crate) async fn many(service: &Service) -> Result<Others> {
    for name in OFFLINE {
        service.account(name, CreateInvite::default()).await?;
    }
    let first = service.person(FIRST).await?;
    first.client.server().set_avatar(Some(portrait(&Scene::Portrait(Portrait::ann()))?)).await?;
    let long = service.person(LONG).await?;
    long.client.server().set_avatar(Some(portrait(&Scene::Portrait(Portrait::ben()))?)).await?;
    Ok(Others { first, long })
}

/// Calls of every kind in the history: missed, declined with words, taken, not answered.
pub(crate) async fn have_called(service: &Service, others: &Others, ann: &AppWindow<'_>) -> Result<()> {
    let me: UserId = "ann-lindqvist".parse()?;
    for (who, video) in [(&others.first, Toggle::Off), (&others.long, Toggle::On)] {
        let cid = who.client.ring(vec![me.clone()], video).await?;
        eventually("it rings", || ann.has_popup(), |visible| *visible).await?;
        who.client.leave(cid, Leave::Plain).await?;
        eventually("it is over", || ann.has_popup(), |visible| !visible).await?;
    }
    for words in [None, Some("In a meeting, 10 minutes")] {
        ann.press(&format!("Call {FIRST}")).await?;
        let state = others.first.sees("the ring", |state| state.incoming().next().is_some()).await?;
        let cid = state.incoming().next().map(|call| call.cid.clone()).context("it rings")?;
        match words {
            Some(words) => {
                let message = Some(words.to_owned());
                others.first.client.leave(cid, Leave::Reject { reason: Reason::Decline, message }).await?;
            }
            None => {
                others.first.client.accept(cid.clone(), Toggle::Off).await?;
                harness::steps::is_in(ann).await?;
                others.first.client.leave(cid.clone(), Leave::Plain).await?;
                others.first.sees_call(&cid, "it over", CallView::is_over).await?;
            }
        }
        ann.says("Recent calls").await?;
    }
    let group = service.admin.user.clone();
    let cid = others.first.client.ring(vec![me, others.long.account.user.clone(), group], Toggle::Off).await?;
    others.long.is_in(&cid, CallingState::Ringing).await?;
    others.first.client.leave(cid, Leave::Plain).await?;
    eventually("it is over", || ann.has_popup(), |visible| !visible).await?;
    Ok(())
}

/// The middle of a drawing, as a PNG.
fn portrait(scene: &Scene) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let share = |at: u32| f64::from(at) / f64::from(SIDE);
    let pixels: Vec<u8> = (0..SIDE)
        .flat_map(|y| (0..SIDE).map(move |x| (0.22 + 0.56 * share(x), share(y) * 0.999)))
        .flat_map(|point| scene.colour(point))
        .collect();
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}
