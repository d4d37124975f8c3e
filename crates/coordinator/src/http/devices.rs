//! Devices: signed in by a token of the operator's own, their access tokens, their person's list of them.

use axum::{extract::State, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{Code, DeviceEntry, DeviceId, ErrorBody, Renewal, SignInByToken, TokenRequest};

use super::{
    App, Body, From, Path, Refusal, SignedIn, json,
    people::{signed_in, text},
};
use crate::{
    access,
    hub::{Request, unix_now},
    limits::Limit,
    own_backend::{UserTokens, fresh_token_wanted},
    store::{NewDevice, StoredDevice, StoredPerson},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in_by_token, devices))
        .routes(routes!(sign_out_device))
        .routes(routes!(token))
}

/// Signs a device of a person of the operator's own product in.
#[utoipa::path(
    post,
    path = "/v1/devices",
    tag = "sign-in",
    request_body = SignInByToken,
    responses((status = 200, description = "Done", body = wire::SignedIn))
)]
async fn sign_in_by_token(
    State(app): State<App>,
    from: From,
    Body(request): Body<SignInByToken>,
) -> Result<impl IntoResponse, Refusal> {
    let tokens = own_backend(&app)?;
    let name = text("device_name", &request.device_name)?;
    // Checking costs more than answering: who has failed too often is not checked.
    app.limits.has_left(Limit::SignIn, &from.site())?;
    let person = match tokens.check(&request.user_token).await {
        Ok(user) => StoredPerson::from(user),
        Err(refusal) => {
            // Only failures count against an address: an office behind one router has many devices.
            app.limits.take(Limit::SignIn, &from.site())?;
            return Err(refusal.into());
        }
    };
    app.limits.take(Limit::SignIn, person.id.as_str())?;
    let (secret, now) = (access::fresh_secret(), unix_now());
    let new = NewDevice {
        id: DeviceId::mint(ulid::Ulid::new()),
        person,
        // Whoever is named by the operator's product is there by that.
        is_new_person: true,
        name: name.to_owned(),
        secret_hash: access::hash(&secret),
        renewal: Some(tokens.renew),
        created_at: now,
    };
    let turn = app.changing_people.acquire().await;
    if !app.store.enrol(&new).await.map_err(ErrorBody::from)? {
        return Err(ErrorBody::new(Code::Conflict, "this id is a program's: it has no devices").into());
    }
    let device = new.id;
    // What he chose for himself, if he was here before, is in the store alone.
    let person = app.store.person(&new.person.id).await.map_err(ErrorBody::from)?.unwrap_or(new.person);
    app.hub.send(Request::PersonCame { person: person.clone() }).await?;
    drop(turn);
    tracing::info!(user = %person.id, %device, role = ?person.role, "a device signed in by the operator's product");
    from.is_known();
    Ok(json(signed_in(&app, person, device, secret, tokens.renew)))
}

fn own_backend(app: &App) -> Result<&UserTokens, ErrorBody> {
    let missing = || {
        ErrorBody::invalid("user_token", "this server takes no tokens of another product: ask its admin for an invite")
    };
    app.user_tokens.as_ref().ok_or_else(missing)
}

/// A new access token.
#[utoipa::path(
    post,
    path = "/v1/token",
    tag = "sign-in",
    request_body = TokenRequest,
    responses((status = 200, description = "Done", body = wire::AccessToken))
)]
async fn token(
    State(app): State<App>,
    from: From,
    Body(request): Body<TokenRequest>,
) -> Result<impl IntoResponse, Refusal> {
    let device = app.store.device(&request.device).await.map_err(ErrorBody::from)?;
    let hash = access::hash(&request.refresh_secret);
    // Signed out, though that may not be stored yet.
    let is_out = |stored: bool| stored || app.signed_out.has(&request.device);
    let Some(device) = device.filter(|device| device.secret_hash == hash && !is_out(device.is_signed_out)) else {
        // Only failures count against an address: a home behind one router has many devices.
        app.limits.take(Limit::SignIn, &from.site())?;
        return Err(access::not_signed_in().into());
    };
    app.limits.has_left(Limit::SignIn, request.device.as_str())?;
    let renewed = renewed_person(&app, &device, request.user_token.as_deref()).await;
    if renewed.is_err() {
        app.limits.take(Limit::SignIn, request.device.as_str())?;
    }
    if let Some(person) = renewed? {
        let _turn = app.changing_people.acquire().await;
        app.store.put_person(&person, unix_now()).await.map_err(ErrorBody::from)?;
        let person = app.store.person(&person.id).await.map_err(ErrorBody::from)?.unwrap_or(person);
        app.hub.send(Request::PersonCame { person }).await?;
    }
    let role = app.store.role(&device.person).await.map_err(ErrorBody::from)?.ok_or_else(access::not_signed_in)?;
    from.is_known();
    Ok(json(app.tokens.issue(&device.person, &request.device, role, unix_now())))
}

/// The device's person as a fresh token of the operator's product names him. What is needed is what the operator says
/// now; without a product any longer, what he said when the device signed in.
async fn renewed_person(
    app: &App,
    device: &StoredDevice,
    user_token: Option<&str>,
) -> Result<Option<StoredPerson>, ErrorBody> {
    let Some(agreed) = device.renewal else { return Ok(None) };
    let wanted = app.user_tokens.as_ref().map_or(agreed, |tokens| tokens.renew);
    let user = match (wanted, user_token) {
        (Renewal::Secret, None) => return Ok(None),
        (Renewal::Token, None) => return Err(fresh_token_wanted()),
        (Renewal::Secret | Renewal::Token, Some(token)) => own_backend(app)?.check(token).await?,
    };
    if user.id != device.person {
        return Err(ErrorBody { field: Some("user_token".to_owned()), ..access::not_signed_in() });
    }
    Ok(Some(user.into()))
}

/// The devices of the person who asks.
#[utoipa::path(
    get,
    path = "/v1/devices",
    tag = "sign-in",
    responses((status = 200, description = "Done", body = Vec<DeviceEntry>))
)]
async fn devices(State(app): State<App>, SignedIn { who, .. }: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let known = app.store.devices(&who.user).await.map_err(ErrorBody::from)?;
    let entries = known.into_iter().map(|device| DeviceEntry {
        is_this: device.id == who.device,
        id: device.id,
        name: device.name,
        created_at: device.created_at,
    });
    Ok(json(entries.collect::<Vec<_>>()))
}

/// A person signs any of his own devices out.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/sign-out",
    tag = "sign-in",
    responses((status = 200, description = "Done; `null`"))
)]
async fn sign_out_device(
    State(app): State<App>,
    SignedIn { mut who, .. }: SignedIn,
    Path(device): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    if device != "me" {
        let unknown = || ErrorBody::invalid("device", "you have no such device: see your list of devices");
        let id: DeviceId = device.parse().map_err(|_| unknown())?;
        let known = app.store.devices(&who.user).await.map_err(ErrorBody::from)?;
        if !known.iter().any(|known| known.id == id) {
            return Err(unknown().into());
        }
        who.device = id;
    }
    let device = who.device.clone();
    let is_news = app.signed_out.add(&device, unix_now());
    let done = app.hub.ask(|reply| Request::SignOut { who, reply }).await;
    if done.is_err() && is_news {
        app.signed_out.take_back(&device);
    }
    done?;
    Ok(json(()))
}
