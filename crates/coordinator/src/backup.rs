//! A whole copy of what a server keeps, made while it runs or not.

use std::{ffi::OsStr, fs, io, path::Path};

use crate::{access, error::StartError, lock::LOCK, server::DATABASE, store::Sqlite};

/// Copies everything a server keeps into a folder, whole, while it runs or not; a server started on that folder is the
/// same server.
///
/// # Errors
/// When the data cannot be read, or the folder is not empty or cannot be written.
pub async fn back_up(data: &Path, into: &Path) -> Result<(), StartError> {
    fs::metadata(data.join(DATABASE))?;
    fs::create_dir_all(into)?;
    if fs::read_dir(into)?.next().is_some() {
        let full = io::Error::new(io::ErrorKind::AlreadyExists, "the folder for the copy is not empty");
        return Err(StartError::Data(full));
    }
    // Readable for its owner alone from the first byte on: SQLite takes an empty file as it is.
    access::write_private(&into.join(DATABASE), &[])?;
    let copied = Sqlite::copy(&data.join(DATABASE), &into.join(DATABASE)).await;
    copied.map_err(|error| StartError::Database(error.to_string()))?;
    // Secrets, certificate, and whatever a later version keeps beside them: everything lies in the folder itself.
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_copied(&name) && fs::metadata(entry.path())?.is_file() {
            access::write_private(&into.join(&name), &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// The database and its companions are copied by SQLite itself, the lock is of a server, and a file that is being written
/// is not whole yet.
fn is_copied(name: &OsStr) -> bool {
    let is_of_database = name.to_string_lossy().starts_with(DATABASE);
    !is_of_database && name != LOCK && Path::new(name).extension() != Some(OsStr::new(access::PARTIAL))
}
