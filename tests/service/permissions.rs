//! The table of who may do what, tried at the server's own door.

use std::num::NonZeroU32;

use anyhow::Result;
use harness::service::{Service, User};
use serde_json::json;
use wire::{
    CallData, CallId, Capability, Code, GetOrCreate, Join, MemberData, MuteUsers, RingMembers, Role, SendReaction,
    UpdateCall, UpdateMembers, UpdatePermissions,
};

/// Tries at the door what a capability is for. `None` where the door needs more than the capability to be open.
async fn may(user: &User, cid: &CallId, capability: Capability, other: &User) -> Option<bool> {
    let server = user.client.server();
    let outcome = match capability {
        Capability::ReadCall => server.read(cid).await.map(|_| ()),
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
        Capability::MuteUsers => server.mute(cid, &MuteUsers::default()).await,
        Capability::RemoveParticipant => server.remove(cid, &other.account.user).await.map(|_| ()),
        Capability::UpdatePermissions => {
            let user = other.account.user.clone();
            let update = UpdatePermissions { user, grant: [].into(), revoke: [].into() };
            server.update_permissions(cid, &update).await.map(|_| ())
        }
        Capability::BlockUser => server.unblock(cid, &other.account.user).await.map(|_| ()),
        Capability::PinForEveryone => server.unpin(cid, &other.account.user).await.map(|_| ()),
        Capability::GoLive => server.go_live(cid).await.map(|_| ()),
        Capability::JoinCall => match server.join(cid, &Join::default()).await {
            Ok(_) => server.leave(cid, &wire::Leave::default()).await,
            Err(error) => Err(error),
        },
        Capability::SendReaction => match server.react(cid, "👍").await {
            // Allowed, but not in the call: past the door.
            Err(error) if error.code() == Some(Code::Conflict) => Ok(()),
            other => other,
        },
        Capability::SendEvent => match server.send_event(cid, wire::Custom::new()).await {
            Err(error) if error.code() == Some(Code::Conflict) => Ok(()),
            other => other,
        },
        // Checked by the media server, or at another door (creating, ending, backstage).
        Capability::CreateCall
        | Capability::JoinBackstage
        | Capability::JoinEndedCall
        | Capability::EndCall
        | Capability::SendAudio
        | Capability::SendVideo
        | Capability::ShareScreen
        | Capability::Record => return None,
    };
    match outcome {
        Ok(()) => Some(true),
        Err(error) => {
            let refused = [Code::PermissionDenied, Code::CallNotFound, Code::InBackstage];
            assert!(error.code().is_some_and(|code| refused.contains(&code)), "{capability:?}: {error}");
            Some(false)
        }
    }
}

#[tokio::test]
async fn own_capabilities_are_what_the_door_does_for_every_role_and_type() -> Result<()> {
    let service = Service::start().await?;
    let (owner, host, speaker) =
        (service.person("owner").await?, service.person("host").await?, service.person("speaker").await?);
    let (plain, guest) = (service.person("plain").await?, service.person_with("guest", Role::Guest, None).await?);
    let admin = service.admin().await?;
    let bystander = service.person("bystander").await?;
    for call_type in ["default", "audio_room", "livestream", "development"] {
        let cid: CallId = format!("{call_type}:table").parse()?;
        let role = |user: &User, role: &str| MemberData {
            user: user.account.user.clone(),
            role: Some(role.to_owned()),
            custom: wire::Custom::new(),
        };
        let members = vec![role(&host, "host"), role(&speaker, "speaker"), role(&bystander, "member")];
        let request = GetOrCreate { data: CallData { members, ..CallData::default() }, ..GetOrCreate::default() };
        owner.client.server().get_or_create(&cid, &request).await?;
        owner.client.server().go_live(&cid).await?;
        for user in [&owner, &host, &speaker, &plain, &guest, &admin] {
            for capability in Capability::ALL {
                let told =
                    user.client.server().read(&cid).await.map(|state| state.own_capabilities).unwrap_or_default();
                if let Some(open) = may(user, &cid, *capability, &bystander).await {
                    let name = &user.account.name;
                    assert_eq!(open, told.contains(capability), "{name} in {call_type}: {}", capability.as_str());
                }
            }
        }
    }
    Ok(())
}

/// What somebody is told about a call, and what the door does, for every capability that has a door.
async fn door_agrees(user: &User, cid: &CallId, other: &User, story: &str) -> Result<()> {
    for capability in Capability::ALL {
        let told = user.client.server().read(cid).await.map(|state| state.own_capabilities).unwrap_or_default();
        if let Some(open) = may(user, cid, *capability, other).await {
            let name = &user.account.name;
            assert_eq!(open, told.contains(capability), "{name} in {cid}, {story}: {}", capability.as_str());
        }
    }
    Ok(())
}

#[tokio::test]
async fn own_capabilities_are_what_the_door_does_for_every_personal_grant_and_revoke() -> Result<()> {
    let service = Service::start_for(NonZeroU32::MAX).await?;
    let (owner, plain) = (service.person("owner").await?, service.person("plain").await?);
    let (admin, bystander) = (service.admin().await?, service.person("bystander").await?);
    for call_type in ["default", "audio_room", "livestream", "development"] {
        for capability in Capability::ALL {
            let cid: CallId = format!("{call_type}:{}", capability.as_str()).parse()?;
            owner.client.server().get_or_create(&cid, &GetOrCreate::default()).await?;
            owner.client.server().go_live(&cid).await?;
            let user = plain.account.user.clone();
            if !admin.client.server().read(&cid).await?.own_capabilities.contains(capability) {
                // Switched off for everybody (video in an audio room): nobody has it to give.
                continue;
            }
            let only = [*capability];
            let grant = UpdatePermissions { user: user.clone(), grant: only.into(), revoke: [].into() };
            admin.client.server().update_permissions(&cid, &grant).await?;
            door_agrees(&plain, &cid, &bystander, &format!("given {}", capability.as_str())).await?;
            let revoke = UpdatePermissions { user, grant: [].into(), revoke: only.into() };
            admin.client.server().update_permissions(&cid, &revoke).await?;
            door_agrees(&plain, &cid, &bystander, &format!("denied {}", capability.as_str())).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_call_of_a_team_is_there_only_for_the_team() -> Result<()> {
    let service = Service::start_for(NonZeroU32::MAX).await?;
    let of_team = async |name: &str, role| service.person_with(name, role, Some("red")).await;
    let (owner, mate) = (of_team("owner", Role::User).await?, of_team("mate", Role::User).await?);
    let guest = of_team("guest", Role::Guest).await?;
    let stranger = service.person("stranger").await?;
    let of_other = service.person_with("other", Role::User, Some("blue")).await?;
    let bystander = of_team("bystander", Role::User).await?;
    for call_type in ["default", "audio_room", "livestream", "development"] {
        let cid: CallId = format!("{call_type}:team").parse()?;
        let data = CallData { team: Some("red".to_owned()), ..CallData::default() };
        owner.client.server().get_or_create(&cid, &GetOrCreate { data, ..GetOrCreate::default() }).await?;
        owner.client.server().go_live(&cid).await?;
        for user in [&mate, &guest, &stranger, &of_other] {
            door_agrees(user, &cid, &bystander, "a call of a team").await?;
        }
        for outsider in [&stranger, &of_other] {
            let refused = outsider.client.server().read(&cid).await.expect_err("not of the team");
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
