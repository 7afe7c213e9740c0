//! The articles of an input in lots, which can be read on any thread.
//!
//! What can be read only one after the other, as the lines of a file are, is read before; the lines of JSONL are taken apart by
//! whoever reads their lot.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::fields::{ArticleFields, Doubtful, Doubts};
use super::rows::{self, Line, Objects};
use super::{Source, Warn, Warning, articles, stream};
use crate::{Article, Result};

/// The most articles of a lot, and about the most bytes of them.
const ARTICLES: usize = 32;
const BYTES: usize = 1 << 20;

/// The lots of an input, in its order.
pub struct Lots {
    unread: Box<dyn Iterator<Item = Unread> + Send>,
    /// What was warned of while the last lot was put together.
    warnings: Arc<Mutex<Vec<Warning>>>,
    warn: Warn,
    doubtful: Doubtful,
}

/// Articles that stand one after the other in an input.
#[derive(Debug)]
pub struct Lot {
    unread: Unread,
    warnings: Vec<Warning>,
}

/// What there is to warn of in a lot.
#[derive(Debug)]
pub struct Noted {
    warnings: Vec<Warning>,
    doubts: Doubts,
}

#[derive(Debug)]
enum Unread {
    Lines(Vec<Result<Line>>, Arc<Source>),
    /// Of all other formats.
    Articles(Vec<Result<Article>>),
}

/// The articles of one input in lots: [`read`](super::read), for several threads.
///
/// ```
/// use detente::source::{self, Source, ignore_warnings};
///
/// let source = Source::bytes("news.jsonl", "{\"text\": \"Norway praised Chile.\"}\n{\"text\": 5}\n");
/// let mut lots = source::lots(&source, &ignore_warnings())?;
/// let lot = lots.next().expect("two lines");
/// let (articles, noted) = std::thread::spawn(|| lot.read()).join().expect("no panic");
/// lots.say(&noted);
/// assert_eq!(articles[0].as_ref().unwrap().text, "Norway praised Chile.");
/// assert!(articles[1].is_err());
/// assert!(lots.next().is_none());
/// # Ok::<(), detente::Error>(())
/// ```
///
/// # Errors
///
/// As [`read`](super::read).
pub fn lots(source: &Source, warn: &Warn) -> Result<Lots> {
    let warnings = Arc::<Mutex<Vec<Warning>>>::default();
    let kept = Arc::clone(&warnings);
    let keep: Warn = Arc::new(move |warning| lock(&kept).push(warning));
    let open = || -> Result<Box<dyn Iterator<Item = Unread> + Send>> {
        let unpacked = stream::unpack(&source.input, &source.options.bytes_read, &keep)?;
        let format = unpacked.format(source.format);
        if !rows::are_lines(&unpacked, format) {
            let articles = divided(articles(unpacked, format, source, &keep)?, |article: &Article| article.text.len());
            return Ok(Box::new(articles.map(Unread::Articles)));
        }
        let source = Arc::new(source.clone());
        let lines = divided(rows::lines(unpacked, "article", &keep)?, |(_, json): &Line| json.len());
        Ok(Box::new(lines.map(move |lines| Unread::Lines(lines, Arc::clone(&source)))))
    };
    let opened = open();
    if opened.is_err() {
        lock(&warnings).drain(..).for_each(|warning| warn(warning));
    }
    Ok(Lots { unread: opened?, warnings, warn: warn.clone(), doubtful: Doubtful::default() })
}

fn lock(warnings: &Mutex<Vec<Warning>>) -> std::sync::MutexGuard<'_, Vec<Warning>> {
    warnings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As many items at once as a lot has; `bytes` says how long one is.
fn divided<T>(
    mut items: impl Iterator<Item = Result<T>>,
    bytes: impl Fn(&T) -> usize,
) -> impl Iterator<Item = Vec<Result<T>>> {
    std::iter::from_fn(move || {
        let (mut some, mut held) = (Vec::new(), 0);
        while some.len() < ARTICLES && held < BYTES {
            let Some(item) = items.next() else { break };
            held += item.as_ref().map_or(0, &bytes);
            some.push(item);
        }
        (!some.is_empty()).then_some(some)
    })
}

impl Iterator for Lots {
    type Item = Lot;

    fn next(&mut self) -> Option<Lot> {
        let unread = self.unread.next();
        let warnings = std::mem::take(&mut *lock(&self.warnings));
        // The last words of an input may be a warning.
        let unread = unread.or_else(|| (!warnings.is_empty()).then(|| Unread::Articles(Vec::new())))?;
        Some(Lot { unread, warnings })
    }
}

impl Lots {
    /// Warns of what was noted of a lot, unless it is the like of what was warned of before. To be called for each lot, in
    /// their order.
    pub fn say(&mut self, noted: &Noted) {
        noted.warnings.iter().for_each(|warning| (self.warn)(warning.clone()));
        self.doubtful.say(&noted.doubts, &self.warn);
    }
}

impl Lot {
    /// Reads its articles.
    pub fn read(self) -> (Vec<Result<Article>>, Noted) {
        let Self { unread, warnings } = self;
        let (lines, source) = match unread {
            Unread::Lines(lines, source) => (lines, source),
            Unread::Articles(articles) => return (articles, Noted { warnings, doubts: Doubts::default() }),
        };
        let path = source.input.name();
        let mut objects = Objects::new(&path);
        let mut fields = ArticleFields::new(&source.id, &source.options);
        let read = |line: Result<Line>| {
            let (number, json) = line?;
            let article = fields.article(&objects.row(&json, number)?)?;
            Ok(Article { path: path.clone(), ..article })
        };
        let articles = lines.into_iter().map(read).collect();
        (articles, Noted { warnings, doubts: fields.doubts().clone() })
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

    /// What `each` makes of a source, and what it warns of.
    fn said(each: impl FnOnce(&Warn) -> Vec<Result<Article>>) -> (Vec<String>, Vec<String>) {
        let warnings = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&warnings);
        let articles =
            each(&(Arc::new(move |warning: Warning| kept.lock().unwrap().push(warning.to_string())) as Warn));
        let said = |article: Result<Article>| article.map_or_else(|error| error.to_string(), |a| format!("{a:?}"));
        let mut warnings = std::mem::take(&mut *warnings.lock().unwrap());
        warnings.sort();
        (articles.into_iter().map(said).collect(), warnings)
    }

    fn check(source: &Source, articles: usize, warnings: usize) {
        let all = said(|warn| read(source, warn).expect("it opens").collect());
        assert_eq!((all.0.len(), all.1.len()), (articles, warnings), "{all:?}");
        let in_lots = said(|warn| {
            let mut lots = lots(source, warn).expect("it opens");
            let mut all = Vec::new();
            while let Some(lot) = lots.next() {
                let (articles, noted) = lot.read();
                lots.say(&noted);
                all.extend(articles);
            }
            assert!(lots.next().is_none());
            all
        });
        assert_eq!(in_lots, all);
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
        check(&Source::bytes("a.jsonl", lines.clone()), 199, 3);
        check(&Source::bytes("a.json", lines), 199, 3);
        let rows: String = (0..150).map(|n| format!("{n},<p>Oman waits.</p><p>Iran {n}</p>\n")).collect();
        check(&Source::bytes("a.csv", format!("id,text\n{rows}1,2,3\n")), 151, 1);
        check(&Source::bytes("a.jsonl", " \n\n"), 1, 0);
        check(&Source::bytes("a.txt", b"Caf\xE9 closed.".to_vec()), 1, 1);
        // One that is longer than a lot.
        let much = format!("{{\"text\": \"{}\"}}\n", "Oman waits. ".repeat(BYTES / 10));
        check(&Source::bytes("a.jsonl", much.repeat(3)), 3, 0);
    }

    #[test]
    fn what_is_behind_packed_lines_is_warned_of() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"{\"text\": \"Oman waits.\"}\n").expect("memory takes all");
        let bytes = [packed.finish().expect("memory takes all"), b"no such data".to_vec()].concat();
        check(&Source::bytes("a.jsonl.gz", bytes), 1, 1);
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
