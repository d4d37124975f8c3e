//! The folder of one device: its sign-in, which only its owner may read. Written whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use call_client::{Account, Rest};
use wire::Code;

use crate::exit::Failure;

/// The folder of one device.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    folder: PathBuf,
}

impl Profile {
    /// The chosen folder, or the command line's own: it is a device beside the app's.
    pub(crate) fn new(chosen: Option<PathBuf>) -> Self {
        Self { folder: chosen.unwrap_or_else(|| data_home().join("cli")) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self) -> PathBuf {
        self.folder.join("account.json")
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.file().exists()
    }

    /// Who this device is signed in as.
    pub(crate) fn account(&self) -> Result<Account, Failure> {
        let file = self.file();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = self.folder.display();
                let message = format!("nobody is signed in with the profile {folder}: `bellbird sign-in INVITE` does");
                return Err(Failure::refused(Code::Unauthenticated, message));
            }
            Err(error) => return Err(disk(&file, "read", &error)),
        };
        serde_json::from_str(&text).map_err(|error| {
            let file = file.display();
            let message = format!("{file} is damaged ({error}): move it away and sign in again with a new invite");
            Failure::refused(Code::Unauthenticated, message)
        })
    }

    /// Requests in the name of this device, without a connection of its own.
    pub(crate) fn rest(&self) -> Result<Rest, Failure> {
        Ok(Rest::new(self.account()?)?)
    }

    pub(crate) fn keep_account(&self, account: &Account) -> Result<(), Failure> {
        let file = self.file();
        self.write(&file, account).map_err(|error| disk(&file, "written", &error))
    }

    pub(crate) fn forget_account(&self) -> Result<(), Failure> {
        let file = self.file();
        fs::remove_file(&file).map_err(|error| disk(&file, "removed", &error))
    }

    fn write(&self, file: &Path, account: &Account) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let partial = file.with_extension("partial");
        let mut opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        opened.write_all(serde_json::to_string_pretty(account)?.as_bytes())?;
        opened.sync_all()?;
        fs::rename(partial, file)
    }
}

/// Where a server keeps its data when nobody says.
pub(crate) fn server_data() -> PathBuf {
    data_home().join("server")
}

fn data_home() -> PathBuf {
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_default().join("bellbird")
}

fn disk(file: &Path, what: &str, error: &io::Error) -> Failure {
    let message = format!("{} cannot be {what} ({error}): check the folder's owner and the disk", file.display());
    Failure::refused(Code::Internal, message)
}
