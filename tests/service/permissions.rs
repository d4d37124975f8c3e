//! The table of who may do what: what devices are told, what is read, and what the server's doors do.

use std::{collections::BTreeSet, num::NonZeroU32};

use anyhow::{Context as _, Result};
use call_client::CallView;
use harness::service::{Service, User};
use serde_json::json;
use wire::{CallData, CallId, Capability, Code, GetOrCreate, Join, MemberData, Role, SendReaction, UpdatePermissions};

use super::{
    doors::Doors,
    table::{Place, granted},
};

const TYPES: [&str; 4] = ["default", "audio_room", "livestream", "development"];

/// Everybody, each in his place.
struct People {
    /// Ends with the test.
    _service: Service,
    owner: User,
    admin: User,
    bystander: User,
    others: Vec<(User, Place)>,
}

impl People {
    async fn gather() -> Result<Self> {
        let service = Service::start_for(NonZeroU32::MAX).await?;
        let others = vec![
            (service.person("host").await?, Place::Host),
            (service.person("speaker").await?, Place::Speaker),
            (service.person("plain").await?, Place::User),
            (service.person_with("guest", Role::Guest, None).await?, Place::Guest),
        ];
        let (owner, admin) = (service.person("owner").await?, service.admin().await?);
        Ok(Self { owner, admin, bystander: service.person("bystander").await?, others, _service: service })
    }

    fn members(&self) -> Vec<MemberData> {
        let member = |user: &User, role: &str| MemberData {
            user: user.account.user.clone(),
            role: Some(role.to_owned()),
            custom: wire::Custom::new(),
        };
        let role = |place: &Place| match place {
            Place::Host => "host",
            Place::Speaker => "speaker",
            Place::Guest | Place::User | Place::Owner | Place::Admin => "member",
        };
        let others = self.others.iter().map(|(user, place)| member(user, role(place)));
        others.chain([member(&self.admin, "member"), member(&self.bystander, "member")]).collect()
    }

    fn all(&self) -> impl Iterator<Item = (&User, Place)> {
        let others = self.others.iter().map(|(user, place)| (user, *place));
        others.chain([(&self.owner, Place::Owner), (&self.admin, Place::Admin)])
    }
}

/// What somebody's device was told by its connection.
async fn is_told(user: &User, cid: &CallId, what: &str, wanted: &BTreeSet<Capability>) -> Result<()> {
    let is = |call: &CallView| call.own_capabilities.iter().copied().collect::<BTreeSet<_>>() == *wanted;
    user.sees_call(cid, what, is).await.with_context(|| format!("{what} in {cid}: wanted {wanted:?}"))
}

#[tokio::test]
async fn own_capabilities_are_the_table_and_the_doors_obey_it() -> Result<()> {
    let people = People::gather().await?;
    for call_type in TYPES {
        let doors = Doors::make(call_type, &people.owner, people.members(), None, &people.bystander).await?;
        for (user, place) in people.all() {
            let wanted = granted(call_type, place);
            is_told(user, &doors.open, "what he may", &wanted).await?;
            for capability in Capability::ALL {
                let asked = user.client.server().read(doors.of(*capability)).await?.own_capabilities;
                let (name, what) = (&user.account.name, capability.as_str());
                assert_eq!(
                    asked.contains(capability),
                    wanted.contains(capability),
                    "{name} in {call_type} reads: {what}"
                );
                if let Some(open) = doors.open(user, *capability).await? {
                    assert_eq!(open, wanted.contains(capability), "{name} at the door of {call_type}: {what}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn personal_revokes_close_and_grants_open_every_door_for_every_role() -> Result<()> {
    let people = People::gather().await?;
    for call_type in TYPES {
        let doors = Doors::make(call_type, &people.owner, people.members(), None, &people.bystander).await?;
        for (user, place) in people.all().filter(|(_, place)| *place != Place::Admin) {
            let mut wanted = granted(call_type, place);
            let of_a_call = |capability: &Capability| *capability != Capability::CreateCall;
            for capability in granted(call_type, Place::Admin).into_iter().filter(of_a_call) {
                let (name, what) = (&user.account.name, capability.as_str());
                let set = async |grant: &[Capability], revoke: &[Capability]| -> Result<()> {
                    let listed = |capabilities: &[Capability]| capabilities.iter().copied().collect();
                    let user = user.account.user.clone();
                    let update = UpdatePermissions { user, grant: listed(grant), revoke: listed(revoke) };
                    for cid in BTreeSet::from([&doors.open, doors.of(capability)]) {
                        people.admin.client.server().update_permissions(cid, &update).await?;
                    }
                    Ok(())
                };
                set(&[], &[capability]).await?;
                wanted.remove(&capability);
                // Who may not know of a call hears nothing of it, that he may not included.
                if capability != Capability::ReadCall {
                    is_told(user, &doors.open, &format!("{name} without {what}"), &wanted).await?;
                }
                if let Some(open) = doors.open(user, capability).await? {
                    assert!(!open, "{name} in {call_type}, denied {what}");
                }
                set(&[capability], &[]).await?;
                wanted.insert(capability);
                is_told(user, &doors.open, &format!("{name} with {what}"), &wanted).await?;
                if let Some(open) = doors.open(user, capability).await? {
                    assert!(open, "{name} in {call_type}, given {what}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_call_of_a_team_is_there_only_for_the_team() -> Result<()> {
    let service = Service::start_for(NonZeroU32::MAX).await?;
    let of_team = async |name: &str, role| service.person_with(name, role, Some("red")).await;
    let (owner, mate) = (of_team("owner", Role::User).await?, of_team("mate", Role::User).await?);
    let (guest, bystander) = (of_team("guest", Role::Guest).await?, of_team("bystander", Role::User).await?);
    let stranger = service.person("stranger").await?;
    let of_other = service.person_with("other", Role::User, Some("blue")).await?;
    for call_type in TYPES {
        let doors = Doors::make(call_type, &owner, Vec::new(), Some("red"), &bystander).await?;
        for (user, place) in
            [(&mate, Some(Place::User)), (&guest, Some(Place::Guest)), (&stranger, None), (&of_other, None)]
        {
            let wanted = place.map(|place| granted(call_type, place)).unwrap_or_default();
            for capability in Capability::ALL.iter().filter(|capability| **capability != Capability::CreateCall) {
                let told = user.client.server().read(doors.of(*capability)).await;
                let told = told.map(|state| state.own_capabilities).unwrap_or_default();
                let (name, what) = (&user.account.name, capability.as_str());
                assert_eq!(
                    told.contains(capability),
                    wanted.contains(capability),
                    "{name} in {call_type} reads: {what}"
                );
                if let Some(open) = doors.open(user, *capability).await? {
                    assert_eq!(open, wanted.contains(capability), "{name} at the door of {call_type}: {what}");
                }
            }
        }
        for outsider in [&stranger, &of_other] {
            let grant = [Capability::ReadCall, Capability::JoinCall].into();
            let given = UpdatePermissions { user: outsider.account.user.clone(), grant, revoke: [].into() };
            owner.client.server().update_permissions(&doors.open, &given).await?;
            let refused = outsider.client.server().read(&doors.open).await.expect_err("not of the team");
            let nothing = outsider.client.server().read(&"default:nothing".parse()?).await.expect_err("no call");
            assert_eq!(refused.body(), nothing.body(), "not there and not yours look alike");
        }
    }
    Ok(())
}

#[tokio::test]
async fn personal_grants_add_and_revokes_win() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid: CallId = "audio_room:a".parse()?;
    let request = GetOrCreate { data: CallData { ..CallData::default() }, ..GetOrCreate::default() };
    ann.client.server().get_or_create(&cid, &request).await?;
    let told = |user: &User| {
        let rest = user.client.server().clone();
        let cid = cid.clone();
        async move { Ok::<_, anyhow::Error>(rest.read(&cid).await?.own_capabilities) }
    };
    assert!(!told(&ben).await?.contains(&Capability::SendAudio));
    let user = ben.account.user.clone();
    let grant = UpdatePermissions { user: user.clone(), grant: [Capability::SendAudio].into(), revoke: [].into() };
    ann.client.server().update_permissions(&cid, &grant).await?;
    assert!(told(&ben).await?.contains(&Capability::SendAudio));
    let revoke =
        UpdatePermissions { user, grant: [].into(), revoke: [Capability::SendAudio, Capability::JoinCall].into() };
    ann.client.server().update_permissions(&cid, &revoke).await?;
    assert!(!told(&ben).await?.contains(&Capability::SendAudio));
    let joined = ben.client.server().join(&cid, &Join::default()).await;
    assert_eq!(joined.map(|_| ()).map_err(|error| error.code()), Err(Some(Code::PermissionDenied)));
    Ok(())
}

#[tokio::test]
async fn who_asks_for_a_capability_is_heard_by_who_may_give_it() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid: CallId = "audio_room:a".parse()?;
    ann.client.server().get_or_create(&cid, &GetOrCreate::default()).await?;
    let mut notices = ann.client.notices();
    let request = wire::AskPermission { capabilities: [Capability::SendAudio].into() };
    ben.client.server().ask_permission(&cid, &request).await?;
    let told = notices.recv().await?;
    assert!(matches!(told, wire::Event::PermissionAsked { user, .. } if user == ben.account.user));
    Ok(())
}

#[tokio::test]
async fn a_backstage_is_closed_until_it_goes_live() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid: CallId = "livestream:a".parse()?;
    ann.client.server().get_or_create(&cid, &GetOrCreate::default()).await?;
    let knock =
        || async { ben.client.server().join(&cid, &Join::default()).await.map(|_| ()).map_err(|error| error.code()) };
    assert_eq!(knock().await, Err(Some(Code::InBackstage)));
    ann.client.server().join(&cid, &Join::default()).await?;
    ann.client.server().go_live(&cid).await?;
    assert_eq!(knock().await, Ok(()));
    Ok(())
}

#[tokio::test]
async fn who_is_blocked_is_out_and_stays_out() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid = ann.client.ring(vec![ben.account.user.clone()], call_client::Toggle::Off).await?;
    ben.is_in(&cid, call_client::CallingState::Ringing).await?;
    ann.client.server().block(&cid, &ben.account.user).await?;
    ben.sees("no ring any more", |state| {
        state.calls.iter().all(|call| call.state.calling_state != call_client::CallingState::Ringing)
    })
    .await?;
    let joined = ben.client.server().join(&cid, &Join::default()).await;
    assert_eq!(joined.map(|_| ()).map_err(|error| error.code()), Err(Some(Code::Blocked)));
    Ok(())
}

#[tokio::test]
async fn a_full_call_lets_nobody_in() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid: CallId = "default:small".parse()?;
    let settings = Some(json!({"limits": {"max_participants": 1}}));
    let request = GetOrCreate { data: CallData { settings, ..CallData::default() }, ..GetOrCreate::default() };
    ann.client.server().get_or_create(&cid, &request).await?;
    ann.client.server().join(&cid, &Join::default()).await?;
    let joined = ben.client.server().join(&cid, &Join::default()).await;
    assert_eq!(joined.map(|_| ()).map_err(|error| error.code()), Err(Some(Code::CallFull)));
    let reaction = SendReaction { kind: String::new() };
    let refused = ann.client.server().react(&cid, &reaction.kind).await.expect_err("an empty sign");
    assert_eq!(refused.body().field.as_deref(), Some("kind"));
    Ok(())
}
