//! Every door of a call: tries what a capability is for, and says whether it is open.

use anyhow::{Context as _, Result};
use call_client::{CallingState, ClientError, JoinOptions};
use harness::service::User;
use serde_json::json;
use wire::{
    CallData, CallId, Capability, Code, GetOrCreate, Join, Leave, MemberData, MuteUsers, RingMembers, UpdateCall,
    UpdateMembers, UpdatePermissions,
};

/// Three calls of one type with the same people: one that is open and goes on, one behind the scenes, one that was ended.
pub(super) struct Doors<'a> {
    pub(super) open: CallId,
    pub(super) backstage: CallId,
    pub(super) ended: CallId,
    owner: &'a User,
    /// Somebody to do things to.
    other: &'a User,
}

impl<'a> Doors<'a> {
    /// The owner makes them and stays in the open one.
    pub(super) async fn make(
        call_type: &str,
        owner: &'a User,
        members: Vec<MemberData>,
        team: Option<&str>,
        other: &'a User,
    ) -> Result<Self> {
        let cid = |name: &str| CallId::new(call_type, name);
        let doors = Self { open: cid("open")?, backstage: cid("backstage")?, ended: cid("ended")?, owner, other };
        let server = owner.client.server();
        for cid in [&doors.open, &doors.backstage, &doors.ended] {
            let settings = Some(json!({ "backstage": { "enabled": *cid == doors.backstage } }));
            let data =
                CallData { members: members.clone(), settings, team: team.map(str::to_owned), ..CallData::default() };
            server.get_or_create(cid, &GetOrCreate { data, ..GetOrCreate::default() }).await?;
        }
        owner.client.join(doors.open.clone(), JoinOptions::default()).await?;
        owner.is_in(&doors.open, CallingState::Joined).await?;
        server.end(&doors.ended).await?;
        Ok(doors)
    }

    /// The call whose door a capability opens.
    pub(super) fn of(&self, capability: Capability) -> &CallId {
        match capability {
            Capability::JoinBackstage => &self.backstage,
            Capability::JoinEndedCall | Capability::EndCall => &self.ended,
            _ => &self.open,
        }
    }

    /// Whether somebody gets through. `None` for recording, which nothing does yet.
    pub(super) async fn open(&self, user: &User, capability: Capability) -> Result<Option<bool>> {
        let (server, cid, other) = (user.client.server(), self.of(capability), &self.other.account.user);
        let outcome = match capability {
            Capability::CreateCall => {
                let new = CallId::new(cid.call_type(), &format!("new-{}", user.account.user))?;
                server.get_or_create(&new, &GetOrCreate::default()).await.map(|_| ())
            }
            Capability::ReadCall => server.read(cid).await.map(|_| ()),
            Capability::JoinCall | Capability::JoinBackstage => self.goes_in(user, cid).await,
            Capability::JoinEndedCall => {
                let outcome = self.goes_in(user, cid).await;
                if outcome.is_ok() {
                    // It goes on with him.
                    self.owner.client.server().end(cid).await?;
                }
                outcome
            }
            Capability::EndCall => server.end(cid).await,
            Capability::UpdateCall => {
                let update = UpdateCall { custom: Some(wire::Custom::new()), ..UpdateCall::default() };
                server.update_call(cid, &update).await.map(|_| ())
            }
            Capability::UpdateSettings => {
                let update = UpdateCall { settings: Some(json!({})), ..UpdateCall::default() };
                server.update_call(cid, &update).await.map(|_| ())
            }
            Capability::UpdateMembers => server.update_members(cid, &UpdateMembers::default()).await.map(|_| ()),
            Capability::Ring => {
                let request = RingMembers { notify: true, ..RingMembers::default() };
                server.ring_members(cid, &request).await.map(|_| ())
            }
            Capability::SendAudio => return self.sends(user, "microphone").await.map(Some),
            Capability::SendVideo => return self.sends(user, "camera").await.map(Some),
            Capability::ShareScreen => return self.sends(user, "screen_share").await.map(Some),
            Capability::MuteUsers => server.mute(cid, &MuteUsers::default()).await,
            Capability::RemoveParticipant => server.remove(cid, other).await.map(|_| ()),
            Capability::BlockUser => server.unblock(cid, other).await.map(|_| ()),
            Capability::UpdatePermissions => {
                let update = UpdatePermissions { user: other.clone(), grant: [].into(), revoke: [].into() };
                server.update_permissions(cid, &update).await.map(|_| ())
            }
            Capability::PinForEveryone => server.unpin(cid, other).await.map(|_| ()),
            // Who may and is not in the call is past the door.
            Capability::SendReaction => but_outside(server.react(cid, "👍").await),
            Capability::SendEvent => but_outside(server.send_event(cid, wire::Custom::new()).await),
            Capability::GoLive => server.go_live(cid).await.map(|_| ()),
            Capability::Record => return Ok(None),
        };
        match outcome {
            Ok(()) => Ok(Some(true)),
            Err(error) => {
                let refused = [Code::PermissionDenied, Code::CallNotFound, Code::InBackstage, Code::CallEnded];
                let is_refused = error.code().is_some_and(|code| refused.contains(&code));
                anyhow::ensure!(is_refused, "{}: {error}", capability.as_str());
                Ok(Some(false))
            }
        }
    }

    async fn goes_in(&self, user: &User, cid: &CallId) -> Result<(), ClientError> {
        let server = user.client.server();
        server.join(cid, &Join::default()).await?;
        if user.account.user == self.owner.account.user && *cid == self.open {
            return Ok(());
        }
        server.leave(cid, &Leave::default()).await
    }

    /// Whether the media server's door takes this from him, as his token says.
    async fn sends(&self, user: &User, source: &str) -> Result<bool> {
        let joined = user.client.server().join(&self.open, &Join::default()).await;
        let joined = match joined {
            // Who is kept out sends nothing.
            Err(error) if matches!(error.code(), Some(Code::PermissionDenied | Code::CallNotFound)) => {
                return Ok(false);
            }
            joined => joined?,
        };
        if user.account.user != self.owner.account.user {
            user.client.server().leave(&self.open, &Leave::default()).await?;
        }
        let claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(&joined.media.token)?.claims;
        let video = claims.get("video").context("a grant")?;
        let may_publish = video["canPublish"].as_bool().unwrap_or(true);
        // No list means all.
        let is_listed =
            video["canPublishSources"].as_array().is_none_or(|listed| listed.iter().any(|one| one == source));
        Ok(may_publish && is_listed)
    }
}

fn but_outside(outcome: Result<(), ClientError>) -> Result<(), ClientError> {
    match outcome {
        Err(error) if error.code() == Some(Code::Conflict) => Ok(()),
        outcome => outcome,
    }
}
