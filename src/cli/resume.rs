//! `predict --resume`: a run that was stopped goes on where it was.
//!
//! Records go to `FILE.partial`. At the beginning, so that it is known whose file that is, and now and then, once records are
//! on the disk, `FILE.resume` says how many articles they answer, how many bytes they are, and what the articles and the run
//! were. The next run cuts off what came after, passes over that many articles, proves that they are the same, and goes on.
//! At the end `FILE.partial` becomes `FILE`.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use detente::{Article, visible};

use super::Common;

/// How long a run goes on, and how many articles it answers, until it writes down how far it is.
const BETWEEN: Duration = Duration::from_millis(500);
const ARTICLES: usize = 1024;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// SHA-256 of the model, the options and the version of the program.
    run: String,
    /// Articles that are answered.
    articles: usize,
    /// XXH3 of them.
    hash: String,
    /// Bytes of their records.
    bytes: u64,
}

/// The files of a run that can be resumed.
pub struct Resumable {
    path: PathBuf,
    partial: PathBuf,
    progress: PathBuf,
    run: String,
    /// Locked, so that no other run writes there.
    file: File,
    /// What an earlier run left, until its articles are passed over.
    before: Option<Progress>,
    articles: usize,
    hash: Xxh3,
    /// When it was last written down how far the run is, and at which article.
    saved: (Instant, usize),
}

impl Resumable {
    /// Opens or begins the partial file of `path`, behind what an earlier run left. `run` stands for all that the records
    /// depend on beside the articles.
    pub fn open(path: &Path, run: String, common: &Common) -> Result<Self> {
        let existing = fs::metadata(path).ok();
        let is_file = existing.as_ref().is_none_or(fs::Metadata::is_file);
        ensure!(is_file, "--resume needs a file to write, and {} is none", show(path));
        let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        let path = if is_link { fs::canonicalize(path).with_context(|| show(path))? } else { path.to_path_buf() };
        let beside = |ending: &str| {
            let mut name = OsString::from(&path);
            name.push(ending);
            PathBuf::from(name)
        };
        let (partial, progress) = (beside(".partial"), beside(".resume"));
        let anew = format!("remove `{}` and `{}` to begin anew", show(&partial), show(&progress));
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&partial);
        let mut file = file.with_context(|| format!("{}: cannot write there", show(&partial)))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => anyhow::bail!("{}: another run is writing it", show(&partial)),
            // Where files cannot be locked, two runs at once are the user's to avoid.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let before = match fs::read(&progress) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_new = file.metadata()?.len() == 0;
                ensure!(is_new, "{}: no `{}` beside it says what it is; move it away", show(&partial), show(&progress));
                None
            }
            read => {
                let read = read.with_context(|| show(&progress))?;
                let read = serde_json::from_slice::<Progress>(&read);
                let read = read.with_context(|| format!("{}: not what a run leaves; {anew}", show(&progress)))?;
                // Of a run that was stopped before it answered anything nothing is kept.
                Some(read).filter(|read| read.articles > 0)
            }
        };
        if let Some(read) = &before {
            ensure!(
                read.run == run,
                "{}: of a run with another model, other options or another version; run that again, or {anew}",
                show(&progress)
            );
            ensure!(
                file.metadata()?.len() >= read.bytes,
                "{}: shorter than the {} bytes that were written; {anew}",
                show(&partial),
                read.bytes
            );
            common.note(format_args!("{} articles are answered already; going on from there", read.articles));
        }
        let bytes = before.as_ref().map_or(0, |before| before.bytes);
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
        // Nobody reads before its end what he may not read then.
        #[cfg(unix)]
        if let Some(existing) = existing {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(existing.permissions().mode() | 0o600))?;
        }
        let saved = (Instant::now(), 0);
        let is_first = before.is_none();
        let mut all = Self { path, partial, progress, run, file, before, articles: 0, hash: Xxh3::new(), saved };
        if is_first {
            // From now on it shows whose file this is.
            all.save()?;
        }
        Ok(all)
    }

    /// The file that records are written to.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Whether an earlier run has written records.
    pub fn has_begun(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.bytes > 0)
    }

    /// The articles of these that are still to be answered.
    ///
    /// # Errors
    /// If those passed over are not those that the earlier run answered.
    pub fn rest<'a>(&mut self, articles: &'a [Article]) -> Result<&'a [Article]> {
        let Some(before) = &self.before else { return Ok(articles) };
        let (done, rest) = articles.split_at(articles.len().min(before.articles - self.articles));
        self.count(done)?;
        self.saved.1 = self.articles;
        self.compare(false)?;
        Ok(rest)
    }

    /// How many articles are answered, by this run or an earlier one.
    pub fn articles(&self) -> usize {
        self.articles
    }

    /// Takes note that these are answered; gives whether it is time to [`save`](Self::save).
    pub fn answered(&mut self, articles: &[Article]) -> Result<bool> {
        self.count(articles)?;
        let (when, articles) = self.saved;
        Ok(when.elapsed() >= BETWEEN || self.articles - articles >= ARTICLES)
    }

    /// Writes down how far the run is; all records must have been handed to the file.
    pub fn save(&mut self) -> Result<()> {
        self.file.sync_data().with_context(|| show(&self.partial))?;
        let bytes = self.file.stream_position()?;
        let progress = Progress { run: self.run.clone(), articles: self.articles, hash: self.digest(), bytes };
        let mut fresh = OsString::from(&self.progress);
        fresh.push(".new");
        let saved = fs::write(&fresh, serde_json::to_vec(&progress)?).and_then(|()| fs::rename(&fresh, &self.progress));
        saved.with_context(|| format!("{}: cannot write there", show(&self.progress)))?;
        self.saved = (Instant::now(), self.articles);
        Ok(())
    }

    /// Leaves nothing behind of a run that answered nothing.
    pub fn give_up(self) {
        if self.before.is_none() && self.articles == 0 {
            let _ = fs::remove_file(&self.partial);
            let _ = fs::remove_file(&self.progress);
        }
    }

    /// Gives the file its name; all records must have been handed to it.
    pub fn finish(mut self) -> Result<()> {
        self.compare(true)?;
        if let Ok(existing) = fs::metadata(&self.path) {
            self.file.set_permissions(existing.permissions())?;
        }
        self.file.sync_all()?;
        fs::rename(&self.partial, &self.path).with_context(|| format!("{}: cannot write there", show(&self.path)))?;
        match fs::remove_file(&self.progress) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).with_context(|| show(&self.progress)),
            _ => Ok(()),
        }
    }

    fn count(&mut self, articles: &[Article]) -> Result<()> {
        for article in articles {
            self.hash.update(&serde_json::to_vec(article)?);
        }
        self.articles += articles.len();
        Ok(())
    }

    /// Compares what was passed over with what the earlier run answered, once all of it was, or there is no more.
    fn compare(&mut self, is_all: bool) -> Result<()> {
        let digest = self.digest();
        let Some(before) = self.before.take_if(|before| is_all || before.articles == self.articles) else {
            return Ok(());
        };
        ensure!(
            (before.articles, before.hash) == (self.articles, digest),
            "the first {} articles are not those that `{}` answers; give the same input, or remove it and `{}` to begin anew",
            before.articles,
            show(&self.partial),
            show(&self.progress)
        );
        Ok(())
    }

    fn digest(&self) -> String {
        format!("{:016x}", self.hash.digest())
    }
}

fn show(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
