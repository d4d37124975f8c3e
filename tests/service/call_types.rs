//! The operator's call types, by the API.

use std::collections::BTreeMap;

use anyhow::Result;
use call_client::ClientError;
use harness::service::Service;
use serde_json::json;
use wire::{CallId, CallTypeData, Capability, Code, GetOrCreate};

fn code(error: ClientError) -> Option<Code> {
    error.code()
}

#[tokio::test]
async fn s02_an_admin_makes_reads_changes_and_gives_back_call_types() -> Result<()> {
    let mut service = Service::start().await?;
    let (admin, ann) = (service.admin().await?, service.person("ann").await?);
    let server = admin.client.server();
    let plain = GetOrCreate::default();
    let (standup, default): (CallId, CallId) = ("standup:x".parse()?, "default:x".parse()?);
    let begun = server.call_types().await?;
    assert_eq!(begun.keys().collect::<Vec<_>>(), ["audio_room", "default", "development", "livestream"]);

    let may = [Capability::CreateCall, Capability::ReadCall, Capability::JoinCall];
    let grants = BTreeMap::from([("user".to_owned(), may.into())]);
    let settings = Some(json!({ "ring": { "timeout_ms": 20_000 } }));
    server.set_call_type("standup", &CallTypeData { settings, grants: grants.clone() }).await?;
    let made = ann.client.server().get_or_create(&standup, &plain).await?.state;
    assert_eq!((made.call.settings.ring.timeout_ms, made.own_capabilities), (20_000, may.into()));
    let read = server.call_types().await?.remove("standup").expect("it was made");
    assert_eq!(read.grants, grants);
    server.set_call_type("standup", &read).await?;

    server.set_call_type("default", &CallTypeData::default()).await?;
    let refused = ann.client.server().get_or_create(&default, &plain).await.map(drop);
    assert_eq!(refused.map_err(code), Err(Some(Code::PermissionDenied)), "nobody has any right there");
    server.reset_call_type("default").await?;
    ann.client.server().get_or_create(&default, &plain).await?;

    for (name, wanted) in
        [("standup", Code::Conflict), ("unheard", Code::InvalidRequest), ("a b", Code::InvalidRequest)]
    {
        let refused = server.reset_call_type(&name.replace(' ', "%20")).await;
        assert_eq!(refused.map_err(code), Err(Some(wanted)), "{name}");
    }
    assert_eq!(ann.client.server().call_types().await.map(drop).map_err(code), Err(Some(Code::PermissionDenied)));
    let refused = ann.client.server().reset_call_type("default").await;
    assert_eq!(refused.map_err(code), Err(Some(Code::PermissionDenied)));

    service.restart().await?;
    let after = service.admin().await?.client.server().call_types().await?;
    assert_eq!(after["default"].grants, begun["default"].grants);
    assert_eq!(after["default"].settings, begun["default"].settings);
    assert_eq!(after["standup"].settings, read.settings);
    Ok(())
}
