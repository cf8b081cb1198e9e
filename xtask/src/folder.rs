//! Copies, compares and replaces whole folders.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Makes an empty folder, whatever was there before.
///
/// # Errors
/// When the disk refuses.
pub fn empty(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// Copies everything in one folder into another.
///
/// # Errors
/// When the disk refuses.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let (path, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

/// Puts a finished folder in the place of another. Where both hold the same, the old one stays
/// untouched, so that nothing that was made from it counts as outdated. Returns whether anything
/// changed.
///
/// # Errors
/// When the disk refuses. The old folder is there then, or beside its place as `NAME.old`.
pub fn replace(old: &Path, new: &Path) -> Result<bool> {
    if old.is_dir() && contents(old)? == contents(new)? {
        remove(new)?;
        return Ok(false);
    }
    let aside = old.with_extension("old");
    remove(&aside)?;
    if old.is_dir() {
        fs::rename(old, &aside)?;
    }
    fs::rename(new, old)?;
    remove(&aside)?;
    Ok(true)
}

fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        if path.is_dir() {
            files.extend(
                contents(&path)?
                    .into_iter()
                    .map(|(below, bytes)| (name.join(below), bytes)),
            );
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(files)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}
