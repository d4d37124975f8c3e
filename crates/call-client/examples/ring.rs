//! Rings somebody and talks until the call is over: `cargo run -p call-client --example ring -- INVITE PERSON`.

use std::{env::args, error::Error, io::Write as _};

use call_client::{CallView, Client, EndReason, Engine, EngineOptions, SignInWish, Toggle, sign_in};

/// Signs in, rings, and says how it ended.
pub(crate) async fn ring(invite: &str, person: &str, engine: Engine) -> Result<Option<EndReason>, Box<dyn Error>> {
    let account = sign_in(&invite.parse()?, SignInWish::named("The shop's door")).await?;
    let client = Client::start(account, Some(engine))?;
    let cid = client.ring(vec![person.parse()?], Toggle::Off).await?;
    let mut states = client.state();
    let state = states.wait_for(|state| state.call(&cid).is_some_and(CallView::is_over)).await?.clone();
    client.shutdown().await;
    Ok(state.call(&cid).and_then(|call| call.state.reason))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (Some(invite), Some(person)) = (args().nth(1), args().nth(2)) else { return Err("ring INVITE PERSON".into()) };
    let reason = ring(&invite, &person, Engine::start(EngineOptions::default())?).await?;
    writeln!(std::io::stdout(), "over: {reason:?}")?;
    Ok(())
}
