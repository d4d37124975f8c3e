//! What comes by time: reminders, the opening of a backstage, the end of a session that nobody is in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use harness::{
    eventually,
    service::{Service, User},
};
use serde_json::{Value, json};
use wire::{CallData, CallId, Code, Event, GetOrCreate, Join, Leave, MemberData, UnixMillis};

/// The machine's time, a while from now.
fn after(time: Duration) -> UnixMillis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from((now + time).as_millis()).expect("a time of this age"))
}

/// A call of Ann's, with others on its list.
async fn plans(ann: &User, cid: &str, others: &[&User], at: Option<UnixMillis>, settings: Value) -> Result<CallId> {
    let cid: CallId = cid.parse()?;
    let member = |user: &&User| MemberData { user: user.account.user.clone(), role: None, custom: wire::Custom::new() };
    let members = others.iter().map(member).collect();
    let data = CallData { members, starts_at: at, settings: Some(settings), ..CallData::default() };
    ann.client.server().get_or_create(&cid, &GetOrCreate { data, ..GetOrCreate::default() }).await?;
    Ok(cid)
}

async fn joins(user: &User, cid: &CallId) -> Result<(), Option<Code>> {
    let joined = user.client.server().join(cid, &Join::default()).await;
    joined.map(|_| ()).map_err(|error| error.code())
}

#[tokio::test]
async fn a_session_that_nobody_is_in_ends_after_the_time_that_the_call_says() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let short = json!({ "session": { "inactivity_timeout_ms": 300 } });
    let (short, usual) = (
        plans(&ann, "default:short", &[], None, short).await?,
        plans(&ann, "default:usual", &[], None, json!({})).await?,
    );
    let server = ann.client.server();
    for cid in [&usual, &short] {
        server.join(cid, &Join::default()).await?;
        server.leave(cid, &Leave::default()).await?;
    }
    let runs = async |cid: &CallId| Ok::<_, anyhow::Error>(server.read(cid).await?.call.session.is_some());
    eventually("the session is over", || runs(&short), |runs| !runs).await?;
    assert!(runs(&usual).await?, "by default it waits for half a minute");
    Ok(())
}

#[tokio::test]
async fn members_are_reminded_when_a_planned_call_begins() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben, eve) = (service.person("ann").await?, service.person("ben").await?, service.person("eve").await?);
    let (mut to_ben, mut to_eve) = (ben.client.notices(), eve.client.notices());
    let starts_at = after(Duration::from_secs(2));
    let cid = plans(&ann, "default:tea", &[&ben], Some(starts_at), json!({})).await?;
    let told = tokio::time::timeout(Duration::from_secs(20), to_ben.recv()).await??;
    assert_eq!(told, Event::Notified { cid, by: None, starts_at: Some(starts_at) });
    assert!(after(Duration::ZERO) >= starts_at, "not before its time");
    assert!(to_eve.try_recv().is_err(), "who is not on its list hears nothing");
    Ok(())
}

#[tokio::test]
async fn a_backstage_opens_by_its_time_and_as_long_before_it_as_the_call_says() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let ahead = |ms: u32| json!({ "backstage": { "join_ahead_ms": ms } });
    let in_an_hour = Some(after(Duration::from_secs(3_600)));
    let early = plans(&ann, "livestream:early", &[], in_an_hour, ahead(3_600_000)).await?;
    let late = plans(&ann, "livestream:late", &[], in_an_hour, ahead(1_000)).await?;
    assert_eq!(joins(&ben, &early).await, Ok(()));
    assert_eq!(joins(&ben, &late).await, Err(Some(Code::InBackstage)));
    let soon = after(Duration::from_millis(3_500));
    let soon = plans(&ann, "livestream:soon", &[], Some(soon), ahead(500)).await?;
    assert_eq!(joins(&ben, &soon).await, Err(Some(Code::InBackstage)));
    let opens = || async { Ok(joins(&ben, &soon).await.is_ok()) };
    eventually("it opens by itself", opens, |is_open| *is_open).await?;
    Ok(())
}
