//! A whole copy of what a server keeps, made while it runs or not.

use std::{
    ffi::OsStr,
    fs, io,
    path::{self, Path},
};

use crate::{
    access,
    error::StartError,
    lock::LOCK,
    server::DATABASE,
    store::{Sqlite, StoreError},
};

/// Copies everything a server keeps into a folder, whole, while it runs or not; a server started on that folder is the
/// same server.
///
/// # Errors
/// When the data cannot be read, or the folder is not empty, cannot be written, or lies in the data folder. Nothing is left
/// there then, nor when the future is dropped before its end. Who is killed leaves files, and no database among them.
pub async fn back_up(data: &Path, into: &Path) -> Result<(), StartError> {
    fs::metadata(data.join(DATABASE))?;
    let unfit = |error| StartError::Copy { into: into.to_owned(), error };
    if lies_in(into, data)? {
        return Err(unfit(io::Error::new(io::ErrorKind::InvalidInput, "it lies in the data folder")));
    }
    fs::create_dir_all(into).map_err(unfit)?;
    if fs::read_dir(into).map_err(unfit)?.next().is_some() {
        return Err(unfit(io::Error::new(io::ErrorKind::AlreadyExists, "it is not empty")));
    }
    let mut part = Part { of: into, is_whole: false };
    copy(data, into).await?;
    part.is_whole = true;
    Ok(())
}

/// What lies in a folder that was empty, until it is the whole copy.
struct Part<'a> {
    of: &'a Path,
    is_whole: bool,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // A part would pass for the whole.
        for entry in fs::read_dir(self.of).into_iter().flatten().flatten().filter(|_| !self.is_whole) {
            _ = fs::remove_file(entry.path());
        }
    }
}

async fn copy(data: &Path, into: &Path) -> Result<(), StartError> {
    let write = |name: &OsStr, content: &[u8]| {
        let written = access::write_private(&into.join(name), content);
        written.map_err(|error| StartError::Copy { into: into.to_owned(), error })
    };
    // Secrets, certificate, and whatever a later version keeps beside them: everything lies in the folder itself.
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_copied(&name) && fs::metadata(entry.path())?.is_file() {
            write(&name, &fs::read(entry.path())?)?;
        }
    }
    // Readable for its owner alone from the first byte on: SQLite takes an empty file as it is. Without its name until it is
    // whole.
    let partial = into.join(DATABASE).with_extension(access::PARTIAL);
    write(partial.file_name().unwrap_or_default(), &[])?;
    Sqlite::copy(&data.join(DATABASE), &partial).await.map_err(StoreError::from)?;
    fs::rename(&partial, into.join(DATABASE)).map_err(|error| StartError::Copy { into: into.to_owned(), error })
}

/// Whether a folder, which need not be there yet, is the data folder or lies in it.
fn lies_in(folder: &Path, data: &Path) -> io::Result<bool> {
    let (folder, data) = (path::absolute(folder)?, data.canonicalize()?);
    let nearest = folder.ancestors().find_map(|nearest| nearest.canonicalize().ok());
    Ok(nearest.is_some_and(|nearest| nearest.starts_with(data)))
}

/// The database and its companions are copied by SQLite itself, the lock is of a server, and a file that is being written
/// is not whole yet.
fn is_copied(name: &OsStr) -> bool {
    let is_of_database = name.to_string_lossy().starts_with(DATABASE);
    !is_of_database && name != LOCK && Path::new(name).extension() != Some(OsStr::new(access::PARTIAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(data: &Path, into: &Path) -> String {
        back_up(data, into).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_refused_copy_speaks_of_the_folder_it_was_to_go_to() {
        let folder = tempfile::tempdir().unwrap();
        let [data, full] = ["data", "full"].map(|name| folder.path().join(name));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&full).unwrap();
        fs::write(full.join("mine"), "").unwrap();
        drop(Sqlite::open(&data.join(DATABASE)).await.unwrap());
        for (into, why) in [
            (full.clone(), "not empty"),
            (data.clone(), "in the data folder"),
            (data.join("copies/new"), "in the data folder"),
            (full.join("../data/copy"), "in the data folder"),
            (full.join("mine/copy"), "no copy can be made"),
        ] {
            let refusal = refusal(&data, &into).await;
            assert!(refusal.contains(&into.display().to_string()) && refusal.contains(why), "{refusal}");
        }
        assert!(!data.join("copies").exists() && !data.join("copy").exists());
        back_up(&data, &folder.path().join("data-2")).await.unwrap();
    }

    #[tokio::test]
    async fn a_copy_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [data, into] = ["data", "copy"].map(|name| folder.path().join(name));
        fs::create_dir(&data).unwrap();
        fs::write(data.join("tokens.key"), "x").unwrap();
        drop(Sqlite::open(&data.join(DATABASE)).await.unwrap());
        let has_begun = || fs::read_dir(&into).is_ok_and(|mut files| files.next().is_some());
        let mut copying = Box::pin(back_up(&data, &into));
        tokio::select! {
            biased;
            _ = &mut copying => panic!("it is not done at once"),
            () = std::future::ready(()) => {}
        }
        assert!(has_begun());
        drop(copying);
        assert!(!has_begun());
    }

    #[tokio::test]
    async fn a_copy_that_fails_leaves_nothing_that_passes_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let [data, into] = ["data", "copy"].map(|name| folder.path().join(name));
        fs::create_dir(&data).unwrap();
        fs::write(data.join(DATABASE), "no database at all ".repeat(500)).unwrap();
        let refusal = refusal(&data, &into).await;
        assert!(refusal.contains("damaged"), "{refusal}");
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    }
}
