//! Who is on a call's list, who is kept out, and who was given what.

use std::collections::BTreeSet;

use wire::{
    CallId, CallState, Capability, Code, Custom, DeviceId, ErrorBody, Event, Member, MemberData, RingMembers, Role,
    UnixMillis, UpdateMembers, UpdatePermissions, UserId,
};

use super::{
    Authority, Caller,
    batch::{Draft, Effect},
    call::LiveCall,
    calls::{check_custom, check_role},
    no_such_call,
    waiting::wait_on,
};
use crate::ring::Stop;

impl Authority {
    /// Adds, changes and removes members. Who is removed stops ringing and is put out.
    pub(crate) fn update_members(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        update: &UpdateMembers,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::UpdateMembers)?;
        self.allow_members(&live, &who.user, &update.set)?;
        for user in update.remove.iter().filter(|user| **user != who.user) {
            if live.is_in_session(user) {
                self.allow(&live, &who.user, Capability::RemoveParticipant)?;
            }
            if let Some(role) = role_of(&live, user).filter(|role| *role != PLAIN) {
                self.allow(&live, &who.user, Capability::UpdatePermissions)?;
                self.may_all(&live, &who.user, &self.abilities_of(&live, role))?;
            }
        }
        self.set_members(&mut live, "set", &update.set)?;
        let mut draft = Draft::default();
        for user in &update.remove {
            if *user == live.call.created_by {
                return Err(ErrorBody::invalid("remove", "the person who made a call stays on its list"));
            }
            live.edit().members.retain(|member| member.user != *user);
            self.put_out(now, &mut live, user, &mut draft);
        }
        Ok(self.settle(now, who, live, draft))
    }

    /// Rings members of a call that exists, or only tells them of it; who is not on the list is added.
    pub(crate) fn ring_members(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        request: RingMembers,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::Ring)?;
        let named = request.members.map(|members| members.into_iter().collect::<BTreeSet<UserId>>());
        if let Some(named) = &named {
            let is_known = |user: &UserId| live.call.members.iter().any(|member| member.user == *user);
            let new: Vec<MemberData> = named.iter().filter(|user| !is_known(user)).cloned().map(plain_member).collect();
            if !new.is_empty() {
                self.allow(&live, &who.user, Capability::UpdateMembers)?;
                self.set_members(&mut live, "members", &new)?;
            }
        }
        if request.notify {
            let told = self.members_who_see(&live).filter(|user| **user != who.user);
            let told: Vec<UserId> =
                told.filter(|user| named.as_ref().is_none_or(|named| named.contains(user))).cloned().collect();
            let starts_at = live.call.starts_at;
            self.notice(told, Event::Notified { cid: cid.clone(), by: Some(who.user.clone()), starts_at });
            return Ok(self.settle(now, who, live, Draft::default()));
        }
        self.ring(now, who, live, request.video, named.as_ref())
    }

    /// Puts somebody out; he may come back.
    pub(crate) fn remove(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        user: &UserId,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::RemoveParticipant)?;
        let mut draft = Draft::default();
        self.put_out(now, &mut live, user, &mut draft);
        Ok(self.settle(now, who, live, draft))
    }

    /// Puts somebody out for good, or lets him in again.
    pub(crate) fn block(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        user: &UserId,
        blocked: bool,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::BlockUser)?;
        if *user == live.call.created_by || *user == who.user {
            return Err(ErrorBody::invalid("user", "neither the person who made a call nor yourself can be blocked"));
        }
        let mut draft = Draft::default();
        if blocked {
            if !self.people.contains_key(user) {
                return Err(nobody("user", user));
            }
            live.edit().blocked.insert(user.clone());
            self.put_out(now, &mut live, user, &mut draft);
        } else {
            live.edit().blocked.remove(user);
        }
        Ok(self.settle(now, who, live, draft))
    }

    /// Gives and takes capabilities of one person, in this call.
    pub(crate) fn update_permissions(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        update: &UpdatePermissions,
    ) -> Result<CallState, ErrorBody> {
        let mut live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::UpdatePermissions)?;
        if !self.people.contains_key(&update.user) {
            return Err(nobody("user", &update.user));
        }
        for (field, capabilities) in [("grant", &update.grant), ("revoke", &update.revoke)] {
            if capabilities.contains(&Capability::CreateCall) {
                let message =
                    "create-call is nothing of one call: the role on the server says who makes calls of a type";
                return Err(ErrorBody::invalid(field, message));
            }
        }
        let before = self.capabilities(&live, &update.user);
        let taken = update.revoke.iter().copied().filter(|capability| before.contains(*capability)).collect();
        self.may_all(&live, &who.user, &update.grant)?;
        self.may_all(&live, &who.user, &taken)?;
        let keeps = [Capability::ReadCall, Capability::JoinCall, Capability::UpdatePermissions];
        if update.user == live.call.created_by
            && keeps.iter().any(|capability| update.revoke.contains(capability))
            && self.people.get(&who.user).is_none_or(|asker| asker.role != Role::Admin)
        {
            let message = "the person who made a call is kept out of it by an admin alone";
            return Err(ErrorBody::new(Code::PermissionDenied, message));
        }
        let personal = live.edit().grants.entry(update.user.clone()).or_default();
        for capability in &update.grant {
            personal.revoked.remove(capability);
            personal.granted.insert(*capability);
        }
        for capability in &update.revoke {
            personal.granted.remove(capability);
            personal.revoked.insert(*capability);
        }
        let mut draft = Draft::default();
        let after = self.capabilities(&live, &update.user);
        let loses = |capability| before.contains(capability) && !after.contains(capability);
        if loses(Capability::ReadCall) || loses(Capability::JoinCall) {
            // He is neither rung by it any more nor in it.
            self.put_out(now, &mut live, &update.user, &mut draft);
        }
        if loses(Capability::ReadCall) {
            draft.former.push(update.user.clone());
        }
        Ok(self.settle(now, who, live, draft))
    }

    /// Asks who may give it for a capability.
    pub(crate) fn ask_permission(
        &mut self,
        who: &Caller,
        cid: &CallId,
        capabilities: BTreeSet<Capability>,
    ) -> Result<(), ErrorBody> {
        let live = self.call(cid).ok_or_else(no_such_call)?;
        self.allow(&live, &who.user, Capability::JoinCall)?;
        if capabilities.is_empty() {
            return Err(ErrorBody::invalid("capabilities", "name at least one capability"));
        }
        let may_give = |user: &UserId| self.capabilities(&live, user).contains(Capability::UpdatePermissions);
        let asked: Vec<UserId> =
            live.audience().into_iter().filter(|user| *user != who.user && may_give(user)).collect();
        self.notice(asked, Event::PermissionAsked { cid: cid.clone(), user: who.user.clone(), capabilities });
        Ok(())
    }

    /// Whether somebody may make this of a call's list. Roles carry capabilities: nobody gives or takes away what he could
    /// not give.
    pub(super) fn allow_members(
        &self,
        live: &LiveCall,
        user: &UserId,
        members: &[MemberData],
    ) -> Result<(), ErrorBody> {
        for data in members {
            let known = live.call.members.iter().find(|known| known.user == data.user);
            let role = known.map_or(PLAIN, |known| known.role.as_str());
            let changes_role = data.role.as_ref().is_some_and(|wished| wished != role);
            let changes_data = known.is_none_or(|known| !data.custom.is_empty() && data.custom != known.custom);
            if changes_role {
                self.allow(live, user, Capability::UpdatePermissions)?;
                for role in [Some(role), data.role.as_deref()].into_iter().flatten() {
                    self.may_all(live, user, &self.abilities_of(live, role))?;
                }
            }
            if changes_role || changes_data {
                self.allow(live, user, Capability::UpdateMembers)?;
            }
        }
        Ok(())
    }

    /// Nobody gives, or takes away, what he may not do himself.
    fn may_all(&self, live: &LiveCall, user: &UserId, given: &BTreeSet<Capability>) -> Result<(), ErrorBody> {
        let own = self.capabilities(live, user);
        let Some(missing) = given.iter().find(|capability| !own.contains(**capability)) else { return Ok(()) };
        let message = format!("you cannot give or take what you may not do yourself ({})", missing.as_str());
        Err(ErrorBody::new(Code::PermissionDenied, message))
    }

    pub(super) fn set_members(
        &self,
        live: &mut LiveCall,
        field: &str,
        members: &[MemberData],
    ) -> Result<(), ErrorBody> {
        for data in members {
            let Some(person) = self.people.get(&data.user) else { return Err(nobody(field, &data.user)) };
            if live.call.team.as_ref().is_some_and(|team| !person.teams.contains(team)) {
                return Err(ErrorBody::invalid(field, format!("{} is not of the call's team", data.user)));
            }
            check_custom(&format!("{field}.custom"), &data.custom)?;
            if let Some(role) = &data.role {
                check_role(&format!("{field}.role"), role)?;
            }
            match live.edit().members.iter_mut().find(|known| known.user == data.user) {
                Some(known) => {
                    if let Some(role) = &data.role {
                        known.role.clone_from(role);
                    }
                    if !data.custom.is_empty() {
                        known.custom.clone_from(&data.custom);
                    }
                }
                None => live.edit().members.push(Member {
                    user: data.user.clone(),
                    role: data.role.clone().unwrap_or_else(|| PLAIN.to_owned()),
                    custom: data.custom.clone(),
                }),
            }
        }
        if live.call.members.len() > wire::MAX_MEMBERS {
            return Err(ErrorBody::invalid(field, format!("a call has at most {} members", wire::MAX_MEMBERS)));
        }
        Ok(())
    }

    /// The person stops ringing, whom he rings likewise, and every device of his leaves (R15).
    pub(super) fn put_out(&self, now: UnixMillis, live: &mut LiveCall, user: &UserId, draft: &mut Draft) {
        self.stop_ringing(now, live, user, draft);
        self.stop_rings(now, live, Stop::Cancel, draft, |_, ring| ring.caller == *user);
        let his = live.participants().filter(|there| there.user == *user);
        let devices: Vec<_> = his.map(|there| there.device.clone()).collect();
        for device in devices {
            self.put_device_out(now, live, user, device, draft);
        }
    }

    /// One device of a person is out, of the media server as well.
    pub(super) fn put_device_out(
        &self,
        now: UnixMillis,
        live: &mut LiveCall,
        user: &UserId,
        device: DeviceId,
        draft: &mut Draft,
    ) {
        self.remove_participant(now, live, &device, draft);
        if live.call.session.is_some() {
            live.put_out.insert(device.clone());
        }
        draft.effects.push(Effect::RemoveParticipant { cid: live.call.cid.clone(), user: user.clone(), device });
    }

    /// The media server learns what a change of the call means for what those in it may send.
    pub(super) fn permit_changed(&self, before: &LiveCall, after: &LiveCall, effects: &mut Vec<Effect>) {
        let (old, new) = (&before.call, &after.call);
        let is_as_it_was = old.members == new.members && old.grants == new.grants && old.settings == new.settings;
        if is_as_it_was || new.session.is_none() {
            return;
        }
        for there in after.participants() {
            let (user, sending) = (&there.user, self.sending(after, &there.user));
            if before.has_device(&there.device) && sending != self.sending(before, user) {
                let (cid, device) = (new.cid.clone(), there.device.clone());
                effects.push(Effect::PermitMedia { cid, user: user.clone(), device, sending });
            }
        }
    }

    /// The media server lets every device of a person send what he may send, and nothing else.
    pub(super) fn permit_media(&self, live: &LiveCall, user: &UserId, draft: &mut Draft) {
        let sending = self.sending(live, user);
        for there in live.participants().filter(|there| there.user == *user) {
            draft.effects.push(Effect::PermitMedia {
                cid: live.call.cid.clone(),
                user: user.clone(),
                device: there.device.clone(),
                sending: sending.clone(),
            });
        }
    }

    /// Takes a change over; answers what the asker now sees.
    pub(super) fn settle(&mut self, now: UnixMillis, who: &Caller, mut live: LiveCall, mut draft: Draft) -> CallState {
        wait_on(&mut live, now);
        let cid = live.call.cid.clone();
        draft.calls.push(live);
        self.commit(draft);
        self.view(&self.calls[&cid], &who.user, now)
    }
}

/// The role of who has no other.
const PLAIN: &str = "member";

fn role_of<'a>(live: &'a LiveCall, user: &UserId) -> Option<&'a str> {
    live.call.members.iter().find(|member| member.user == *user).map(|member| member.role.as_str())
}

pub(super) fn plain_member(user: UserId) -> MemberData {
    MemberData { user, role: None, custom: Custom::new() }
}

pub(super) fn nobody(field: &str, user: &UserId) -> ErrorBody {
    ErrorBody::invalid(field, format!("there is nobody called {user} on this server: check the name or send an invite"))
}
