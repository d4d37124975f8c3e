//! Making calls, and what a new one may be.

use wire::{
    Call, CallId, Custom, ErrorBody, GetOrCreate, GetOrCreated, HistoryEntry, MAX_CUSTOM_BYTES, MAX_MEMBERS, Member,
    MemberData, Settings, UnixMillis, UserId,
};

use super::{Authority, Caller, batch::Draft, call::LiveCall, no_such_call};
use crate::ring::Ring;

/// Ring lengths an operator or a call may choose.
const RING_TIMEOUT: std::ops::RangeInclusive<u32> = 5_000..=180_000;

impl Authority {
    /// Creates or returns a call; rings its members if asked to.
    pub(crate) fn get_or_create(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: GetOrCreate,
    ) -> Result<GetOrCreated, ErrorBody> {
        let found = self.call(cid);
        let created = found.is_none();
        let mut live = match found {
            Some(live) if !live.is_member(&who.user) => return Err(no_such_call()),
            Some(live) => live,
            None => self.new_call(now, who, cid, &request)?,
        };
        if request.ring {
            self.add_members(&mut live, &request.data.members)?;
            return self.ring(now, who, live, request.video, created);
        }
        if created {
            self.commit(Draft::of(live));
        }
        Ok(GetOrCreated { created, state: self.seen_by(&who.user, cid, now)?, revision: self.revision() })
    }

    pub(super) fn new_call(
        &self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: &GetOrCreate,
    ) -> Result<LiveCall, ErrorBody> {
        let settings = request.data.settings.clone().unwrap_or_default();
        check_settings(&settings)?;
        check_custom("data.custom", &request.data.custom)?;
        let call = Call {
            cid: cid.clone(),
            created_by: who.user.clone(),
            created_at: now,
            members: vec![Member { user: who.user.clone(), role: "host".to_owned(), custom: Custom::new() }],
            settings,
            custom: request.data.custom.clone(),
            starts_at: None,
            team: None,
            ended_at: None,
            session: None,
            version: 0,
        };
        let mut live = LiveCall::new(call, None);
        self.add_members(&mut live, &request.data.members)?;
        Ok(live)
    }

    fn add_members(&self, live: &mut LiveCall, members: &[MemberData]) -> Result<(), ErrorBody> {
        for member in members {
            if !self.people.contains_key(&member.user) {
                return Err(ErrorBody::invalid(
                    "data.members",
                    format!("there is nobody called {} on this server: check the name or send an invite", member.user),
                ));
            }
            check_custom("data.members.custom", &member.custom)?;
            if live.call.members.iter().any(|known| known.user == member.user) {
                continue;
            }
            let role = member.role.clone().unwrap_or_else(|| "member".to_owned());
            live.call.members.push(Member { user: member.user.clone(), role, custom: member.custom.clone() });
        }
        if live.call.members.len() > MAX_MEMBERS {
            let message = format!("a call has at most {MAX_MEMBERS} members");
            return Err(ErrorBody::invalid("data.members", message));
        }
        Ok(())
    }
}

fn check_settings(settings: &Settings) -> Result<(), ErrorBody> {
    if RING_TIMEOUT.contains(&settings.ring.timeout_ms) {
        return Ok(());
    }
    Err(ErrorBody::invalid("data.settings.ring.timeout_ms", "a ring lasts 5,000 to 180,000 milliseconds"))
}

fn check_custom(field: &str, custom: &Custom) -> Result<(), ErrorBody> {
    let size = serde_json::to_string(custom).map_or(usize::MAX, |text| text.len());
    if size <= MAX_CUSTOM_BYTES {
        return Ok(());
    }
    Err(ErrorBody::invalid(field, "custom data may be 5 KB of JSON at most"))
}

/// A person's line about a ring, as it begins.
pub(super) fn history_line(live: &LiveCall, ring: &Ring, person: &UserId) -> HistoryEntry {
    let direction = if ring.caller == *person { wire::Direction::Outgoing } else { wire::Direction::Incoming };
    let mut people: Vec<UserId> = live.call.members.iter().map(|member| member.user.clone()).collect();
    people.retain(|user| user != person);
    HistoryEntry {
        id: 0,
        cid: live.call.cid.clone(),
        at: ring.started_at,
        direction,
        outcome: wire::HistoryOutcome::Ongoing,
        duration_ms: 0,
        caller: ring.caller.clone(),
        people,
        video: ring.video,
        message: None,
        reason: None,
        unseen: false,
    }
}
