//! Ways in: a code that was read aloud, a picture of a link, and an admin's yes.

use std::{process::Stdio, time::Duration};

use call_client::{Account, Client, Connection};
use tokio::{process::Command, time::timeout};
use wire::Event;

use crate::{
    hosting::BY_TLS,
    person::{Outcome, Person, Server},
};

pub(crate) async fn code_of(host: &Person) -> String {
    let made = host.run(&["invite"]).await;
    let code: wire::InviteCode = made.lines[0]["code"].as_str().unwrap().parse().unwrap();
    code.spoken().to_uppercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_read_aloud_signs_in_at_the_server_that_made_it() {
    let by_tls = BY_TLS.to_string();
    let server = Server::start_with(&["--advertise", &by_tls]).await;
    let ann = server.ann().await;
    let code = code_of(&ann).await;
    let address = format!("[{by_tls}]:{}", server.address.rsplit_once(':').unwrap().1);
    // Another server cannot prove that it made the code, and is not told it.
    let other = Server::start().await;
    let eve = server.stranger("eve");
    let refused = eve.run(&["sign-in", &code, "--server", &other.address]).await;
    assert_eq!((refused.exit, refused.code()), (7, "unauthenticated"), "{refused:?}");

    let ben = server.stranger("ben");
    let signed_in = ben.run(&["sign-in", &code, "--server", &address, "--id", "ben"]).await;
    assert_eq!((signed_in.exit, &signed_in.lines[0]["user"]), (0, &"ben".into()), "{signed_in:?}");
    let account = std::fs::read_to_string(ben.profile.join("account.json")).unwrap();
    assert!(account.contains("\"pin\""), "the certificate that was proved is expected from now on: {account}");
    assert_eq!(ben.run(&["whoami"]).await.lines[0]["user"], "ben");

    let used = eve.run(&["sign-in", &code, "--server", &address]).await;
    assert_eq!((used.exit, used.code()), (7, "unauthenticated"), "{used:?}");
    let misheard = eve.run(&["sign-in", "abcd-efgh-jkmn-pqrs-tuv0", "--server", &address]).await;
    assert_eq!((misheard.exit, misheard.code()), (2, "invalid-request"));
    assert!(misheard.told.contains("“0”"), "{}", misheard.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_is_listed_until_it_is_used_or_revoked() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let made = ann.run(&["invite", "--role", "guest", "--uses", "2"]).await;
    let link = made.lines[0]["invite"].as_str().unwrap();
    let listed = ann.run(&["invite", "--list"]).await;
    assert_eq!((listed.exit, listed.lines.len()), (0, 1), "{listed:?}");
    let id = listed.lines[0]["id"].as_str().unwrap();
    assert_eq!((&listed.lines[0]["role"], &listed.lines[0]["uses_left"]), (&"guest".into(), &2.into()));
    assert!(ben.run(&["invite", "--list"]).await.lines.is_empty(), "it is not his");
    let refused = ben.run(&["invite", "--revoke", id]).await;
    assert_eq!((refused.exit, refused.code()), (7, "invalid-request"), "{refused:?}");
    assert_eq!(ann.run(&["invite", "--revoke", id]).await.lines[0]["revoked"], id);
    let late = server.stranger("eve").run(&["sign-in", link]).await;
    assert_eq!((late.exit, late.code()), (7, "unauthenticated"), "{late:?}");
    assert!(ann.run(&["invite", "--list"]).await.lines.is_empty());
    // On a stolen device, what it made for its own person goes with it.
    let mine = ben.run(&["invite", "--me"]).await.lines[0]["invite"].as_str().unwrap().to_owned();
    assert_eq!(ben.run(&["sign-out"]).await.exit, 0);
    assert_eq!(server.stranger("thief").run(&["sign-in", &mine]).await.code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_is_drawn_as_a_camera_reads_it() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellbird"));
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").stdin(Stdio::null());
    let printed = command.arg("--profile").arg(&ann.profile).args(["invite", "--qr"]).output().await.unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let link = printed.lines().next().unwrap();
    let drawn: Vec<Vec<char>> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("\u{1b}[30;107m")?.strip_suffix("\u{1b}[0m"))
        .map(|line| line.chars().collect())
        .collect();
    let (side, pixels) = (drawn[0].len(), 4);
    let is_dark = |x: usize, y: usize| match drawn.get(y / 2).map(|row| row[x]) {
        Some('█') => true,
        Some('▀') => y.is_multiple_of(2),
        Some('▄') => !y.is_multiple_of(2),
        _ => false,
    };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side * pixels, side * pixels, |x, y| {
        if is_dark(x / pixels, y / pixels) { 0 } else { 255 }
    });
    assert_eq!(picture.detect_grids()[0].decode().unwrap().1, link);
    let ben = server.stranger("ben");
    assert_eq!(ben.run(&["sign-in", link, "--id", "ben"]).await.exit, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_yes_lets_a_device_in_once_both_screens_show_the_same() {
    let by_tls = BY_TLS.to_string();
    let server = Server::start_with(&["--advertise", &by_tls]).await;
    let ann = server.ann().await;
    let account = std::fs::read_to_string(ann.profile.join("account.json")).unwrap();
    let app = Client::start(serde_json::from_str::<Account>(&account).unwrap(), None).unwrap();
    let mut notices = app.notices();
    let online = app.state().wait_for(|state| state.connection == Connection::Online).await.is_ok();
    assert!(online);

    let address = format!("[{by_tls}]:{}", server.address.rsplit_once(':').unwrap().1);
    let ben = server.stranger("ben");
    let mut asks = ben.start(&["join", &address, "--name", "Ben", "--id", "ben"]);
    let asked = asks.line("it waits", |line| line["event"] == "asked").await;
    let heard = timeout(Duration::from_secs(10), notices.recv()).await.expect("the admin's app hears of it").unwrap();
    let Event::AskedIn { ask } = heard else { panic!("{heard:?}") };
    assert_eq!((ask.code.as_str(), ask.name.as_str()), (asked["code"].as_str().unwrap(), "Ben"));
    let list = ann.run(&["admit"]).await;
    assert_eq!((&list.lines[0]["code"], &list.lines[0]["id"]), (&asked["code"], &ask.id.0.into()), "{list:?}");

    let id = ask.id.to_string();
    assert_eq!(ann.run(&["admit", &id]).await.exit, 0);
    let let_in = asks.end().await;
    assert_eq!((let_in.exit, &let_in.lines.last().unwrap()["user"]), (0, &"ben".into()), "{let_in:?}");
    let who = ben.run(&["whoami"]).await;
    assert_eq!((&who.lines[0]["user"], &who.lines[0]["role"]), (&"ben".into(), &"user".into()));
    assert!(ann.run(&["admit"]).await.lines.is_empty(), "nobody waits any more");

    // Who is not an admin sees nobody and lets nobody in.
    for arguments in [&["admit"][..], &["admit", &id]] {
        let refused = ben.run(arguments).await;
        assert_eq!((refused.exit, refused.code()), (7, "permission-denied"), "{refused:?}");
    }
    app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_no_and_an_interrupt_end_the_waiting() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let eve = server.stranger("eve");
    let mut asks = eve.start(&["join", &server.address, "--name", "Eve"]);
    asks.line("it waits", |line| line["event"] == "asked").await;
    let id = ann.run(&["admit"]).await.lines[0]["id"].to_string();
    assert_eq!(ann.run(&["admit", &id, "--refuse"]).await.exit, 0);
    let refused = asks.end().await;
    assert_eq!((refused.exit, refused.code()), (7, "permission-denied"), "{refused:?}");
    let again = ann.run(&["admit", &id]).await;
    assert_eq!((again.exit, again.code()), (7, "conflict"), "the first word counts: {again:?}");
    let nobody = ann.run(&["admit", "12345"]).await;
    assert_eq!((nobody.exit, nobody.code()), (7, "invalid-request"), "{nobody:?}");

    let mut asks = eve.start(&["join", &server.address]);
    asks.line("it waits", |line| line["event"] == "asked").await;
    asks.signal("INT").await;
    assert_eq!(asks.end().await.exit, 6);
    assert_eq!(eve.run(&["join", "127.0.0.1:1"]).await.exit, 8, "nobody is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_to_wait() {
    let server = Server::start().await;
    let _ann = server.ann().await;
    let mut last: Option<Outcome> = None;
    for _ in 0..6 {
        let mut asks = server.stranger("eve").start(&["join", &server.address, "--name", "Eve"]);
        asks.line("it waits, or is refused", |line| line["event"] == "asked" || line["error"].is_object()).await;
        asks.signal("INT").await;
        last = Some(asks.end().await);
    }
    let last = last.unwrap();
    assert_eq!((last.exit, last.code()), (7, "rate-limited"), "{last:?}");
    assert!(last.lines[0]["error"]["retry_after_ms"].as_u64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_on_the_network_and_its_code_needs_no_address() {
    let server = Server::start_with(&["--announce", "--name", "The office"]).await;
    let ann = server.ann().await;
    let found = async {
        loop {
            let found = ann.run(&["find", "--for", "1s"]).await;
            assert_eq!(found.exit, 0, "{found:?}");
            if let Some(line) = found.lines.iter().find(|line| line["server"] == server.address.as_str()) {
                return line.clone();
            }
        }
    };
    let line = timeout(Duration::from_secs(20), found).await.expect("it is found");
    assert_eq!(line["name"], "The office");
    let code = code_of(&ann).await;
    let ben = server.stranger("ben");
    let signed_in = ben.run(&["sign-in", &code, "--id", "ben"]).await;
    assert_eq!((signed_in.exit, &signed_in.lines[0]["server"]), (0, &server.address.as_str().into()), "{signed_in:?}");
    // Gone with the server, and not when what others know of it is too old.
    let address = server.address.clone();
    server.process.signal("TERM").await;
    let (_folder, ended) = server.stop().await;
    assert_eq!(ended.exit, 0);
    let found = ann.run(&["find", "--for", "1s"]).await;
    assert!(found.lines.iter().all(|line| line["server"] != address.as_str()), "{found:?}");
}
