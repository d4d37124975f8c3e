//! A person at a terminal, who is asked before a call is answered.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::Stdio,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use tokio::{
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

use crate::person::{Person, Server};

const QUIET: [&str; 4] = ["--mic", "none", "--speaker", "none"];

/// A command in a terminal of its own.
struct Terminal {
    keys: File,
    /// Everything that was ever on it.
    screen: watch::Receiver<String>,
    child: Child,
}

impl Terminal {
    fn run(person: &Person, arguments: &[&str]) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let inside = ioctl_tiocgptpeer(&keys, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let inside = || Stdio::from(inside.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellbird"));
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").kill_on_drop(true);
        command.stdin(inside()).stdout(inside()).stderr(inside());
        let child = command.arg("--profile").arg(&person.profile).args(arguments).spawn().unwrap();
        let keys = File::from(keys);
        let mut light = keys.try_clone().unwrap();
        let (paint, screen) = watch::channel(String::new());
        std::thread::spawn(move || {
            let mut some = [0; 1024];
            // Ends with an error once nobody has the inside open any more.
            while let Ok(read) = light.read(&mut some) {
                paint.send_modify(|screen| screen.push_str(&String::from_utf8_lossy(&some[..read])));
            }
        });
        Self { keys, screen, child }
    }

    fn enter(&mut self) {
        self.keys.write_all(b"\n").unwrap();
    }

    async fn shows(&mut self, text: &str) {
        let shown = self.screen.wait_for(|screen| screen.contains(text));
        let shown = timeout(Duration::from_secs(20), shown).await.map(|screen| screen.is_ok());
        assert_eq!(shown, Ok(true), "{text:?}: {}", self.screen.borrow().as_str());
    }

    async fn end(mut self) -> Option<i32> {
        timeout(Duration::from_secs(20), self.child.wait()).await.expect("it ends").unwrap().code()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_answers_the_question_and_not_one_that_was_not_asked_yet() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut answer = Terminal::run(&ben, &[&["answer"][..], &QUIET].concat());
    answer.enter();
    // The terminal echoes what it has taken.
    answer.shows("\r\n").await;
    let call = ann.start(&[&["call", "ben", "--timeout", "5s"][..], &QUIET].concat());
    answer.shows("Enter answers").await;
    let unanswered = call.end().await;
    assert_eq!(unanswered.exit, 4, "{unanswered:?}");
    assert_eq!(answer.end().await, Some(4));

    let mut answer = Terminal::run(&ben, &[&["answer"][..], &QUIET].concat());
    let mut call = ann.start(&[&["call", "ben", "--message", "lunch?"][..], &QUIET].concat());
    answer.shows("lunch?").await;
    answer.shows("Enter answers").await;
    answer.enter();
    call.is("joined").await;
    answer.shows("joined").await;
    call.signal("INT").await;
    assert_eq!(call.end().await.exit, 0);
    assert_eq!(answer.end().await, Some(0));
}
