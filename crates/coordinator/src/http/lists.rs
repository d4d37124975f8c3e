//! Lists that people use: calls by filter, history by page; and the operator's call types.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::IntoResponse,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{CallFilter, CallPage, CallTypeData, Code, ErrorBody, HistoryPage, Role};

use super::{App, Body, Refusal, SignedIn, json};
use crate::{authority::CallType, hub::Request};

/// Calls and history lines of a page when nobody says, and at most.
const PAGE: u32 = 25;
const LARGEST_PAGE: u32 = 100;
/// Rows looked at for one page of calls: the asker may not read all that fit the filter.
const LOOKED_AT: i64 = 1_000;
/// No server has more: a cursor beyond it is made up.
const MOST_CALLS: i64 = 1 << 40;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(query)).routes(routes!(history)).routes(routes!(set_call_type))
}

/// Calls by filter, in an order, by page.
#[utoipa::path(
    post,
    path = "/v1/calls/query",
    tag = "calls",
    request_body = CallFilter,
    responses((status = 200, description = "Done", body = CallPage))
)]
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

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    before: Option<i64>,
    limit: Option<u32>,
}

/// The history of the person who asks, newest first.
#[utoipa::path(
    get,
    path = "/v1/history",
    tag = "calls",
    params(HistoryQuery),
    responses((status = 200, description = "Done", body = HistoryPage))
)]
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

/// An admin adds a call type, or changes one.
#[utoipa::path(
    put,
    path = "/v1/call-types/{type}",
    tag = "calls",
    request_body = CallTypeData,
    responses((status = 200, description = "Done; `null`"))
)]
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

pub(super) fn page_size(wished: Option<u32>) -> Result<u32, ErrorBody> {
    let limit = wished.unwrap_or(PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(ErrorBody::invalid("limit", "a page has 1 to 100 entries"))
}

fn write_cursor(offset: i64) -> String {
    URL_SAFE_NO_PAD.encode(offset.to_le_bytes())
}

pub(super) fn read_cursor(text: &str) -> Result<i64, ErrorBody> {
    let invalid = || ErrorBody::invalid("cursor", "this cursor was not made by this server: begin with the first page");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let offset = i64::from_le_bytes(bytes.try_into().map_err(|_| invalid())?);
    if (0..=MOST_CALLS).contains(&offset) { Ok(offset) } else { Err(invalid()) }
}
