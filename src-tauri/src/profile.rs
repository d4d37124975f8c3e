//! What one person keeps on this machine: account, settings, and the server's data. Written whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::{
        fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use call_client::AccountFolder;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::running;

/// Nobody but its person looks into a profile: its server's keys and database are in there too.
const PRIVATE: u32 = 0o700;

/// The folder of one person.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    folder: PathBuf,
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

    /// Makes sure that one app runs for this profile; `None` when another does, whose window is then shown.
    pub(crate) fn lock(&self) -> io::Result<Option<UnixListener>> {
        let socket = self.folder.join("running.sock");
        if let Ok(mut running) = UnixStream::connect(&socket) {
            // A process that is just ending takes no wishes.
            _ = running.write_all(running::SHOW.as_bytes());
            return Ok(None);
        }
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        UnixListener::bind(socket).map(Some)
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
}
