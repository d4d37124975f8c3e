//! The secret of a sign-in in a real keyring, on a session bus of its own.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::person::{Person, Server};

/// A session bus with an unlocked keyring behind it.
struct Session {
    bus: String,
    _daemons: [Child; 2],
    _home: TempDir,
}

impl Session {
    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address"]).stdout(Stdio::piped()).kill_on_drop(true);
        let mut bus = bus.spawn().expect("dbus is installed (cargo xtask run does)");
        let mut lines = BufReader::new(bus.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.unwrap().unwrap();
        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--foreground", "--components=secrets", "--unlock"]).env("DBUS_SESSION_BUS_ADDRESS", &address);
        keyring.env("HOME", home.path()).env("XDG_DATA_HOME", home.path()).env("XDG_RUNTIME_DIR", home.path());
        keyring.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut keyring = keyring.spawn().expect("gnome-keyring is installed (cargo xtask run does)");
        keyring.stdin.take().unwrap().write_all(b"a password").await.unwrap();
        let is_there = async {
            let mut ask = Command::new("dbus-send");
            ask.args([&format!("--bus={address}"), "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
            ask.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
            while !String::from_utf8_lossy(&ask.output().await.unwrap().stdout).contains("boolean true") {}
        };
        timeout(Duration::from_secs(20), is_there).await.expect("the keyring comes to the bus");
        Self { bus: address, _daemons: [bus, keyring], _home: home }
    }

    async fn run(&self, person: &Person, arguments: &[&str]) -> crate::person::Outcome {
        person.run_with(arguments, &[("DBUS_SESSION_BUS_ADDRESS", &self.bus)]).await
    }
}

fn account(profile: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(profile.join("account.json")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_in_the_keyring_and_profiles_are_apart_in_it() {
    let session = Session::start().await;
    let server = Server::start().await;
    let ann = server.ann().await;
    let (ben, second) = (server.stranger("ben"), server.stranger("ben-2"));
    let signed_in = session.run(&ben, &["sign-in", &ann.invites(&[]).await, "--id", "ben"]).await;
    assert_eq!(signed_in.exit, 0, "{signed_in:?}");
    let kept = account(&ben.profile);
    assert_eq!((kept.get("refresh_secret"), &kept["secret_kept_in"]), (None, &"keyring".into()), "{kept}");
    assert_eq!(session.run(&ben, &["whoami"]).await.lines[0]["user"], "ben");

    let more = session.run(&ben, &["invite", "--me"]).await.lines[0]["invite"].as_str().unwrap().to_owned();
    assert_eq!(session.run(&second, &["sign-in", &more]).await.exit, 0);
    let devices: Vec<Value> = [&ben, &second].iter().map(|device| account(&device.profile)["device"].clone()).collect();
    for (person, device) in [&ben, &second].into_iter().zip(&devices) {
        assert_eq!(&session.run(person, &["whoami"]).await.lines[0]["device"], device, "each has its own secret");
    }

    // Without the keyring there is no secret, and that is said.
    let locked_out = ben.run(&["whoami"]).await;
    assert_eq!((locked_out.exit, locked_out.code()), (7, "unavailable"), "{locked_out:?}");
    assert!(locked_out.told.contains("keyring"), "{}", locked_out.told);

    // Signed out, the keyring has forgotten it as well: the file alone is worth nothing.
    let before = std::fs::read(ben.profile.join("account.json")).unwrap();
    assert_eq!(session.run(&ben, &["sign-out"]).await.exit, 0);
    std::fs::write(ben.profile.join("account.json"), before).unwrap();
    let gone = session.run(&ben, &["whoami"]).await;
    assert_eq!((gone.exit, gone.code()), (7, "unavailable"), "{gone:?}");
    assert_eq!(session.run(&second, &["whoami"]).await.exit, 0, "the other device stays signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_version_left_in_the_file_moves_into_the_keyring() {
    let session = Session::start().await;
    let server = Server::start().await;
    let ann = server.ann().await;
    let mut kept = account(&ann.profile);
    assert_eq!(kept["secret_kept_in"], "file", "there is no keyring without a bus");
    // Tried once and in vain: it stays where it is.
    assert_eq!(session.run(&ann, &["whoami"]).await.exit, 0);
    assert!(account(&ann.profile)["refresh_secret"].is_string());

    kept.as_object_mut().unwrap().remove("secret_kept_in");
    std::fs::write(ann.profile.join("account.json"), kept.to_string()).unwrap();
    assert_eq!(session.run(&ann, &["whoami"]).await.exit, 0);
    let moved = account(&ann.profile);
    assert_eq!((moved.get("refresh_secret"), &moved["secret_kept_in"]), (None, &"keyring".into()), "{moved}");
    assert_eq!(session.run(&ann, &["whoami"]).await.lines[0]["user"], "ann");
}
