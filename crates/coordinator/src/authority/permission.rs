//! Who may do what: call types with their grants as data, and the one function that both the door and the page's
//! `own_capabilities` ask.

use std::collections::{BTreeMap, BTreeSet};

use wire::{CallId, CallTypeData, Capability, Code, ErrorBody, Role, Settings, UserId};

use super::{Authority, abilities::Abilities, call::LiveCall, no_such_call};
use crate::error::StartError;
use Capability::{
    CreateCall, EndCall, GoLive, JoinBackstage, JoinCall, JoinEndedCall, MuteUsers, PinForEveryone, ReadCall, Record,
    RemoveParticipant, Ring, SendAudio, SendEvent, SendReaction, SendVideo, ShareScreen, UpdateCall, UpdateMembers,
    UpdatePermissions, UpdateSettings,
};

/// Everything that is needed to run a call, besides sending and coming behind the scenes.
const RUN: &[Capability] = &[
    ReadCall,
    JoinCall,
    JoinEndedCall,
    UpdateCall,
    UpdateSettings,
    EndCall,
    UpdateMembers,
    Ring,
    MuteUsers,
    RemoveParticipant,
    Capability::BlockUser,
    UpdatePermissions,
    PinForEveryone,
    SendReaction,
    SendEvent,
    GoLive,
    Record,
];

/// The built-in types: for each role, what it may do. Roles of members and of the owner come on top of the person's own.
type Table = &'static [(&'static str, &'static [(&'static str, &'static [&'static [Capability]])])];

const GUEST: &[Capability] = &[ReadCall, JoinCall, SendAudio, SendVideo, SendReaction];
const TABLE: Table = &[
    (
        "default",
        &[
            ("guest", &[GUEST]),
            ("user", &[GUEST, &[CreateCall, Ring, ShareScreen, SendEvent, UpdateMembers]]),
            ("owner", &[Capability::ALL]),
            ("host", &[RUN, &[SendAudio, SendVideo, ShareScreen]]),
            ("admin", &[Capability::ALL]),
        ],
    ),
    (
        "audio_room",
        &[
            ("guest", &[&[ReadCall, JoinCall, SendReaction]]),
            ("user", &[&[ReadCall, JoinCall, SendReaction, CreateCall]]),
            ("speaker", &[&[SendAudio]]),
            ("owner", &[RUN, &[JoinBackstage, SendAudio]]),
            ("host", &[RUN, &[JoinBackstage, SendAudio]]),
            ("admin", &[Capability::ALL]),
        ],
    ),
    (
        "livestream",
        &[
            ("guest", &[&[ReadCall, JoinCall]]),
            ("user", &[&[ReadCall, JoinCall, CreateCall, SendReaction, SendEvent]]),
            ("owner", &[Capability::ALL]),
            ("host", &[Capability::ALL]),
            ("admin", &[Capability::ALL]),
        ],
    ),
    ("development", &[("guest", &[Capability::ALL]), ("user", &[Capability::ALL]), ("admin", &[Capability::ALL])]),
];

/// A named bundle of settings and grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CallType {
    pub(crate) settings: Settings,
    pub(crate) grants: BTreeMap<String, BTreeSet<Capability>>,
}

/// Every call type of a server: the built-in ones and the operator's own.
#[derive(Debug, Clone)]
pub(crate) struct CallTypes {
    now: BTreeMap<String, CallType>,
    /// What is built in, or said by the operator's file: a type can be given back that.
    begun: BTreeMap<String, CallType>,
}

impl CallTypes {
    /// The built-in types, with what the operator's file says.
    pub(crate) fn new(file: BTreeMap<String, CallType>) -> Self {
        let mut begun: BTreeMap<String, CallType> =
            TABLE.iter().map(|(name, roles)| ((*name).to_owned(), built_in(name, roles))).collect();
        begun.extend(file);
        Self { now: begun.clone(), begun }
    }

    /// The same from what an admin changed by the API and from the operator's file, which is checked strictly and wins.
    pub(crate) fn read(
        changed: &BTreeMap<String, CallTypeData>,
        file: &BTreeMap<String, CallTypeData>,
    ) -> Result<Self, StartError> {
        let mut of_file = BTreeMap::new();
        for (name, data) in file {
            let refused = |error: ErrorBody| StartError::ConfiguredCallType {
                field: error.field.map_or_else(|| name.clone(), |field| format!("{name}.{field}")),
                error: error.message,
            };
            of_file.insert(name.clone(), CallType::parse_strictly(name, data).map_err(refused)?);
        }
        let mut types = Self::new(of_file);
        for (name, data) in changed.iter().filter(|(name, _)| !file.contains_key(*name)) {
            let call_type = CallType::parse(data).unwrap_or_else(|error| {
                // By a rule that it was stored without. What its operator closed stays closed, and the server lives.
                tracing::error!(%name, error = error.message, "a stored call type cannot be used and is closed: set it again");
                CallType::default()
            });
            types.set(name, call_type);
        }
        Ok(types)
    }

    pub(crate) fn find(&self, name: &str) -> Result<&CallType, ErrorBody> {
        let unknown =
            || ErrorBody::invalid("type", format!("this server has no call type {name}: its operator can add it"));
        self.now.get(name).ok_or_else(unknown)
    }

    pub(crate) fn set(&mut self, name: &str, call_type: CallType) {
        self.now.insert(name.to_owned(), call_type);
    }

    /// What a type began with, before an admin changed it by the API.
    pub(crate) fn begun(&self, name: &str) -> Result<CallType, ErrorBody> {
        self.find(name)?;
        let own = || {
            let message = "this type began with what an admin set: nothing lies under it; set it again, without grants to close it";
            ErrorBody::new(Code::Conflict, message)
        };
        self.begun.get(name).cloned().ok_or_else(own)
    }

    /// All of them, as they can be set.
    pub(crate) fn all(&self) -> BTreeMap<String, CallTypeData> {
        self.now.iter().map(|(name, call_type)| (name.clone(), call_type.data())).collect()
    }
}

impl CallType {
    /// A type as an operator writes it, checked whole.
    pub(crate) fn parse(data: &CallTypeData) -> Result<Self, ErrorBody> {
        let settings = match &data.settings {
            Some(patch) => overridden("settings", &Settings::default(), patch)?,
            None => Settings::default(),
        };
        for role in data.grants.keys() {
            if !is_role(role) {
                return Err(ErrorBody::invalid("grants", "a role has 1 to 32 letters, digits, - and _"));
            }
        }
        Ok(Self { settings, grants: data.grants.clone() })
    }

    /// Whether a role on the server makes calls of this type.
    fn may_create(&self, role: Role) -> bool {
        self.grants.get(role_name(role)).is_some_and(|grants| grants.contains(&CreateCall))
    }

    /// As an operator would write it, with every setting.
    fn data(&self) -> CallTypeData {
        let settings = serde_json::to_value(&self.settings).expect("settings are plain data");
        CallTypeData { settings: Some(settings), grants: self.grants.clone() }
    }

    /// The same; its name keeps the rule, and a setting that there is none of is a mistake.
    fn parse_strictly(name: &str, data: &CallTypeData) -> Result<Self, ErrorBody> {
        CallId::new(name, "x").map_err(|error| ErrorBody::new(Code::InvalidRequest, error.to_string()))?;
        let call_type = Self::parse(data)?;
        if let Some(path) = data.settings.as_ref().and_then(Settings::unknown_in) {
            return Err(ErrorBody::invalid(&format!("settings.{path}"), "there is no such setting: is it misspelt?"));
        }
        Ok(call_type)
    }
}

/// The character rule of roles.
pub(super) fn is_role(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=32).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Settings with an override, or the refusal that names the field.
pub(super) fn overridden(field: &str, settings: &Settings, patch: &serde_json::Value) -> Result<Settings, ErrorBody> {
    settings.overridden(patch).map_err(|(path, rule)| match path.as_str() {
        "" => ErrorBody::invalid(field, format!("{field}: {rule}")),
        path => ErrorBody::invalid(&format!("{field}.{path}"), format!("{path}: {rule}")),
    })
}

/// What a role gives. Who makes calls is said by the roles on the server alone: a call that is yet to be made has no list.
fn given(role: &str, parts: &[&[Capability]]) -> BTreeSet<Capability> {
    let is_of_server = [Role::Guest, Role::User, Role::Admin].map(role_name).contains(&role);
    parts.concat().into_iter().filter(|capability| is_of_server || *capability != CreateCall).collect()
}

fn built_in(name: &str, roles: &[(&str, &[&[Capability]])]) -> CallType {
    let grants = roles.iter().map(|(role, parts)| ((*role).to_owned(), given(role, parts)));
    let mut settings = Settings::default();
    match name {
        "audio_room" => {
            settings.audio.mic_default_on = false;
            settings.video.enabled = false;
            settings.video.camera_default_on = false;
            settings.backstage.enabled = true;
        }
        "livestream" => {
            settings.audio.mic_default_on = false;
            settings.video.camera_default_on = false;
            settings.backstage.enabled = true;
        }
        _ => {}
    }
    CallType { settings, grants: grants.collect() }
}

impl Authority {
    /// What somebody may do in a call: the union of the grants of his roles for the call's type, plus what he was given,
    /// less what he was denied. The door asks this, and the page is told this.
    pub(super) fn capabilities(&self, live: &LiveCall, user: &UserId) -> Abilities {
        let call = &live.call;
        let Some(person) = self.people.get(user) else { return Abilities::default() };
        let is_of_team = call.team.as_ref().is_none_or(|team| person.teams.contains(team));
        if call.blocked.contains(user) || !(is_of_team || person.role == Role::Admin) {
            return Abilities::default();
        }
        let member = call.members.iter().find(|member| member.user == *user).map(|member| member.role.as_str());
        let owner = (call.created_by == *user).then_some("owner");
        let roles = [Some(role_name(person.role)), member, owner];
        let Ok(call_type) = self.types.find(call.cid.call_type()) else { return Abilities::default() };
        let granted = roles.into_iter().flatten().filter_map(|role| call_type.grants.get(role)).flatten().copied();
        let mut capabilities: Abilities = granted.collect();
        // Who is on the list knows of the call by that, and so does whom a ring concerns, for as long as it goes on.
        if member.is_some() || live.rings().iter().any(|ring| live.goes_on_for(ring, user)) {
            capabilities.insert(ReadCall);
        }
        if let Some(personal) = call.grants.get(user) {
            personal.granted.iter().for_each(|capability| capabilities.insert(*capability));
            personal.revoked.iter().for_each(|capability| capabilities.remove(*capability));
        }
        // No call says who makes others: the door asks his role on the server alone.
        if call_type.may_create(person.role) {
            capabilities.insert(CreateCall);
        } else {
            capabilities.remove(CreateCall);
        }
        within(&call.settings, capabilities)
    }

    /// What a role on the list of a call gives there.
    pub(super) fn abilities_of(&self, live: &LiveCall, role: &str) -> BTreeSet<Capability> {
        let call_type = self.types.find(live.call.cid.call_type());
        let granted = call_type.ok().and_then(|call_type| call_type.grants.get(role));
        // As if it gave no right to make calls: no role of a call does.
        let granted = granted.into_iter().flatten().filter(|capability| **capability != CreateCall);
        within(&live.call.settings, granted.copied().collect()).into()
    }

    /// The door: whoever lacks the capability is refused. Who may not even know of the call learns nothing.
    pub(super) fn allow(&self, live: &LiveCall, user: &UserId, capability: Capability) -> Result<(), ErrorBody> {
        if live.call.blocked.contains(user) {
            return Err(ErrorBody::new(Code::Blocked, "you were put out of this call for good: ask one of its hosts"));
        }
        let capabilities = self.capabilities(live, user);
        if !capabilities.contains(ReadCall) {
            return Err(no_such_call());
        }
        if !capabilities.contains(capability) {
            let message = format!("you may not do this in this call ({}): ask one of its hosts", capability.as_str());
            return Err(ErrorBody::new(Code::PermissionDenied, message));
        }
        Ok(())
    }

    /// Everybody on the list who may see the call: not who was put out for good, or is no more of its team.
    pub(super) fn members_who_see<'a>(&'a self, live: &'a LiveCall) -> impl Iterator<Item = &'a UserId> {
        let members = live.call.members.iter().map(|member| &member.user);
        members.filter(|user| self.capabilities(live, user).contains(ReadCall))
    }

    /// Whether somebody may make a call of a type at all.
    pub(super) fn allow_create(&self, user: &UserId, call_type: &str) -> Result<(), ErrorBody> {
        let call_type = self.types.find(call_type)?;
        if self.people.get(user).is_some_and(|person| call_type.may_create(person.role)) {
            return Ok(());
        }
        Err(ErrorBody::new(Code::PermissionDenied, "you may not make calls of this type (create-call): ask an admin"))
    }
}

/// Less what the settings of a call switch off for everybody.
fn within(settings: &Settings, mut abilities: Abilities) -> Abilities {
    if !settings.video.enabled {
        abilities.remove(SendVideo);
    }
    if !settings.screen_share.enabled {
        abilities.remove(ShareScreen);
    }
    abilities
}

pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::User => "user",
        Role::Guest => "guest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table for people to read, as docs/permissions.md has it.
    fn table() -> String {
        let mut text = String::from(
            "# Who may do what\n\n\
             Made from the table in `crates/coordinator/src/authority/permission.rs` \
             (`BLESS=1 cargo test -p coordinator permission`).\n\n\
             A person's roles in a call are the role on the server (`guest`, `user`, `admin`), the role on the call's list \
             (`host`, `speaker`, `member`, an operator's own), and `owner` of a call he made. He may do what any of them \
             may, plus what he was given in this call, less what he was denied. Where a setting switches video or screen \
             sharing off, nobody may send it. Who makes calls (`create-call`) is said by the role on the server alone.\n",
        );
        for (name, roles) in TABLE {
            text.push_str(&format!("\n## {name}\n\n| |"));
            roles.iter().for_each(|(role, _)| text.push_str(&format!(" {role} |")));
            text.push_str("\n|---|");
            roles.iter().for_each(|_| text.push_str("---|"));
            for capability in Capability::ALL {
                text.push_str(&format!("\n| {} |", capability.as_str()));
                for (role, parts) in *roles {
                    text.push_str(if given(role, parts).contains(capability) { " ✔ |" } else { " |" });
                }
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn the_permission_table_in_the_docs_is_the_one_in_the_code() {
        let file = std::path::Path::new("../../docs/permissions.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(file, table()).unwrap();
        }
        assert!(
            std::fs::read_to_string(file).unwrap_or_default() == table(),
            "docs/permissions.md is old: see its head"
        );
    }

    #[test]
    fn a_stored_type_that_breaks_a_rule_is_closed_until_somebody_says_what_it_is() {
        let ring_of_a_second = serde_json::json!({ "ring": { "timeout_ms": 1_000 } });
        let grants = BTreeMap::from([("user".to_owned(), BTreeSet::from([CreateCall, ReadCall]))]);
        let broken = CallTypeData { settings: Some(ring_of_a_second), grants: grants.clone() };
        let stored = BTreeMap::from([("default".to_owned(), broken)]);
        let types = CallTypes::read(&stored, &BTreeMap::new()).unwrap();
        assert_eq!(types.find("default"), Ok(&CallType::default()), "nobody may do anything");
        assert!(!types.find("livestream").unwrap().grants.is_empty(), "the others are as they were");
        assert!(!types.begun("default").unwrap().grants.is_empty(), "and it can be given back what it began with");
        let file = BTreeMap::from([("default".to_owned(), CallTypeData { settings: None, grants: grants.clone() })]);
        let types = CallTypes::read(&stored, &file).unwrap();
        assert_eq!(types.find("default").unwrap().grants, grants, "what the operator's file says goes before");
    }

    #[test]
    fn the_built_in_types_are_as_the_calling_model_says() {
        let types = CallTypes::new(BTreeMap::new());
        let may = |call_type: &str, role: &str, capability| {
            types.find(call_type).unwrap().grants.get(role).is_some_and(|grants| grants.contains(&capability))
        };
        assert!(may("default", "guest", JoinCall) && !may("default", "guest", Ring));
        assert!(may("default", "user", Ring) && !may("default", "user", EndCall));
        assert!(may("audio_room", "speaker", SendAudio) && !may("audio_room", "user", SendAudio));
        assert!(!may("audio_room", "host", SendVideo) && may("audio_room", "admin", ShareScreen));
        assert!(!may("livestream", "guest", SendReaction) && may("livestream", "host", SendVideo));
        assert!(Capability::ALL.iter().all(|capability| may("development", "guest", *capability)));
    }
}
