//! Running a call: its data and settings, opening and closing, muting, pinning, signs and the application's own events.

use std::collections::BTreeSet;

use wire::{
    CallId, CallState, Capability, Code, Custom, ErrorBody, Event, MuteUsers, TextRule, TrackSource, UnixMillis,
    UpdateCall, UserId,
};

use super::{
    Authority, Caller,
    batch::{Draft, Effect},
    call::LiveCall,
    calls::check_custom,
    members::nobody,
    no_such_call,
    permission::overridden,
    planned::{check_starts_at, reminders_passed},
};

/// A sign that somebody reacts with.
const SIGN: TextRule = TextRule { max_characters: 32 };

impl Authority {
    /// Changes data, settings and planned time; what is absent stays.
    pub(crate) fn update_call(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        update: UpdateCall,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        if update.custom.is_some() || update.starts_at.is_some() || update.settings.is_none() {
            self.allow(&live, &who.user, Capability::UpdateCall)?;
        }
        if let Some(custom) = update.custom {
            check_custom("custom", &custom)?;
            live.edit().custom = custom;
        }
        if let Some(starts_at) = update.starts_at {
            starts_at.map_or(Ok(()), |at| check_starts_at("starts_at", at))?;
            live.edit().starts_at = starts_at;
            live.edit().reminders_sent = starts_at.map_or(0, |at| reminders_passed(now, at));
            live.edit().is_closed = false;
        }
        if let Some(patch) = &update.settings {
            self.allow(&live, &who.user, Capability::UpdateSettings)?;
            live.edit().settings = overridden("settings", &live.call.settings, patch)?;
        }
        Ok(self.settle(now, who, live, Draft::default()))
    }

    /// Opens the backstage to everybody, or closes it again.
    pub(crate) fn go_live(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        live_now: bool,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::GoLive)?;
        live.edit().is_live = live_now;
        live.edit().is_closed = !live_now;
        Ok(self.settle(now, who, live, Draft::default()))
    }

    /// Shows somebody large to everyone, or no longer.
    pub(crate) fn pin(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        user: UserId,
        pinned: bool,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::PinForEveryone)?;
        if pinned {
            if !self.people.contains_key(&user) {
                return Err(nobody("user", &user));
            }
            live.edit().pinned.insert(user);
        } else {
            live.edit().pinned.remove(&user);
        }
        Ok(self.settle(now, who, live, Draft::default()))
    }

    /// Mutes some or everybody; each may unmute himself again.
    pub(crate) fn mute(&mut self, who: &Caller, cid: &CallId, request: &MuteUsers) -> Result<(), ErrorBody> {
        let live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::MuteUsers)?;
        let tracks = if request.tracks.is_empty() { vec![TrackSource::Microphone] } else { request.tracks.clone() };
        let is_meant = |user: &UserId| match &request.users {
            Some(users) => users.contains(user),
            None => *user != who.user,
        };
        let mut draft = Draft::default();
        for there in live.participants() {
            if is_meant(&there.user) {
                draft.effects.push(Effect::Mute {
                    cid: cid.clone(),
                    user: there.user.clone(),
                    device: there.device.clone(),
                    sources: tracks.clone(),
                });
            }
        }
        self.commit(draft);
        Ok(())
    }

    /// A sign, to everybody in the call.
    pub(crate) fn react(&mut self, who: &Caller, cid: &CallId, sign: &str) -> Result<(), ErrorBody> {
        let live = self.in_call(who, cid, Capability::SendReaction)?;
        let rule = || ErrorBody::invalid("kind", "a sign has 1 to 32 characters, without control characters");
        let reaction = SIGN.check(sign).ok_or_else(rule)?.to_owned();
        self.notice(there(&live), Event::Reaction { cid: cid.clone(), user: who.user.clone(), reaction });
        Ok(())
    }

    /// The application's own event, to everybody in the call.
    pub(crate) fn send_event(&mut self, who: &Caller, cid: &CallId, data: Custom) -> Result<(), ErrorBody> {
        let live = self.in_call(who, cid, Capability::SendEvent)?;
        check_custom("data", &data)?;
        self.notice(there(&live), Event::Custom { cid: cid.clone(), user: who.user.clone(), data });
        Ok(())
    }

    /// A call the asker is in and may do this in.
    fn in_call(&self, who: &Caller, cid: &CallId, capability: Capability) -> Result<LiveCall, ErrorBody> {
        let live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, capability)?;
        if !live.is_in_session(&who.user) {
            return Err(ErrorBody::new(Code::Conflict, "you are not in this call: join it first"));
        }
        Ok(live)
    }
}

/// Everybody in the session, once each.
fn there(live: &LiveCall) -> Vec<UserId> {
    live.participants().map(|there| there.user.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
