//! Articles in batches, read on a thread of their own while those before are answered.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rayon::prelude::*;

use detente::source::{self, Format, Input, Source, Warn};
use detente::{Article, Error, Part};

use super::complaints::Complaints;

/// The most articles, and about the most bytes of them, of a batch. Three are held at a time: one that is read, one that
/// waits, one that is answered.
const ARTICLES: usize = 256;
const BYTES: usize = 4 << 20;
/// Files of one article each that are read at once, for each thread; and the most bytes of one.
const FILES: usize = 2;
const SMALL: u64 = 1 << 20;

/// What came of the reading.
pub struct Outcome {
    /// What was wrong.
    pub complaints: Complaints,
    /// Whether there was anything to work on, be it good or bad.
    pub any: bool,
}

/// Reads `inputs` in their order; the thread ends early where nobody takes the batches any more.
pub fn read(inputs: Vec<Source>, complaints: Complaints, warn: Warn) -> (Receiver<Vec<Article>>, JoinHandle<Outcome>) {
    let (sender, batches) = sync_channel(1);
    let reader = thread::spawn(move || {
        let mut reader = Reader { outcome: Outcome { complaints, any: false }, batch: Vec::new(), bytes: 0, sender };
        // None: nobody listens.
        let _ = reader.read(&inputs, &warn);
        reader.outcome
    });
    (batches, reader)
}

struct Reader {
    outcome: Outcome,
    batch: Vec<Article>,
    bytes: usize,
    sender: SyncSender<Vec<Article>>,
}

impl Reader {
    fn read(&mut self, inputs: &[Source], warn: &Warn) -> Option<()> {
        for inputs in inputs.chunk_by(|a, b| is_one_file(a) && is_one_file(b)) {
            if !inputs.iter().all(is_one_file) {
                inputs.iter().try_for_each(|input| self.take(source::read(input, warn)))?;
                continue;
            }
            // Pages take longer to take apart than to answer: many at once.
            for files in inputs.chunks(FILES * rayon::current_num_threads()) {
                type Read = detente::Result<Vec<detente::Result<Article>>>;
                let read = |input| -> Read { Ok(source::read(input, warn)?.collect()) };
                let read: Vec<Read> = files.par_iter().map(read).collect();
                read.into_iter().try_for_each(|articles| self.take(articles))?;
            }
        }
        self.send()
    }

    /// Takes what one input gave; `None` where nobody listens.
    fn take(&mut self, articles: detente::Result<impl IntoIterator<Item = detente::Result<Article>>>) -> Option<()> {
        let articles = match articles {
            Ok(articles) => articles,
            Err(error) => {
                self.outcome.any |= !matches!(error, Error::Io { .. });
                self.outcome.complaints.add(&error);
                return Some(());
            }
        };
        self.outcome.any = true;
        for article in articles {
            match article {
                Err(error) => self.outcome.complaints.add(&error),
                Ok(article) => {
                    self.bytes += article.text.len() + article.part(Part::Title).len();
                    self.batch.push(article);
                    if self.batch.len() == ARTICLES || self.bytes >= BYTES {
                        self.send()?;
                    }
                }
            }
        }
        Some(())
    }

    fn send(&mut self) -> Option<()> {
        self.bytes = 0;
        self.sender.send(std::mem::take(&mut self.batch)).ok()
    }
}

/// Whether an input is a small file of one article.
fn is_one_file(source: &Source) -> bool {
    let Input::Path(path) = &source.input else { return false };
    let small = |path| std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= SMALL);
    matches!(source.format, Format::Text | Format::Html | Format::Mhtml) && small(path)
}
