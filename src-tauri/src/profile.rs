//! What one person keeps on this machine: account, settings, and the server's data. Written whole or not at all.

use std::{
    fs::{self, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::{
        fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use call_client::AccountFolder;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::running;

/// Nobody but its person looks into a profile: its server's keys and database are in there too.
const PRIVATE: u32 = 0o700;

/// How long a process that is about to end (or to begin) is waited for, and how often is looked whether it still is.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOKS: u32 = 60;
const HELD: &str = "another bellbird is connected with this profile, and a device has one connection: end it first, or start \
                    the app with another --profile";

/// The folder of one person.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    folder: PathBuf,
}

/// Held while this app runs: commands of the same profile look at the file, which the system lets go however a process
/// ends; the socket is for talking.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(crate) listener: Option<UnixListener>,
    pub(crate) file: fs::File,
}

/// What a person has chosen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The server inside, if this app runs one: its name and the address it listens on.
    pub(crate) server: Option<ServerSettings>,
    pub(crate) one_call_at_a_time: bool,
    pub(crate) busy_when_in_call: bool,
    pub(crate) microphone: Option<String>,
    pub(crate) speaker: Option<String>,
    pub(crate) camera: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServerSettings {
    pub(crate) name: String,
    pub(crate) listen: std::net::SocketAddr,
    pub(crate) udp: std::net::SocketAddr,
    /// The router is asked to let the outside in.
    #[serde(default)]
    pub(crate) for_outside: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: None,
            one_call_at_a_time: true,
            busy_when_in_call: false,
            microphone: None,
            speaker: None,
            camera: None,
        }
    }
}

impl Profile {
    /// Opens (and makes) the folder; one that others may look into is closed to them.
    pub(crate) fn open(chosen: Option<PathBuf>) -> io::Result<Self> {
        let folder = chosen.unwrap_or_else(|| {
            let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
            let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
            base.or_else(home).unwrap_or_default().join("bellbird")
        });
        fs::DirBuilder::new().recursive(true).mode(PRIVATE).create(&folder)?;
        if fs::metadata(&folder)?.permissions().mode() & 0o777 != PRIVATE {
            fs::set_permissions(&folder, fs::Permissions::from_mode(PRIVATE))?;
        }
        Ok(Self { folder })
    }

    /// Makes sure that one process is connected for this profile; `None` when another app is, whose window is then shown.
    pub(crate) fn lock(&self) -> io::Result<Option<Lock>> {
        let socket = self.folder.join("running.sock");
        let mut options = fs::OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(self.folder.join("running.lock"))?;
        let mut looks = 0..LOOKS;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            // Who has it is there, or just beginning or ending; the system tells nobody that a lock was let go.
            if let Ok(running) = UnixStream::connect(&socket) {
                return if shows(running) { Ok(None) } else { Err(held()) };
            }
            looks.next().ok_or_else(held)?;
            thread::sleep(PATIENCE / LOOKS);
        }
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // A path too long for a socket, mostly: nobody can be asked, and everything else works.
        let listener = UnixListener::bind(socket)
            .inspect_err(|error| tracing::warn!(%error, "a second start will not show the window"));
        Ok(Some(Lock { listener: listener.ok(), file }))
    }

    pub(crate) fn server_data(&self) -> PathBuf {
        self.folder.join("server")
    }

    /// The sign-in of this device.
    pub(crate) fn account(&self) -> AccountFolder {
        AccountFolder::new(self.folder.clone())
    }

    pub(crate) fn settings(&self) -> Settings {
        read(&self.folder.join("settings.json")).unwrap_or_default()
    }

    pub(crate) fn keep_settings(&self, settings: &Settings) -> io::Result<()> {
        write(&self.folder.join("settings.json"), settings)
    }
}

/// Asks for the window of who runs already. A process that is just ending says nothing; a command, that it has none.
fn shows(mut running: UnixStream) -> bool {
    let mut answer = String::new();
    _ = running.set_read_timeout(Some(PATIENCE));
    _ = running.write_all(running::SHOW.as_bytes()).and_then(|()| running.read_to_string(&mut answer));
    answer.trim() != "unknown"
}

fn held() -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, HELD)
}

fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    let text = fs::read_to_string(file).ok()?;
    match serde_json::from_str(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::error!(file = %file.display(), %error, "a file of the profile is damaged and is left aside");
            _ = fs::rename(file, file.with_extension("damaged"));
            None
        }
    }
}

/// For its owner alone.
fn write<T: Serialize>(file: &Path, value: &T) -> io::Result<()> {
    let partial = file.with_extension("partial");
    let mut opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    opened.write_all(serde_json::to_string_pretty(value)?.as_bytes())?;
    opened.sync_all()?;
    fs::rename(partial, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_its_persons_alone() {
        let folder = std::env::temp_dir().join(format!("bellbird-profile-{}", std::process::id()));
        let mode = |folder: &Path| fs::metadata(folder).unwrap().permissions().mode() & 0o777;
        Profile::open(Some(folder.join("new"))).unwrap();
        assert_eq!(mode(&folder.join("new")), PRIVATE, "a new one");
        fs::set_permissions(folder.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
        Profile::open(Some(folder.join("new"))).unwrap();
        assert_eq!(mode(&folder.join("new")), PRIVATE, "an old one");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn of_many_that_start_at_once_one_runs_and_a_profile_too_deep_for_a_socket_is_one_processs_as_well() {
        let folder = std::env::temp_dir().join(format!("bellbird-lock-{}", std::process::id()));
        let profile = Profile::open(Some(folder.clone())).unwrap();
        let start = std::sync::Barrier::new(8);
        let locks: Vec<_> = thread::scope(|scope| {
            let take = || {
                start.wait();
                profile.lock().unwrap()
            };
            let taking: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            taking.into_iter().map(|taking| taking.join().unwrap()).collect()
        });
        assert_eq!(locks.iter().flatten().count(), 1);
        drop(locks);
        assert!(profile.lock().unwrap().is_some(), "who ended holds nothing");
        let deep = Profile::open(Some(folder.join("d".repeat(120)))).unwrap();
        let held = deep.lock().unwrap().unwrap();
        assert!(held.listener.is_none());
        assert_eq!(deep.lock().unwrap_err().to_string(), HELD);
        drop(held);
        fs::remove_dir_all(folder).unwrap();
    }
}
