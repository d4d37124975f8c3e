//! A server of its own for a test, and people with a profile each.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::{Semaphore, SemaphorePermit},
    task::JoinHandle,
    time::timeout,
};

/// How long anything may take on a machine that builds something else beside it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Tests with a server of their own that run at the same time: calls in real time need a processor.
static TURNS: Semaphore = Semaphore::const_new(2);

/// A running `bellbird serve`, and the folder of everything in the test.
pub(crate) struct Server {
    pub(crate) process: Running,
    /// Where it listens.
    pub(crate) address: String,
    /// The first admin's.
    pub(crate) invite: String,
    /// What it printed when it was ready.
    pub(crate) ready: Value,
    folder: TempDir,
    _turn: SemaphorePermit<'static>,
}

/// Somebody with a profile.
pub(crate) struct Person {
    pub(crate) profile: PathBuf,
}

/// A command that ran to its end.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) exit: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) told: String,
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    seen: Vec<Value>,
    told: JoinHandle<String>,
}

fn bellbird() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellbird"));
    // The keyring of whoever runs the tests is none of theirs.
    command
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        .arg("--json")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more options; where it listens is any free port of this machine unless they say.
    pub(crate) async fn start_with(options: &[&str]) -> Self {
        let turn = TURNS.acquire().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        let mut command = bellbird();
        command.args(["serve", "--data"]).arg(&data).args(options);
        for (option, value) in [("--listen", "127.0.0.1:0"), ("--udp", "127.0.0.1:0")] {
            if !options.contains(&option) {
                command.args([option, value]);
            }
        }
        let mut process = Running::start(&mut command);
        let ready = process.line("the server is ready", |line| line["event"] == "ready").await;
        let port = ready["url"].as_str().unwrap().rsplit_once(':').unwrap().1;
        let address = format!("127.0.0.1:{port}");
        Self { process, address, invite: ready["invite"].as_str().unwrap().to_owned(), ready, folder, _turn: turn }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for its end; the folder stays as long as it is held.
    pub(crate) async fn stop(self) -> (TempDir, Outcome) {
        (self.folder, self.process.end().await)
    }

    /// Somebody nobody knows yet.
    pub(crate) fn stranger(&self, name: &str) -> Person {
        Person { profile: self.path(name) }
    }

    /// The admin, who is the first.
    pub(crate) async fn ann(&self) -> Person {
        let ann = self.stranger("ann");
        ann.signs_in(&self.invite, "ann").await;
        ann
    }

    /// Two people who know each other.
    pub(crate) async fn ann_and_ben(&self) -> (Person, Person) {
        let ann = self.ann().await;
        let ben = self.friend(&ann, "ben").await;
        (ann, ben)
    }

    pub(crate) async fn friend(&self, of: &Person, id: &str) -> Person {
        let friend = self.stranger(id);
        friend.signs_in(&of.invites(&[]).await, id).await;
        friend
    }

    /// One more device of the same person.
    pub(crate) async fn second_device(&self, of: &Person, name: &str) -> Person {
        let second = self.stranger(name);
        let outcome = second.run(&["sign-in", &of.invites(&["--me"]).await]).await;
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        second
    }
}

impl Person {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bellbird();
        command.arg("--profile").arg(&self.profile).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).end().await
    }

    /// The same, in an environment of its own.
    pub(crate) async fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
        Running::start(self.command(arguments).envs(environment.iter().copied())).end().await
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    pub(crate) async fn invites(&self, wish: &[&str]) -> String {
        let outcome = self.run(&[&["invite"], wish].concat()).await;
        assert_eq!(outcome.exit, 0, "{outcome:?}");
        outcome.lines[0]["invite"].as_str().unwrap().to_owned()
    }

    async fn signs_in(&self, invite: &str, id: &str) {
        let outcome = self.run(&["sign-in", invite, "--id", id]).await;
        assert_eq!((outcome.exit, &outcome.lines[0]["user"]), (0, &Value::from(id)), "{outcome:?}");
    }
}

impl Outcome {
    /// The code of the error body.
    pub(crate) fn code(&self) -> &str {
        self.lines.last().and_then(|line| line["error"]["code"].as_str()).unwrap_or("")
    }

    /// The last line of a call.
    pub(crate) fn last(&self) -> &Value {
        self.lines.iter().rev().find(|line| line["event"] == "call").unwrap_or(&Value::Null)
    }
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("bellbird starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let told = tokio::spawn(async move {
            let mut told = Vec::new();
            _ = stderr.read_to_end(&mut told).await;
            String::from_utf8_lossy(&told).into_owned()
        });
        Self { child, lines, seen: Vec::new(), told }
    }

    /// Waits for a line that is as wanted.
    pub(crate) async fn line(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let seen = &mut self.seen;
        let lines = &mut self.lines;
        let look = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                seen.push(line.clone());
                if is(&line) {
                    return Some(line);
                }
            }
            None
        };
        match timeout(PATIENCE, look).await {
            Ok(Some(line)) => line,
            Ok(None) | Err(_) => panic!("{what}: did not come; {}", self.everything().await),
        }
    }

    /// For the message of a test that fails.
    async fn everything(&mut self) -> String {
        _ = self.child.kill().await;
        let seen: Vec<String> = self.seen.iter().map(ToString::to_string).collect();
        format!("printed:\n{}\ntold:\n{}", seen.join("\n"), (&mut self.told).await.unwrap_or_default())
    }

    /// Waits until a call is in this state.
    pub(crate) async fn is(&mut self, calling_state: &str) -> Value {
        self.line(calling_state, |line| line["calling_state"] == calling_state).await
    }

    /// Sends a signal, as SIGINT is `INT`.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().await.unwrap().success());
    }

    /// Waits for the end.
    pub(crate) async fn end(mut self) -> Outcome {
        let rest = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.seen.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}")));
            }
            self.child.wait().await.unwrap()
        };
        match timeout(PATIENCE, rest).await {
            Ok(status) => {
                Outcome { exit: status.code().unwrap_or(-1), lines: self.seen, told: self.told.await.unwrap() }
            }
            Err(_) => panic!("does not end; {}", self.everything().await),
        }
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
