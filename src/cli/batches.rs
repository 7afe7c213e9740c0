//! Articles in batches, read on a thread of their own while those before are answered; where several threads answer, they take lines
//! of JSONL apart for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rayon::Scope;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_64;

use detente::source::{self, Format, Input, Lot, Lots, ReadLot, Source, Warn, Warning};
use detente::{Article, Error, Location, Part, Result, language};

use super::complaints::Complaints;

/// The most articles, and about the most bytes of them, of a batch. Held are one that is read,
/// those that wait, and those that are answered; and some lots of lines before these.
const ARTICLES: usize = 128;
const BYTES: usize = 2 << 20;
/// How many batches wait. Whoever takes one finds another there, and need not wait for the reader before it asks for both.
const WAITING: usize = 2;
/// How many lots of an input are read on other threads while the next is put together; so lines that come slowly are taken up to
/// so many lots later.
const AHEAD: usize = 2;
/// The most files of one article each that are read at once, for each thread, and their most bytes together; a larger one is
/// read by itself.
const FILES: usize = 32;
const SMALL: u64 = 1 << 20;

/// What came of the reading.
pub struct Read {
    /// What was wrong.
    complaints: Complaints,
    /// Whether there was anything to work on, be it good or bad.
    pub any: bool,
    /// How many articles are in each language but English.
    languages: BTreeMap<String, usize>,
    all: usize,
    wanted: Wanted,
}

impl Read {
    /// Says what was wrong; gives whether anything was.
    pub fn finish(&mut self) -> bool {
        let failed = self.complaints.finish();
        if !self.leaves_out_languages() {
            return failed;
        }
        self.complaints.tell(format!("{}, and are left out; --any-language reads them anyway", self.foreign()));
        true
    }

    /// How many articles are not in English.
    fn foreign(&self) -> String {
        let count: usize = self.languages.values().sum();
        let named: Vec<String> = self.languages.iter().map(|(language, count)| format!("{language} {count}")).collect();
        format!("{count} of {} articles are not in English ({})", self.all, named.join(", "))
    }

    /// Whether articles were left out for their language.
    pub fn leaves_out_languages(&self) -> bool {
        !self.languages.is_empty() && !self.wanted.any_language
    }

    /// What was wrong, where the complaints were kept.
    pub fn into_complaints(mut self) -> Vec<String> {
        self.complaints.finish();
        if self.leaves_out_languages() {
            self.complaints.tell(format!("{}, and are left out", self.foreign()));
        } else if !self.languages.is_empty() {
            self.complaints.tell(format!(
                "{}: names are found as they are spelt in English, and the models have read English only, so much is missed",
                self.foreign()
            ));
        }
        self.complaints.into_kept()
    }
}

/// Which articles are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Whether those that are not in English are.
    pub any_language: bool,
}

/// Gives `first` and reads `inputs` in their order; the thread ends early where nobody takes the batches any more.
///
/// Ids are unique: what comes again under an id that was there is called `ID#2`, and so on, with a warning.
pub fn read(
    first: Option<Article>,
    inputs: Vec<Source>,
    complaints: Complaints,
    warn: Warn,
    wanted: Wanted,
) -> (Receiver<Vec<Article>>, JoinHandle<Read>) {
    let (sender, batches) = sync_channel(WAITING);
    let reader = thread::spawn(move || {
        let read = Read { complaints, any: false, languages: BTreeMap::new(), all: 0, wanted };
        let (ids, again) = (FxHashSet::default(), FxHashMap::default());
        let mut reader = Reader { read, batch: Vec::new(), bytes: 0, sender, ids, again, warned: false };
        reader.read.any = first.is_some();
        let given = first.map_or(Some(()), |article| reader.take([Ok(Looked::at(article))], &warn));
        // None: nobody listens.
        let _ = given.and_then(|()| rayon::in_place_scope(|scope| reader.read(&inputs, &warn, scope)));
        reader.read
    });
    (batches, reader)
}

struct Reader {
    read: Read,
    batch: Vec<Article>,
    bytes: usize,
    sender: SyncSender<Vec<Article>>,
    /// The ids that came, by their hashes: all that is kept of every article.
    ids: FxHashSet<u64>,
    /// How often those came that came again.
    again: FxHashMap<u64, u32>,
    warned: bool,
}

impl Reader {
    fn read(&mut self, inputs: &[Source], warn: &Warn, scope: &Scope<'_>) -> Option<()> {
        let most = FILES * rayon::current_num_threads();
        let mut rest = inputs;
        while let Some((input, others)) = rest.split_first() {
            // Pages take longer to take apart than to answer: many at once.
            let mut bytes = 0;
            let fits = |input: &&Source| {
                bytes += bytes_of_one(input).unwrap_or(SMALL + 1);
                bytes <= SMALL
            };
            let (files, others) = match rest.iter().take(most).take_while(fits).count() {
                0 => {
                    if let Some(lots) = self.opened(source::lots(input, warn)) {
                        self.read_lots(lots, warn, scope)?;
                    }
                    (&rest[..0], others)
                }
                several => rest.split_at(several),
            };
            // One each, as some take a hundred times as long as others.
            let read = |input| -> Result<Vec<_>> {
                Ok(source::read(input, warn)?.map(|article| article.map(Looked::at)).collect())
            };
            let read: Vec<Result<Vec<_>>> = files.par_iter().with_max_len(1).map(read).collect();
            for articles in read {
                if let Some(articles) = self.opened(articles) {
                    self.take(articles, warn)?;
                }
            }
            rest = others;
        }
        self.send()
    }

    /// Reads the lots of one input, in their order; `None` where nobody listens.
    fn read_lots(&mut self, mut lots: Lots, warn: &Warn, scope: &Scope<'_>) -> Option<()> {
        let mut asked = VecDeque::new();
        while let Some(lot) = lots.next() {
            if rayon::current_num_threads() > 1 && lot.is_to_be_shared() {
                asked.push_back(ask(lot, scope));
                self.take_lots(&mut asked, AHEAD, &mut lots, warn)?;
            } else {
                // What is long is read when the others are gone.
                self.take_lots(&mut asked, 0, &mut lots, warn)?;
                self.take(lots.articles(lot.read(Looked::at)), warn)?;
            }
        }
        self.take_lots(&mut asked, 0, &mut lots, warn)
    }

    /// Takes lots that were asked for, and waits until no more than `most` are left; `None` where nobody listens.
    fn take_lots(&mut self, asked: &mut VecDeque<Asked>, most: usize, lots: &mut Lots, warn: &Warn) -> Option<()> {
        while let Some(first) = asked.front() {
            let read = match first.try_recv() {
                Ok(read) => read,
                Err(TryRecvError::Empty) if asked.len() <= most => break,
                // None of a lot whose thread panicked, which is told when all of them have ended.
                Err(_) => first.recv().ok()?,
            };
            asked.pop_front();
            self.take(lots.articles(read), warn)?;
        }
        Some(())
    }

    /// What there is in an input, if it could be opened.
    fn opened<T>(&mut self, input: Result<T>) -> Option<T> {
        self.read.any |= !matches!(input, Err(Error::Io { .. }));
        input.map_err(|error| self.read.complaints.add(&error)).ok()
    }

    /// Takes articles of an input; `None` where nobody listens.
    fn take(&mut self, articles: impl IntoIterator<Item = Result<Looked>>, warn: &Warn) -> Option<()> {
        for article in articles {
            match article {
                Err(error) => self.read.complaints.add(&error),
                Ok(Looked { mut article, language }) => {
                    if !self.is_wanted(&mut article, language) {
                        continue;
                    }
                    self.name(&mut article, warn);
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

    /// Keeps the language that was found; gives whether the article is wanted.
    fn is_wanted(&mut self, article: &mut Article, found: Option<&str>) -> bool {
        self.read.all += 1;
        // A page may say "en" of a text in another language, so the words count first; where they tell nothing, what is said.
        let language = match found {
            Some(language) => language.to_owned(),
            None => match article.language.as_deref().map(language::primary) {
                Some(said) => said,
                None => return true,
            },
        };
        if found.is_some() || article.language.is_none() {
            article.language = Some(language.clone());
        }
        if language == "en" {
            return true;
        }
        *self.read.languages.entry(language).or_default() += 1;
        self.read.wanted.any_language
    }

    /// Makes the id of an article its own.
    fn name(&mut self, article: &mut Article, warn: &Warn) {
        let hash = xxh3_64(article.id.as_bytes());
        if !self.ids.insert(hash) {
            let count = self.again.entry(hash).or_insert(1);
            *count += 1;
            let mut number = *count;
            let mut id = format!("{}#{number}", article.id);
            while !self.ids.insert(xxh3_64(id.as_bytes())) {
                number += 1;
                id = format!("{}#{number}", article.id);
            }
            if !std::mem::replace(&mut self.warned, true) {
                let message =
                    format!("the id `{}` comes again; articles of one id are called `{id}` and so on", article.id);
                warn(Warning { location: Location::file(article.path.clone()), message });
            }
            article.id = id;
        }
    }

    fn send(&mut self) -> Option<()> {
        self.bytes = 0;
        self.sender.send(std::mem::take(&mut self.batch)).ok()
    }
}

/// An article, and the language that its words are in, where they show one.
struct Looked {
    article: Article,
    language: Option<&'static str>,
}

impl Looked {
    fn at(article: Article) -> Self {
        let language = language::of(&article);
        Self { article, language }
    }
}

/// A lot that is being read on another thread.
type Asked = Receiver<ReadLot<Looked>>;

/// Has a lot read on one of the threads that answer.
fn ask(lot: Lot, scope: &Scope<'_>) -> Asked {
    let (sender, read) = sync_channel(1);
    // Nobody takes it where the batches before are not taken any more.
    scope.spawn(move |_| drop(sender.send(lot.read(Looked::at))));
    read
}

/// How large a file of one article is; `None` of any other input.
fn bytes_of_one(source: &Source) -> Option<u64> {
    if !matches!(source.format, Format::Text | Format::Html | Format::Mhtml) {
        return None;
    }
    let path = match &source.input {
        Input::Path(path) => path,
        Input::Bytes(_, bytes) => return Some(bytes.len() as u64),
        Input::Stdin => return None,
    };
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|found| found.len())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn ids_that_come_again_are_told_apart() {
        let named = |given: &[&str]| -> Vec<String> {
            let wanted = Wanted { any_language: true };
            let read = Read { complaints: Complaints::kept(1), any: false, languages: BTreeMap::new(), all: 0, wanted };
            let (ids, again) = (FxHashSet::default(), FxHashMap::default());
            let (sender, _) = sync_channel(WAITING);
            let mut reader = Reader { read, batch: Vec::new(), bytes: 0, sender, ids, again, warned: false };
            let warn: Warn = Arc::new(|_| {});
            let own = |id: &&str| {
                let mut article = Article::new("Oman waits.");
                article.id = (*id).to_owned();
                reader.name(&mut article, &warn);
                article.id
            };
            given.iter().map(own).collect()
        };
        assert_eq!(named(&["x", "x", "x#2", "x"]), ["x", "x#2", "x#2#2", "x#3"]);
        assert_eq!(named(&["x#2", "x", "x", "x", "x#3"]), ["x#2", "x", "x#3", "x#4", "x#3#2"]);
    }

    /// A source of lines, of which every seventh is no JSON.
    fn lines(name: &str, count: usize) -> Source {
        let line = |n: usize| match n % 7 {
            6 => format!("{{{n}\n"),
            // Lines 1 of short sources alone, 701 and some after it.
            0 if n >= 700 || count < 100 => format!("{{\"id\": {n}, \"text\": \"<p>Oman waits for Iran.\"}}\n"),
            _ => format!("{{\"id\": {n}, \"text\": \"Oman waits for Iran.\"}}\n"),
        };
        Source::bytes(name, (0..count).map(line).collect::<String>())
    }

    fn begun(inputs: Vec<Source>, warn: Warn) -> (Receiver<Vec<Article>>, JoinHandle<Read>) {
        read(None, inputs, Complaints::kept(1000), warn, Wanted { any_language: false })
    }

    #[test]
    fn lots_that_other_threads_read_stay_in_order() {
        let warnings = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&warnings);
        let warn: Warn = Arc::new(move |warning| kept.lock().unwrap().push(warning.to_string()));
        let (batches, reader) = begun(vec![lines("a.jsonl", 2_000), lines("b.jsonl", 20)], warn);
        let ids: Vec<String> = batches.iter().flatten().map(|article| article.id).collect();
        let good = |count: usize| (0..count).filter(|n| n % 7 != 6);
        let expected = good(2_000).map(|n| n.to_string()).chain(good(20).map(|n| format!("{n}#2")));
        assert_eq!(ids, expected.collect::<Vec<_>>());
        let complaints = reader.join().expect("no panic").into_complaints();
        assert!(complaints[0].starts_with("a.jsonl:7:"), "{complaints:?}");
        assert!(complaints.iter().any(|said| said.contains("the last on line 1995 ")), "{complaints:?}");
        let warnings = std::mem::take(&mut *warnings.lock().unwrap());
        let said =
            ["a.jsonl:701: the text looks like HTML", "b.jsonl:1: the text looks", "b.jsonl: the id `0` comes again"];
        assert_eq!(warnings.len(), said.len(), "{warnings:?}");
        for (found, expected) in warnings.iter().zip(said) {
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn reading_ends_where_nobody_listens() {
        let (batches, reader) = begun(vec![lines("a.jsonl", 5_000)], Arc::new(|_| {}));
        drop(batches);
        assert!(reader.join().expect("no panic").any);
    }
}
