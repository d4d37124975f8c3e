//! Making calls, and what a new one may be.

use std::collections::{BTreeMap, BTreeSet};

use wire::{
    Call, CallId, CallState, Capability, Custom, Direction, ErrorBody, Event, GetOrCreate, GetOrCreated, HistoryEntry,
    HistoryOutcome, MAX_CUSTOM_BYTES, Member, UnixMillis, UserId,
};

use super::{
    Authority, Caller,
    batch::Draft,
    call::LiveCall,
    members::plain_member,
    permission::{is_role, overridden},
    planned::{check_starts_at, reminders_passed},
};
use crate::{kept::Kept, ring::Ring};

impl Authority {
    /// Creates or returns a call; rings its members, or tells them of it, if asked to.
    pub(crate) fn get_or_create(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: GetOrCreate,
    ) -> Result<GetOrCreated, ErrorBody> {
        let (mut live, created) = self.found_or_new(now, who, cid, &request)?;
        if request.ring {
            self.allow(&live, &who.user, Capability::Ring)?;
            if !created {
                self.allow_members(&live, &who.user, &request.data.members)?;
            }
            self.set_members(&mut live, "data.members", &request.data.members)?;
            // Who rings is one of those who talk (S8), unless it is a program.
            if !self.is_program(&who.user) && !live.call.members.iter().any(|member| member.user == who.user) {
                self.set_members(&mut live, "data.members", &[plain_member(who.user.clone())])?;
            }
            // In a call that is there already, whoever is named is rung; nobody named, everybody.
            let named: BTreeSet<UserId> = request.data.members.iter().map(|member| member.user.clone()).collect();
            let named = Some(&named).filter(|named| !created && !named.is_empty());
            let state = self.ring(now, who, live, request.video, named)?;
            let created = created && state.call.cid == *cid;
            return Ok(GetOrCreated { created, state, revision: self.revision() });
        }
        if request.notify {
            self.allow(&live, &who.user, Capability::Ring)?;
            let told = self.members_who_see(&live).filter(|user| **user != who.user).cloned().collect();
            let (by, starts_at) = (Some(who.user.clone()), live.call.starts_at);
            self.notice(told, Event::Notified { cid: cid.clone(), by, starts_at });
        }
        if created {
            self.commit(Draft::of(live));
        }
        Ok(GetOrCreated { created, state: self.seen_by(&who.user, cid, now)?, revision: self.revision() })
    }

    /// A call as the asker sees it.
    pub(crate) fn read(&self, now: UnixMillis, who: &Caller, cid: &CallId) -> Result<CallState, ErrorBody> {
        Ok(self.view(&self.call_of(who, cid)?, &who.user, now))
    }

    /// Stored calls as the asker sees them; nothing in place of those he may not read.
    pub(crate) fn views(&self, now: UnixMillis, who: &Caller, calls: Vec<Call>) -> Vec<Option<CallState>> {
        let view = |call: Call| {
            let live = self.call(&call.cid).unwrap_or_else(|| LiveCall::new(call, Kept::default()));
            let is_readable = self.capabilities(&live, &who.user).contains(Capability::ReadCall);
            is_readable.then(|| self.view(&live, &who.user, now))
        };
        calls.into_iter().map(view).collect()
    }

    /// The call that is there, or a new one (`true`) that is not stored yet.
    pub(super) fn found_or_new(
        &self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: &GetOrCreate,
    ) -> Result<(LiveCall, bool), ErrorBody> {
        let fresh = || self.new_call(now, who, cid, request);
        let Some(live) = self.call(cid) else { return Ok((fresh()?, true)) };
        match self.allow(&live, &who.user, Capability::ReadCall) {
            Ok(()) => Ok((live, false)),
            // Answered as if there were none: what may not be made is refused all the same.
            Err(refusal) => Err(fresh().err().unwrap_or(refusal)),
        }
    }

    fn new_call(
        &self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: &GetOrCreate,
    ) -> Result<LiveCall, ErrorBody> {
        self.allow_create(&who.user, cid.call_type())?;
        let data = &request.data;
        let type_settings = &self.types.find(cid.call_type())?.settings;
        let settings = match &data.settings {
            Some(patch) => overridden("data.settings", type_settings, patch)?,
            None => type_settings.clone(),
        };
        check_custom("data.custom", &data.custom)?;
        if let Some(starts_at) = data.starts_at {
            check_starts_at("data.starts_at", starts_at)?;
        }
        if let Some(team) = &data.team {
            let is_mine = self.people.get(&who.user).is_some_and(|person| person.teams.contains(team));
            if !is_mine {
                return Err(ErrorBody::invalid("data.team", "you are not of this team"));
            }
        }
        // A program makes calls for others: it is not one of those who talk.
        let host = || Member { user: who.user.clone(), role: "host".to_owned(), custom: Custom::new() };
        let members = if self.is_program(&who.user) { Vec::new() } else { vec![host()] };
        let call = Call {
            cid: cid.clone(),
            created_by: who.user.clone(),
            created_at: now,
            members,
            settings,
            custom: data.custom.clone(),
            starts_at: data.starts_at,
            reminders_sent: data.starts_at.map_or(0, |at| reminders_passed(now, at)),
            team: data.team.clone(),
            is_live: false,
            is_closed: false,
            blocked: BTreeSet::new(),
            pinned: BTreeSet::new(),
            grants: BTreeMap::new(),
            ended_at: None,
            session: None,
            version: 0,
        };
        let mut live = LiveCall::new(call, Kept::default());
        self.set_members(&mut live, "data.members", &data.members)?;
        Ok(live)
    }
}

/// A role on a call's list: one of the model's, or an operator's own.
pub(super) fn check_role(field: &str, role: &str) -> Result<(), ErrorBody> {
    // The server's own roles come from elsewhere and cannot be claimed.
    let is_own = ["admin", "user", "guest", "owner"].contains(&role);
    if !is_role(role) || is_own {
        return Err(ErrorBody::invalid(
            field,
            "a role has 1 to 32 letters, digits, - and _, and is not one of the server's",
        ));
    }
    Ok(())
}

/// Free data is bounded.
pub(crate) fn check_custom(field: &str, custom: &Custom) -> Result<(), ErrorBody> {
    let size = serde_json::to_string(custom).map_or(usize::MAX, |text| text.len());
    if size <= MAX_CUSTOM_BYTES {
        return Ok(());
    }
    Err(ErrorBody::invalid(field, "custom data may be 5 KB of JSON at most"))
}

/// A person's line about a ring, as it begins.
pub(super) fn ring_line(live: &LiveCall, ring: &Ring, person: &UserId) -> HistoryEntry {
    history_line(live, person, &ring.caller, ring.started_at, ring.video, ring.direction_for(person))
}

/// A person's line about a call that began then, with nothing said of how it went.
pub(super) fn history_line(
    live: &LiveCall,
    person: &UserId,
    caller: &UserId,
    at: UnixMillis,
    video: bool,
    direction: Direction,
) -> HistoryEntry {
    // Who came without being on the list was in it all the same.
    let is_member = |user: &&UserId| live.call.members.iter().any(|member| member.user == **user);
    let others = live.kept.stays.keys().filter(|user| !is_member(user));
    let people = live.call.members.iter().map(|member| &member.user).chain(others);
    let people = people.filter(|user| *user != person).cloned().collect();
    HistoryEntry {
        id: 0,
        cid: live.call.cid.clone(),
        at,
        direction,
        outcome: HistoryOutcome::Ongoing,
        duration_ms: 0,
        caller: caller.clone(),
        people,
        video,
        custom: live.call.custom.clone(),
        message: None,
        reason: None,
        unseen: false,
    }
}
