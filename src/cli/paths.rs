//! No command writes over what it reads, or works for what cannot be written.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail, ensure};

use detente::output_file::OutputFile;

/// What a path leads to, whatever it is called.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    /// A file that is there, by device and number: links and other spellings are the same.
    #[cfg(unix)]
    Number(u64, u64),
    /// A name in a folder.
    Name(PathBuf),
}

fn identity(path: &Path) -> Option<Identity> {
    match fs::metadata(path) {
        // Several may write to a device or a pipe.
        Ok(found) if !found.is_file() => None,
        Ok(found) => number(&found).or_else(|| fs::canonicalize(path).ok().map(Identity::Name)),
        Err(_) => Some(Identity::Name(fs::canonicalize(folder_of(path)).ok()?.join(path.file_name()?))),
    }
}

#[cfg(unix)]
fn number(found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity::Number(found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<Identity> {
    None
}

/// Refuses outputs, each with its flag, that are one of the inputs or one another, or cannot be written: that is known before
/// the work, not after it.
pub fn check<'p>(
    inputs: impl IntoIterator<Item = &'p Path>,
    outputs: impl IntoIterator<Item = (&'p str, &'p Path)>,
) -> Result<()> {
    let outputs: Vec<(&str, &Path)> = outputs.into_iter().collect();
    check_names(inputs, outputs.iter().copied())?;
    check_writable(outputs)
}

/// Refuses outputs, each with its flag, that cannot be written.
pub fn check_writable<'p>(outputs: impl IntoIterator<Item = (&'p str, &'p Path)>) -> Result<()> {
    outputs.into_iter().filter(|(_, path)| !is_stdout(path)).try_for_each(|(flag, path)| check_one(flag, path))
}

fn check_one(flag: &str, path: &Path) -> Result<()> {
    let shown = show(path);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => bail!("{flag} {shown} is a folder; give the name of a file"),
        // To open a pipe would be to wait for who reads it.
        Ok(found) if !found.is_file() => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            ensure!(
                fs::symlink_metadata(path).is_err(),
                "{flag} {shown} is a link to nothing; give the name of a file"
            );
            let ends_open = path.to_string_lossy().ends_with(std::path::is_separator);
            ensure!(!ends_open, "{flag} {shown} is the name of a folder; give the name of a file");
            let folder = folder_of(path);
            ensure!(folder.exists(), "{flag} {shown}: there is no folder {}; make it first", show(folder));
        }
        Err(error) => bail!("{flag} {shown}: cannot write there: {error}"),
    }
    // The error names a temporary file, which nobody asked for.
    OutputFile::create(path).map_err(|error| anyhow!("{flag} {shown}: cannot write there: {}", error.kind()))?;
    Ok(())
}

/// Whether a path leads to standard output, whatever that is.
pub fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses outputs, each with its flag, that are one of the inputs or one another.
pub fn check_names<'p>(
    inputs: impl IntoIterator<Item = &'p Path>,
    outputs: impl IntoIterator<Item = (&'p str, &'p Path)>,
) -> Result<()> {
    let outputs: Vec<(&str, &Path, Identity)> =
        outputs.into_iter().filter_map(|(flag, path)| Some((flag, path, identity(path)?))).collect();
    if outputs.is_empty() {
        return Ok(());
    }
    for input in inputs {
        let Some(found) = identity(input) else { continue };
        if let Some((flag, path, _)) = outputs.iter().find(|(.., output)| *output == found) {
            let input = if input == *path { String::new() } else { format!(" (`{}`)", show(input)) };
            bail!("{flag} {} is an input too{input}, and would be overwritten; give another name", show(path));
        }
    }
    for (at, (flag, path, output)) in outputs.iter().enumerate() {
        let same = outputs[..at].iter().find(|(.., earlier)| earlier == output);
        let other = same.map_or("", |(flag, ..)| flag);
        ensure!(same.is_none(), "{other} and {flag} both write to {}; give each its own name", show(path));
    }
    Ok(())
}

fn show(path: &Path) -> String {
    detente::visible(&path.to_string_lossy()).into_owned()
}
