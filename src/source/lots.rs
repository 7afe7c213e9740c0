//! The articles of an input in lots, which can be read on any thread.
//!
//! Lines of JSONL are only divided here, and taken apart by whoever reads their lot. Of other formats each article is a lot, and is
//! read already.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fields::{ArticleFields, Doubt, Doubtful};
use super::rows::{self, Line, Objects};
use super::{Source, Warn, Warning, articles, stream};
use crate::{Article, Result};

/// A lot ends with so many lines, or with the one that makes it so many bytes.
const LINES: usize = 32;
const BYTES: usize = 1 << 20;

/// The lots of an input, in its order.
pub struct Lots {
    unread: Box<dyn Iterator<Item = Lot> + Send>,
    arisen: Arisen,
    warn: Warn,
    doubtful: Doubtful,
}

/// Articles that stand one after the other in an input.
#[derive(Debug)]
pub struct Lot {
    unread: Unread,
    notes: Notes,
}

#[derive(Debug)]
enum Unread {
    Lines(Vec<Result<Line>>, Arc<Source>),
    /// One of any other format; none behind the last.
    Articles(Vec<Result<Article>>),
}

/// What was made of the articles of a lot.
#[derive(Debug)]
pub struct ReadLot<T> {
    articles: Vec<Result<T>>,
    notes: Notes,
}

/// What there is to warn of, each with the number of articles of the lot that come before it.
type Notes = Vec<(usize, Note)>;

#[derive(Debug)]
enum Note {
    Warning(Warning),
    Doubt(Doubt),
}

/// The articles of one input in lots: [`read`](super::read), for several threads.
///
/// ```
/// use detente::source::{self, Source, ignore_warnings};
///
/// let source = Source::bytes("news.jsonl", "{\"text\": \"Norway praised Chile.\"}\n{\"text\": 5}\n");
/// let mut lots = source::lots(&source, &ignore_warnings())?;
/// let lot = lots.next().expect("two lines");
/// let read = std::thread::spawn(|| lot.read(|article| article.text)).join().expect("no panic");
/// let texts: Vec<_> = lots.articles(read).collect();
/// assert_eq!(texts[0].as_ref().unwrap(), "Norway praised Chile.");
/// assert!(texts[1].is_err());
/// assert!(lots.next().is_none());
/// # Ok::<(), detente::Error>(())
/// ```
///
/// # Errors
///
/// As [`read`](super::read).
pub fn lots(source: &Source, warn: &Warn) -> Result<Lots> {
    let arisen = Arisen::default();
    let keep = arisen.keeper();
    let open = || -> Result<Box<dyn Iterator<Item = Lot> + Send>> {
        let unpacked = stream::unpack(&source.input, &source.options.bytes_read, &keep)?;
        let format = unpacked.format(source.format);
        let arisen = arisen.clone();
        if !rows::are_lines(&unpacked, format) {
            let articles = articles(unpacked, format, source, &keep)?;
            let alone = move |article| Lot { unread: Unread::Articles(vec![article]), notes: arisen.notes(0) };
            return Ok(Box::new(articles.map(alone)));
        }
        let lines = rows::lines(unpacked, "article", &keep)?;
        Ok(Box::new(divided(lines, Arc::new(source.clone()), arisen)))
    };
    let unread = open().inspect_err(|_| arisen.take().for_each(|warning| warn(warning)))?;
    Ok(Lots { unread, arisen, warn: warn.clone(), doubtful: Doubtful::default() })
}

/// Warnings that were kept in place of being said.
#[derive(Debug, Clone, Default)]
struct Arisen(Arc<Mutex<Vec<Warning>>>);

impl Arisen {
    /// Keeps what it is told.
    fn keeper(&self) -> Warn {
        let kept = self.clone();
        Arc::new(move |warning| kept.lock().push(warning))
    }

    fn take(&self) -> impl Iterator<Item = Warning> + use<> {
        std::mem::take(&mut *self.lock()).into_iter()
    }

    /// What has arisen since it was last taken, as notes before the article `at`.
    fn notes(&self, at: usize) -> Notes {
        self.take().map(|warning| (at, Note::Warning(warning))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Warning>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lots of the lines of a source.
fn divided(
    mut lines: impl Iterator<Item = Result<Line>>,
    source: Arc<Source>,
    arisen: Arisen,
) -> impl Iterator<Item = Lot> {
    std::iter::from_fn(move || {
        let (mut lot, mut notes) = (Vec::new(), Notes::new());
        while lot.len() < LINES && bytes_of(&lot) < BYTES {
            let Some(line) = lines.next() else { break };
            notes.extend(arisen.notes(lot.len()));
            lot.push(line);
        }
        (!lot.is_empty()).then(|| Lot { unread: Unread::Lines(lot, Arc::clone(&source)), notes })
    })
}

fn bytes_of(lines: &[Result<Line>]) -> usize {
    lines.iter().flatten().map(|(_, json)| json.len()).sum()
}

impl Iterator for Lots {
    type Item = Lot;

    fn next(&mut self) -> Option<Lot> {
        // The last words of an input may be a warning.
        let last = || {
            let notes = self.arisen.notes(0);
            (!notes.is_empty()).then(|| Lot { unread: Unread::Articles(Vec::new()), notes })
        };
        self.unread.next().or_else(last)
    }
}

impl Lots {
    /// What was made of the articles of a lot, or the error of each; on the way it warns of what was noted of them, of what is
    /// doubtful once for each kind. To be read to its end for each lot, in their order.
    pub fn articles<T>(&mut self, read: ReadLot<T>) -> impl Iterator<Item = Result<T>> {
        let (mut articles, mut notes) = (read.articles.into_iter().enumerate(), read.notes.into_iter().peekable());
        std::iter::from_fn(move || {
            let next = articles.next();
            let at = next.as_ref().map_or(usize::MAX, |(at, _)| *at);
            while let Some((_, note)) = notes.next_if(|(before, _)| *before <= at) {
                match note {
                    Note::Warning(warning) => (self.warn)(warning),
                    Note::Doubt(doubt) => self.doubtful.say(doubt, &self.warn),
                }
            }
            next.map(|(_, article)| article)
        })
    }
}

impl Lot {
    /// Whether it is worth another thread, and small enough for several to be held at once.
    pub fn is_to_be_shared(&self) -> bool {
        let Unread::Lines(lines, _) = &self.unread else { return false };
        let bytes = bytes_of(lines);
        (lines.len() == LINES || bytes >= BYTES) && bytes < 2 * BYTES
    }

    /// Reads its articles, and makes of each what `make` does.
    pub fn read<T>(self, make: impl Fn(Article) -> T) -> ReadLot<T> {
        let Self { unread, mut notes } = self;
        let (lines, source) = match unread {
            Unread::Lines(lines, source) => (lines, source),
            Unread::Articles(articles) => {
                return ReadLot { articles: articles.into_iter().map(|article| article.map(&make)).collect(), notes };
            }
        };
        let path = source.input.name();
        let mut objects = Objects::new(&path);
        let mut fields = ArticleFields::new(&source.id, &source.options);
        let read = |(at, line): (usize, Result<Line>)| {
            // The line is gone when its row is there.
            let row = line.and_then(|(number, json)| objects.row(&json, number))?;
            let article = fields.article(&row)?;
            notes.extend(fields.take_doubts().into_iter().map(|doubt| (at, Note::Doubt(doubt))));
            Ok(make(Article { path: path.clone(), ..article }))
        };
        let articles = lines.into_iter().enumerate().map(read).collect();
        // In a stable order: what was warned of when a line was read stays before what is doubtful about it.
        notes.sort_by_key(|(before, _)| *before);
        ReadLot { articles, notes }
    }
}

impl fmt::Debug for Lots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lots").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::Location;

    /// Keeps an article, or its error, among the warnings.
    fn keep(all: &Arisen, article: Result<Article>) {
        let message = article.map_or_else(|error| error.to_string(), |article| format!("{article:?}"));
        all.lock().push(Warning { location: Location::file(""), message });
    }

    /// Lots have the same articles, errors and warnings as the whole, in the same order: so many.
    fn check(source: &Source, count: usize) {
        let (whole, in_lots) = (Arisen::default(), Arisen::default());
        read(source, &whole.keeper()).expect("it opens").for_each(|article| keep(&whole, article));
        let mut lots = lots(source, &in_lots.keeper()).expect("it opens");
        // Each is read before the one before it is taken.
        let mut before = None;
        loop {
            let next = lots.next().map(|lot| lot.read(|article| article));
            let is_last = next.is_none();
            if let Some(read) = std::mem::replace(&mut before, next) {
                lots.articles(read).for_each(|article| keep(&in_lots, article));
            }
            if is_last {
                break;
            }
        }
        assert!(lots.next().is_none());
        let [whole, in_lots] = [whole, in_lots].map(|all| all.take().collect::<Vec<_>>());
        assert_eq!(whole.len(), count, "{whole:?}");
        assert_eq!(in_lots, whole);
    }

    #[test]
    fn lots_have_the_articles_of_the_whole() {
        let long = "Minsk ".repeat(100);
        // Good ones, one of other keys, blank lines, broken ones, a byte that is not UTF-8, markup, a text that is not read: the
        // last three twice.
        let lines: Vec<Vec<u8>> = (0..200)
            .map(|n| match n {
                7 => b"  ".to_vec(),
                40 | 140 => b"{\"text\": \"Caf\xE9 closed in Minsk.\"}".to_vec(),
                50 | 150 => br#"{"text": "<p>Oman waits.</p><p>Iran too.</p>"}"#.to_vec(),
                60 | 160 => format!("{{\"text\": \"Oman waits.\", \"notes\": \"{long}\"}}").into_bytes(),
                70 => br#"{"title": "Oman", "id": 5}"#.to_vec(),
                80 => b"{\"text\": ".to_vec(),
                90 => br#"{"text": 5}"#.to_vec(),
                n => format!("{{\"text\": \"Norway praised Chile {n} times.\"}}").into_bytes(),
            })
            .collect();
        let lines = lines.join(&b"\n"[..]);
        check(&Source::bytes("a.jsonl", lines.clone()), 199 + 3);
        check(&Source::bytes("a.json", lines), 199 + 3);
        let rows: String = (0..150).map(|n| format!("{n},<p>Oman waits.</p><p>Iran {n}</p>\n")).collect();
        check(&Source::bytes("a.csv", format!("id,text\n{rows}1,2,3\n")), 151 + 1);
        check(&Source::bytes("a.jsonl", " \n\n"), 1);
        check(&Source::bytes("a.txt", b"Caf\xE9 closed.".to_vec()), 1 + 1);
        // One that is longer than a lot.
        let much = format!("{{\"text\": \"{}\"}}\n", "Oman waits. ".repeat(BYTES / 10));
        check(&Source::bytes("a.jsonl", much.repeat(3)), 3);
    }

    #[test]
    fn lots_are_shared_that_are_full_and_not_too_long() {
        let shared = |name: &str, lines: Vec<usize>| -> Vec<bool> {
            let line = |length: usize| format!("{{\"text\": \"{}\"}}\n", "a".repeat(length));
            let source = Source::bytes(name, lines.into_iter().map(line).collect::<String>());
            let lots = lots(&source, &super::super::ignore_warnings()).expect("it opens");
            lots.map(|lot| lot.is_to_be_shared()).collect()
        };
        assert_eq!(shared("a.jsonl", vec![9; LINES - 1]), [false]);
        assert_eq!(shared("a.jsonl", vec![9; LINES + 1]), [true, false]);
        assert_eq!(shared("a.jsonl", vec![9, BYTES, 9, 2 * BYTES, 9, BYTES / 2]), [true, false, false]);
        assert_eq!(shared("a.txt", vec![BYTES]), [false]);
    }

    #[test]
    fn what_is_behind_packed_lines_is_warned_of() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"{\"text\": \"Oman waits.\"}\n").expect("memory takes all");
        let bytes = [packed.finish().expect("memory takes all"), b"no such data".to_vec()].concat();
        check(&Source::bytes("a.jsonl.gz", bytes), 1 + 1);
    }

    #[test]
    fn what_cannot_be_opened_is_an_error_as_of_the_whole() {
        for (name, bytes) in [("a.csv", &b"id,notes\n1,2\n"[..]), ("a.jsonl", b"%PDF-1.7"), ("a.parquet", b"PAR1")] {
            let source = Source::bytes(name, bytes.to_vec());
            let error = |error: crate::Error| error.to_string();
            let whole = read(&source, &super::super::ignore_warnings()).map(drop).map_err(error);
            assert!(whole.is_err(), "{name}");
            assert_eq!(lots(&source, &super::super::ignore_warnings()).map(drop).map_err(error), whole);
        }
    }
}
