//! Files that appear under their name only when they are whole.
//!
//! A process that is about to be ended by a signal calls [`remove_unfinished`]: what it had begun then leaves nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// The temporary files of this process. A signal ends a process as a whole, so this is one list for it.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes the temporary files of all outputs that are not finished, and lets nobody begin or finish another: who tries
/// waits for the process to end.
pub fn remove_unfinished() {
    let mut unfinished = unfinished();
    for path in unfinished.drain(..) {
        // A writer that was dropped has removed it already.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished);
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A file that is being written.
///
/// Its bytes go to a temporary file beside it, which [`finish`](Self::finish) renames; dropped before that, it leaves
/// nothing, and what stood under the name stays. A link is followed. A device or a named pipe is written to directly,
/// since a rename would put a file in its place.
///
/// ```
/// use std::io::Write;
/// use detente::output_file::OutputFile;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("rows.csv");
/// let mut file = OutputFile::create(&path)?;
/// file.write_all(b"id,label\n")?;
/// assert!(!path.exists());
/// file.finish()?;
/// assert!(path.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct OutputFile(Target);

#[derive(Debug)]
enum Target {
    Direct(File),
    Temporary(NamedTempFile, PathBuf, Syncing),
}

/// A thread that brings what is written of a long file to the disk meanwhile, so that little is left to wait for in the end.
#[derive(Debug, Default)]
struct Syncing {
    /// How many bytes were written since the thread was last told to.
    bytes: usize,
    thread: Option<(SyncSender<()>, JoinHandle<io::Result<()>>)>,
}

impl Syncing {
    /// After so many it is told to.
    const BYTES: usize = 8 << 20;

    fn begin(file: &File) -> io::Result<(SyncSender<()>, JoinHandle<io::Result<()>>)> {
        let file = file.try_clone()?;
        let (tell, told) = sync_channel(0);
        let sync = move || told.iter().try_for_each(|()| file.sync_data());
        Ok((tell, thread::Builder::new().spawn(sync)?))
    }

    /// Takes note of bytes that were written to the file.
    fn wrote(&mut self, bytes: usize, file: &File) {
        self.bytes += bytes;
        if self.bytes < Self::BYTES {
            return;
        }
        if self.thread.is_none() {
            // Where there is none to be had, as much more is written before it is asked for again.
            self.thread = Self::begin(file).ok();
        }
        let told = self.thread.as_ref().map(|(tell, _)| tell.try_send(()));
        // While it is busy, this is tried again with the next bytes.
        if !matches!(told, Some(Err(TrySendError::Full(())))) {
            self.bytes = 0;
        }
    }

    /// Ends the thread. What could not be brought to the disk is said once by the system, so it may be said here alone.
    fn end(self) -> io::Result<()> {
        let Some((tell, thread)) = self.thread else { return Ok(()) };
        drop(tell);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl OutputFile {
    /// Begins the file `path`.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let existing = fs::metadata(path).ok();
        if existing.as_ref().is_some_and(|found| !found.is_file() && !found.is_dir()) {
            return Ok(Self(Target::Direct(File::options().write(true).open(path)?)));
        }
        let path = if existing.is_some() { fs::canonicalize(path)? } else { path.to_path_buf() };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".detente-");
        // A temporary file is for its owner alone unless told otherwise; the umask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        // While the list is held, no signal can come between the file and its place in the list.
        let mut unfinished = unfinished();
        let file = builder.tempfile_in(folder)?;
        // Those that were dropped before they were finished are gone.
        unfinished.retain(|path| path.exists());
        unfinished.push(file.path().to_path_buf());
        drop(unfinished);
        if let Some(existing) = existing.filter(fs::Metadata::is_file) {
            file.as_file().set_permissions(existing.permissions())?;
        }
        Ok(Self(Target::Temporary(file, path, Syncing::default())))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// If it cannot be brought to the disk or renamed; then it is removed.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Target::Direct(mut file) => file.flush(),
            Target::Temporary(file, path, syncing) => {
                syncing.end()?;
                file.as_file().sync_all()?;
                let mut unfinished = unfinished();
                unfinished.retain(|path| path != file.path());
                file.persist(path).map(drop).map_err(|e| e.error)
            }
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Direct(file) => file.write(bytes),
            Target::Temporary(file, _, syncing) => {
                let written = file.write(bytes)?;
                syncing.wrote(written, file.as_file());
                Ok(written)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Target::Direct(file) => file.flush(),
            Target::Temporary(file, ..) => file.flush(),
        }
    }
}

/// Writes a file under a temporary name beside it, then renames it: the file is whole or not there.
///
/// # Errors
/// [`Error::Io`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = OutputFile::create(path)?;
        file.write_all(bytes)?;
        file.finish()
    };
    write().map_err(|e| Error::io(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_whole_or_not_there() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("rows.jsonl");
        let line: Vec<u8> = (0..10_007).map(|n| (n % 251) as u8).collect();
        // Beyond what is brought to the disk at once, several times.
        let lines = 4 * Syncing::BYTES / line.len();
        for is_finished in [false, true] {
            let mut file = OutputFile::create(&path)?;
            for _ in 0..lines {
                file.write_all(&line)?;
            }
            assert!(!path.exists());
            if is_finished {
                file.finish()?;
            } else {
                drop(file);
            }
            assert_eq!(fs::read_dir(folder.path())?.count(), usize::from(is_finished));
        }
        assert!(fs::read(&path)? == line.repeat(lines));
        Ok(())
    }
}
