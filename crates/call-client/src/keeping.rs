//! Where a device's sign-in is kept: who it is in a file, its secret in the keyring of the system; without a keyring the
//! secret is in the file as well, which only its owner can read.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::account::Account;

/// What the keyring files entries under.
const SERVICE: &str = "bellbird";
/// How long the keyring may take, with a person who unlocks it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take when there is another place for a secret.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);
const SECRET: &str = "refresh_secret";
/// Says that the keyring was tried: it is not tried again at every start.
const KEPT_IN: &str = "secret_kept_in";

/// The folder of one device. Different folders are different devices, in the keyring too.
#[derive(Debug, Clone)]
pub struct AccountFolder {
    folder: PathBuf,
}

/// Where the secret of a sign-in is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum SecretPlace {
    /// In the keyring of the system.
    Keyring,
    /// There is no keyring: in a file that only its owner can read.
    File,
}

/// A sign-in cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The file cannot be used.
    #[error("{} cannot be used ({error}): check the folder's owner and the disk", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The file holds something else.
    #[error("{} is damaged ({why}): move it away and sign in again with a new invite", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What the parser said.
        why: String,
    },
    /// The keyring, where the secret is, does not give it.
    #[error("the keyring does not give this device's secret ({0}): unlock it and try again, or sign in anew")]
    Keyring(String),
}

impl AccountFolder {
    /// The sign-in in this folder.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file that says who is signed in.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("account.json")
    }

    /// Looks whether a sign-in can be kept here, before an invite is used up for it.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn check(&self) -> Result<(), KeepError> {
        let file = self.folder.join("account.probe");
        let written = write_private(&self.folder, &file, &Value::Null).and_then(|()| fs::remove_file(&file));
        written.map_err(|error| KeepError::File { file: self.file(), error })
    }

    /// The kept sign-in; `None` when nobody is signed in. A secret that an older version left in the file moves into the
    /// keyring.
    ///
    /// Waits for the keyring, which may ask the person to unlock it: not for a task that others wait for.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn load(&self) -> Result<Option<Account>, KeepError> {
        let file = self.file();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeepError::File { file, error }),
        };
        let damaged = |why: String| KeepError::Damaged { file: file.clone(), why };
        let mut kept: Map<String, Value> = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let is_in_file = kept.contains_key(SECRET);
        if !is_in_file {
            kept.insert(SECRET.to_owned(), "".into());
        }
        let is_new_to_keyring = kept.remove(KEPT_IN).is_none() && is_in_file;
        let account: Account = serde_json::from_value(kept.into()).map_err(|error| damaged(error.to_string()))?;
        if is_new_to_keyring {
            self.save(&account)?;
        }
        if is_in_file {
            return Ok(Some(account));
        }
        let secret = secret_of(&account).map_err(KeepError::Keyring)?;
        Ok(Some(Account { refresh_secret: secret, ..account }))
    }

    /// Where the secret is; `None` when nobody is signed in. Does not ask the keyring.
    #[must_use]
    pub fn place(&self) -> Option<SecretPlace> {
        let kept: Map<String, Value> = serde_json::from_str(&fs::read_to_string(self.file()).ok()?).ok()?;
        Some(if kept.contains_key(SECRET) { SecretPlace::File } else { SecretPlace::Keyring })
    }

    /// Keeps a sign-in in place of the one before. Waits for the keyring, as [`load`](Self::load) does.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, account: &Account) -> Result<(), KeepError> {
        let file = self.file();
        let failed = |error| KeepError::File { file: file.clone(), error };
        let Ok(Value::Object(mut kept)) = serde_json::to_value(account) else {
            return Err(failed(io::ErrorKind::InvalidData.into()));
        };
        let place = match keep_secret(account) {
            Ok(()) => {
                kept.remove(SECRET);
                "keyring"
            }
            Err(why) => {
                tracing::info!(why, file = %file.display(), "no keyring: the file holds the secret, for its owner alone");
                "file"
            }
        };
        kept.insert(KEPT_IN.to_owned(), place.into());
        write_private(&self.folder, &file, &Value::Object(kept)).map_err(failed)
    }

    /// Forgets the sign-in.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(&self) -> Result<(), KeepError> {
        let file = self.file();
        let kept =
            fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Map<String, Value>>(&text).ok());
        if let Some(mut kept) = kept.filter(|kept| !kept.contains_key(SECRET)) {
            kept.insert(SECRET.to_owned(), "".into());
            if let Ok(account) = serde_json::from_value::<Account>(kept.into())
                && let Err(why) = forget_secret(&account)
            {
                tracing::warn!(
                    why,
                    "the keyring keeps the secret of a device that is signed out; it opens nothing any more"
                );
            }
        }
        fs::remove_file(&file).map_err(|error| KeepError::File { file, error })
    }
}

/// The entry of a device in the keyring of the system.
fn secret_of(account: &Account) -> Result<String, String> {
    ask(account, PATIENCE, keyring::Entry::get_password)
}

fn keep_secret(account: &Account) -> Result<(), String> {
    let secret = account.refresh_secret.clone();
    ask(account, SHORT_PATIENCE, move |entry| entry.set_password(&secret))
}

fn forget_secret(account: &Account) -> Result<(), String> {
    ask(account, SHORT_PATIENCE, keyring::Entry::delete_credential)
}

/// The keyring is asked on a thread of its own: it may wait for a person, and it brings a runtime.
fn ask<T: Send + 'static>(
    account: &Account,
    patience: Duration,
    act: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, String> {
    // The device's id is the server's, and unique: two folders never share an entry.
    let name = format!("{}/{}", account.user, account.device);
    let (sender, answer) = mpsc::sync_channel(1);
    let asking = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
        if let Err(error) = keyring::Entry::store_status() {
            _ = sender.send(Err(error.to_string()));
            return;
        }
        let done = keyring::Entry::new(SERVICE, &name).and_then(|entry| act(&entry));
        _ = sender.send(done.map_err(|error| error.to_string()));
    });
    asking.map_err(|error| error.to_string())?;
    answer.recv_timeout(patience).unwrap_or_else(|_| Err("it does not answer; it may be locked".to_owned()))
}

/// Written whole or not at all, for its owner alone.
fn write_private(folder: &Path, file: &Path, content: &Value) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    let partial = file.with_extension("partial");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(folder)?;
    let mut opened = options.open(&partial)?;
    opened.write_all(serde_json::to_string_pretty(content)?.as_bytes())?;
    opened.sync_all()?;
    fs::rename(partial, file)
}
