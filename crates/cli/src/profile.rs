//! The folder of one device, with its sign-in.

use std::path::{Path, PathBuf};

use call_client::{Account, AccountFolder, KeepError, Rest};
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

    fn kept(&self) -> AccountFolder {
        AccountFolder::new(self.folder.clone())
    }

    pub(crate) fn account_file(&self) -> PathBuf {
        self.kept().file()
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.account_file().exists()
    }

    /// Who this device is signed in as.
    pub(crate) fn account(&self) -> Result<Account, Failure> {
        self.kept().load()?.ok_or_else(|| {
            let folder = self.folder.display();
            let message = format!("nobody is signed in with the profile {folder}: `bellbird sign-in INVITE` does");
            Failure::refused(Code::Unauthenticated, message)
        })
    }

    /// Requests in the name of this device, without a connection of its own.
    pub(crate) fn rest(&self) -> Result<Rest, Failure> {
        Ok(Rest::new(self.account()?)?)
    }

    /// Looks whether a sign-in can be kept, before an invite is used up for it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        Ok(self.kept().check()?)
    }

    pub(crate) fn keep_account(&self, account: &Account) -> Result<(), Failure> {
        Ok(self.kept().save(account)?)
    }

    pub(crate) fn forget_account(&self) -> Result<(), Failure> {
        Ok(self.kept().forget()?)
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

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        let forget = "; `bellbird sign-out --forget` forgets it";
        let (code, advice) = match error {
            KeepError::File { .. } => (Code::Internal, ""),
            KeepError::Damaged { .. } => (Code::Unauthenticated, forget),
            KeepError::Keyring(_) => (Code::Unavailable, forget),
        };
        Self::refused(code, format!("{error}{advice}"))
    }
}
