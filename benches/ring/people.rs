//! The people of a bench and their devices, signed in through the real door: one invite for many, and one more device
//! of the same person by that person's own invite.

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use wire::{CreateInvite, CreatedInvite, DeviceId, InviteCode, SignIn, SignedIn, UserId};

use crate::{api::Api, server::Server};

/// Connections that sign in at the same time.
const LANES: usize = 16;
/// Most uses of one invite, by the server's rule.
const USES: usize = 1_000;

/// One device of one person, with an access token that outlives the bench.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
    pub(crate) token: String,
}

/// A person with his devices.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) user: UserId,
    pub(crate) devices: Vec<Account>,
}

/// Signs in this many people with this many devices each, on a server where nobody has signed in.
pub(crate) async fn sign_in(server: &Server, people: usize, devices_each: usize) -> Result<Vec<Person>> {
    let mut api = Api::connect(&server.address).await?;
    let invite = server.invite.as_ref().context("somebody has signed in on this server before")?;
    let admin = redeem(&mut api, &invite.code, "admin").await?;
    let mut codes = Vec::new();
    for _ in 0..people.div_ceil(USES) {
        let wanted = CreateInvite { uses: Some(u32::try_from(USES)?), ..CreateInvite::default() };
        let created: CreatedInvite = api.post("/v1/invites", Some(&admin.token), &wanted).await?;
        codes.push(created.code);
    }
    let lanes = (0..LANES).map(|lane| {
        let codes = &codes;
        async move {
            let mut api = Api::connect(&server.address).await?;
            let mut signed_in = Vec::new();
            for number in (lane..people).step_by(LANES) {
                let first = redeem(&mut api, &codes[number / USES], &format!("p{number}")).await?;
                let mut person = Person { user: first.user.clone(), devices: vec![first] };
                for _ in 1..devices_each {
                    let another = another_device(&mut api, &person.devices[0]).await?;
                    person.devices.push(another);
                }
                signed_in.push(person);
            }
            anyhow::Ok(signed_in)
        }
    });
    Ok(try_join_all(lanes).await?.into_iter().flatten().collect())
}

async fn another_device(api: &mut Api, first: &Account) -> Result<Account> {
    let mine = CreateInvite { me: true, ..CreateInvite::default() };
    let created: CreatedInvite = api.post("/v1/invites", Some(&first.token), &mine).await?;
    redeem(api, &created.code, first.user.as_str()).await
}

async fn redeem(api: &mut Api, code: &InviteCode, name: &str) -> Result<Account> {
    let request = SignIn {
        code: code.clone(),
        user_id: Some(name.parse()?),
        name: name.to_owned(),
        device_name: "bench".to_owned(),
    };
    let signed_in: SignedIn = api.post("/v1/sign-in", None, &request).await?;
    Ok(Account { user: signed_in.me.id, device: signed_in.device, token: signed_in.access.token })
}
