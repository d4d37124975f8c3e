//! Lists that people use: calls by filter, history by page, devices; and the operator's call types.

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::IntoResponse,
    routing::{get, post, put},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use wire::{CallFilter, CallPage, CallTypeData, Code, DeviceEntry, DeviceId, ErrorBody, HistoryPage, Role};

use super::{App, Body, Refusal, SignedIn, json};
use crate::{
    authority::CallType,
    hub::{Request, unix_now},
};

/// Calls and history lines of a page when nobody says, and at most.
const PAGE: u32 = 25;
const LARGEST_PAGE: u32 = 100;
/// Rows looked at for one page of calls: the asker may not read all that fit the filter.
const LOOKED_AT: i64 = 1_000;
/// No server has more: a cursor beyond it is made up.
const MOST_CALLS: i64 = 1 << 40;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/calls/query", post(query))
        .route("/v1/history", get(history))
        .route("/v1/devices", get(devices))
        .route("/v1/devices/{device}/sign-out", post(sign_out_device))
        .route("/v1/call-types/{type}", put(set_call_type))
}

async fn query(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(filter): Body<CallFilter>,
) -> Result<impl IntoResponse, Refusal> {
    let limit = page_size(filter.limit)?;
    let mut offset = filter.cursor.as_deref().map_or(Ok(0), read_cursor)?;
    let looked_until = offset + LOOKED_AT;
    let mut page = CallPage { calls: Vec::new(), next: None };
    loop {
        let wanted = i64::from(limit);
        let found = app.store.query(&filter, offset, wanted).await.map_err(ErrorBody::from)?;
        let is_last = (found.len() as i64) < wanted;
        let reader = who.clone();
        let views = app.hub.ask(|reply| Request::Views { who: reader, calls: found, reply }).await?;
        for view in views {
            offset += 1;
            page.calls.extend(view);
            if page.calls.len() as u32 == limit {
                break;
            }
        }
        let is_full = page.calls.len() as u32 == limit;
        if is_full || (!is_last && offset >= looked_until) {
            page.next = (!is_last || is_full).then(|| write_cursor(offset));
            return Ok(json(page));
        }
        if is_last {
            return Ok(json(page));
        }
    }
}

#[derive(Debug, Deserialize)]
struct HistoryQuery {
    before: Option<i64>,
    limit: Option<u32>,
}

async fn history(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let Query(query) = query.map_err(|error| ErrorBody::invalid("query", error.body_text()))?;
    let limit = page_size(query.limit)?;
    let mut entries = app.store.history_before(&who.user, query.before, limit + 1).await.map_err(ErrorBody::from)?;
    let has_more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = if has_more { entries.last().map(|entry| entry.id) } else { None };
    Ok(json(HistoryPage { entries, next }))
}

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
    app.signed_out.add(&who.device, unix_now());
    app.hub.ask(|reply| Request::SignOut { who, reply }).await?;
    Ok(json(()))
}

/// An admin adds a call type, or changes one.
async fn set_call_type(
    State(app): State<App>,
    SignedIn { role, .. }: SignedIn,
    Path(name): Path<String>,
    Body(data): Body<CallTypeData>,
) -> Result<impl IntoResponse, Refusal> {
    if role != Role::Admin {
        return Err(ErrorBody::new(Code::PermissionDenied, "only an admin may change call types: ask one").into());
    }
    wire::CallId::new(&name, "x").map_err(|error| ErrorBody::invalid("type", error.to_string()))?;
    let call_type = CallType::parse(&data)?;
    app.store.set_call_type(&name, &data).await.map_err(ErrorBody::from)?;
    app.hub.send(Request::SetCallType { name, call_type }).await?;
    Ok(json(()))
}

fn page_size(wished: Option<u32>) -> Result<u32, ErrorBody> {
    let limit = wished.unwrap_or(PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(ErrorBody::invalid("limit", "a page has 1 to 100 entries"))
}

fn write_cursor(offset: i64) -> String {
    URL_SAFE_NO_PAD.encode(offset.to_le_bytes())
}

fn read_cursor(text: &str) -> Result<i64, ErrorBody> {
    let invalid = || ErrorBody::invalid("cursor", "this cursor was not made by this server: begin with the first page");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let offset = i64::from_le_bytes(bytes.try_into().map_err(|_| invalid())?);
    if (0..=MOST_CALLS).contains(&offset) { Ok(offset) } else { Err(invalid()) }
}
