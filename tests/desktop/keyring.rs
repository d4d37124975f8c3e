//! Where the app keeps what proves its sign-in.

use anyhow::Result;
use harness::{
    App, Desktop,
    camera::{Card, Scene},
    steps::start_own,
};

#[tokio::test]
async fn the_sign_in_is_in_the_keyring_and_an_older_one_moves_there() -> Result<()> {
    let desktop = Desktop::start("ann", &Scene::Card(Card::warm())).await?;
    let app = App { listen: Some("127.0.0.1:0".to_owned()), ..App::default() };
    let window = desktop.open(&app).await?;
    start_own(&window, "Ann").await?;
    window.press("Settings").await?;
    window.says("your sign-in is kept in a file that only you can read").await?;
    let mut account = desktop.account()?;
    assert!(account["refresh_secret"].is_string(), "there is no keyring: {account}");
    window.quit().await?;

    // As a version left it that knew of no keyring.
    account.as_object_mut().map(|account| account.remove("secret_kept_in"));
    std::fs::write(desktop.account_file(), account.to_string())?;
    let keyring = desktop.add_keyring().await?;
    let window = desktop.open(&app).await?;
    window.says("Ann’s Bellbird").await?;
    window.press("Settings").await?;
    window.says("kept in the keyring of this system").await?;
    let account = desktop.account()?;
    assert!(account.get("refresh_secret").is_none(), "it has moved: {account}");
    window.quit().await?;

    let window = desktop.open(&app).await?;
    window.says("Recent calls").await?;
    window.quit().await?;

    // A keyring that is away is no reason to forget who was signed in.
    drop(keyring);
    let window = desktop.open(&app).await?;
    window.says("Your sign-in cannot be read").await?;
    desktop.keep("keyring-away")?;
    window.press("Try again").await?;
    window.says("Your sign-in cannot be read").await?;
    window.quit().await?;
    let _keyring = desktop.add_keyring().await?;
    let window = desktop.open(&app).await?;
    window.says("Recent calls").await?;
    Ok(())
}
