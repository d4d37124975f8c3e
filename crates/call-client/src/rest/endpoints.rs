//! One function per endpoint of the server's HTTP interface.

use std::collections::BTreeMap;

use serde::Serialize;
use wire::{
    AnswerAsk, ApiKeyEntry, ApiKeyId, AskId, AskPermission, BlockUser, CallFilter, CallId, CallPage, CallState,
    CallTypeData, CreateApiKey, CreateInvite, CreatedApiKey, CreatedInvite, Custom, DeviceEntry, DeviceId, GetOrCreate,
    GetOrCreated, HistoryPage, InviteEntry, InviteId, Join, Joined, Leave, MissedSeen, MuteUsers, Reject, RingMembers,
    SendEvent, SendReaction, Snapshot, UpdateCall, UpdateMembers, UpdatePermissions, UserId, WaitingAsk,
};

use super::Rest;
use crate::error::ClientError;

impl Rest {
    /// Everything this device may show now.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn snapshot(&self) -> Result<Snapshot, ClientError> {
        self.get("/v1/snapshot").await
    }

    /// Creates or returns a call without joining it; rings its members if asked to.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn get_or_create(&self, cid: &CallId, request: &GetOrCreate) -> Result<GetOrCreated, ClientError> {
        self.post(&call_path(cid, ""), request).await
    }

    /// Comes into a call and answers with the way to its media; while it rings this person, that accepts.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn join(&self, cid: &CallId, request: &Join) -> Result<Joined, ClientError> {
        self.post(&call_path(cid, "/join"), request).await
    }

    /// Refuses a ring.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn reject(&self, cid: &CallId, request: &Reject) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/reject"), request).await
    }

    /// Goes out of a call; a caller whom nobody has answered cancels his ring.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn leave(&self, cid: &CallId, request: &Leave) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/leave"), request).await
    }

    /// Ends a call for everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn end(&self, cid: &CallId) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/end"), &Empty {}).await
    }

    /// Makes an invite.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn create_invite(&self, request: &CreateInvite) -> Result<CreatedInvite, ClientError> {
        self.post("/v1/invites", request).await
    }

    /// Invites that can still be used, newest first: every one for an admin, one's own for others.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn invites(&self) -> Result<Vec<InviteEntry>, ClientError> {
        self.get("/v1/invites").await
    }

    /// Revokes an invite: nobody comes in by it any more.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn revoke_invite(&self, invite: &InviteId) -> Result<(), ClientError> {
        let path = format!("/v1/invites/{invite}");
        self.delete_silent(&path).await
    }

    /// Makes an API key for another program; for admins.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn create_api_key(&self, request: &CreateApiKey) -> Result<CreatedApiKey, ClientError> {
        self.post("/v1/api-keys", request).await
    }

    /// The API keys of the server; for admins.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyEntry>, ClientError> {
        self.get("/v1/api-keys").await
    }

    /// Revokes an API key: it opens nothing from then on.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn revoke_api_key(&self, key: &ApiKeyId) -> Result<(), ClientError> {
        let path = format!("/v1/api-keys/{key}");
        self.delete_silent(&path).await
    }

    /// The person has looked at the missed calls, up to this line of his history; up to the newest he was told of if absent.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn mark_missed_seen(&self, up_to: Option<i64>) -> Result<(), ClientError> {
        self.post_silent("/v1/missed/seen", &MissedSeen { up_to }).await
    }

    /// Signs this device out; its account is worth nothing afterwards.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.post_silent("/v1/devices/me/sign-out", &Empty {}).await
    }

    /// A call as this person sees it.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn read(&self, cid: &CallId) -> Result<CallState, ClientError> {
        self.get(&call_path(cid, "")).await
    }

    /// Changes data, settings and planned time of a call; what is absent stays.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn update_call(&self, cid: &CallId, update: &UpdateCall) -> Result<CallState, ClientError> {
        self.patch(&call_path(cid, ""), update).await
    }

    /// Rings members of a call that exists, or only tells them of it; who is not on the list is added.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ring_members(&self, cid: &CallId, request: &RingMembers) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/ring"), request).await
    }

    /// Adds, changes and removes members.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn update_members(&self, cid: &CallId, update: &UpdateMembers) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/members"), update).await
    }

    /// Puts somebody out of a call; he may come back.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn remove(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/remove"), &BlockUser { user: user.clone() }).await
    }

    /// Puts somebody out of a call for good.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn block(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/block"), &BlockUser { user: user.clone() }).await
    }

    /// Lets somebody in again who was blocked.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn unblock(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/unblock"), &BlockUser { user: user.clone() }).await
    }

    /// Gives and takes capabilities of one person in a call.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn update_permissions(&self, cid: &CallId, update: &UpdatePermissions) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/permissions"), update).await
    }

    /// Asks who may give them for capabilities.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn ask_permission(&self, cid: &CallId, request: &AskPermission) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/ask"), request).await
    }

    /// Mutes some or everybody; each may unmute himself.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn mute(&self, cid: &CallId, request: &MuteUsers) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/mute"), request).await
    }

    /// Opens the backstage of a call to everybody.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn go_live(&self, cid: &CallId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/go-live"), &Empty {}).await
    }

    /// Closes the backstage of a call again.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn stop_live(&self, cid: &CallId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/stop-live"), &Empty {}).await
    }

    /// Shows somebody large to everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn pin(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/pin"), &BlockUser { user: user.clone() }).await
    }

    /// No longer shows somebody large to everyone.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn unpin(&self, cid: &CallId, user: &UserId) -> Result<CallState, ClientError> {
        self.post(&call_path(cid, "/unpin"), &BlockUser { user: user.clone() }).await
    }

    /// Sends a sign, as an emoji or `raised-hand`, to everybody in the call.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn react(&self, cid: &CallId, kind: &str) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/reaction"), &SendReaction { kind: kind.to_owned() }).await
    }

    /// Sends the application's own event to everybody in the call.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn send_event(&self, cid: &CallId, data: Custom) -> Result<(), ClientError> {
        self.post_silent(&call_path(cid, "/event"), &SendEvent { data }).await
    }

    /// Calls this person may read, by filter and page.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn query(&self, filter: &CallFilter) -> Result<CallPage, ClientError> {
        self.post("/v1/calls/query", filter).await
    }

    /// This person's devices.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn devices(&self) -> Result<Vec<DeviceEntry>, ClientError> {
        self.get("/v1/devices").await
    }

    /// Signs one of this person's devices out.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn sign_out_device(&self, device: &DeviceId) -> Result<(), ClientError> {
        self.post_silent(&format!("/v1/devices/{device}/sign-out"), &Empty {}).await
    }

    /// Who waits to be let in; for admins, who hear of it by [`wire::Event::AskedIn`] as well.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn asks(&self) -> Result<Vec<WaitingAsk>, ClientError> {
        self.get("/v1/asks").await
    }

    /// Lets somebody in who waits, or does not; for admins, once the code on both screens was found to be the same.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn answer_ask(&self, id: AskId, answer: &AnswerAsk) -> Result<(), ClientError> {
        self.post_silent(&format!("/v1/asks/{id}/answer"), answer).await
    }

    /// Every call type as it is now, by name; for admins.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn call_types(&self) -> Result<BTreeMap<String, CallTypeData>, ClientError> {
        self.get("/v1/call-types").await
    }

    /// Gives a call type back what is built in, or what the operator's file says of it; for admins.
    ///
    /// # Errors
    /// What the server refuses (a type that an admin made has nothing to go back to), or that it is not reachable.
    pub async fn reset_call_type(&self, name: &str) -> Result<(), ClientError> {
        self.delete_silent(&format!("/v1/call-types/{name}")).await
    }

    /// Adds a call type, or changes one; for admins.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn set_call_type(&self, name: &str, data: &CallTypeData) -> Result<(), ClientError> {
        self.put_silent(&format!("/v1/call-types/{name}"), data).await
    }

    /// A page of this person's history, newest first; `before` is where the page before ended.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn history(&self, before: Option<i64>, limit: u32) -> Result<HistoryPage, ClientError> {
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        self.get(&format!("/v1/history?limit={limit}{before}")).await
    }

    /// The same of missed calls that nobody has looked at.
    ///
    /// # Errors
    /// What the server refuses, or that it is not reachable.
    pub async fn missed(&self, before: Option<i64>, limit: u32) -> Result<HistoryPage, ClientError> {
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        self.get(&format!("/v1/history?unseen=true&limit={limit}{before}")).await
    }
}

#[derive(Serialize)]
struct Empty {}

fn call_path(cid: &CallId, action: &str) -> String {
    format!("/v1/calls/{}/{}{action}", cid.call_type(), cid.id())
}
