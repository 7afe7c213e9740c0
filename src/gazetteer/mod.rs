//! Names of states and of bodies that act like one, and where a text mentions them.
//!
//! The files in `datasets/gazetteer` are part of the program, as tables that were compiled from them;
//! [`Gazetteer::embedded`] reads them once.
//! [`Gazetteer::mentions`] finds every name in a text in one pass: names, adjectives, capitals and palaces used for
//! governments, leaders, ministries, initials. Of names that overlap the leftmost counts, then the longest ("South
//! Sudan", never "Sudan"). Longer phrases that mean something else ("Washington Post") hide the name in them, and rules
//! about the words around a name settle what is ambiguous ("Georgia"). Case matters ("us", "turkey" and "china" are no
//! states) except in capitals ("RUSSIA ATTACKS UKRAINE"). "pro-Russian", "US-led", "anti-American" and
//! "Russian-backed" mention the state in them, "Russo-Ukrainian" mentions both; a possessive `'s` is left out.
//!
//! A leader stands for the state while in office, by the date of the article. Which mentions mean a place and which a
//! government is for later stages to learn.
//!
//! ```
//! use detente::gazetteer::Gazetteer;
//!
//! let gazetteer = Gazetteer::embedded();
//! let text = "The Kremlin thanked Myanmar's rulers, the Washington Post reports.";
//! let found: Vec<_> = gazetteer
//!     .mentions(text)
//!     .into_iter()
//!     .map(|m| (&text[m.start..m.end], gazetteer.get(m.entry).code.as_str()))
//!     .collect();
//! assert_eq!(found, [("Kremlin", "RUS"), ("Myanmar", "MMR")]);
//! ```

mod asked;
mod check;
mod compiled;
mod context;
mod entries;
mod matcher;
mod offices;
mod search;
mod starts;
mod tables;
mod tokens;
mod trie;
mod written;

use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use crate::date::YearMonth;
use crate::error::Result;
use crate::input_file;
pub(crate) use asked::Asked;
use asked::{Beginning, Beginnings};
pub use check::{NameFinding, NameProblem};
pub use entries::{Alias, Entry, EntryId, Kind, MatchKind, Mention, UnknownWord};
use matcher::{Matcher, Reading};
use search::Search;
use tables::Tables;
use written::Plain;

/// Version and date of the embedded files, as their README states them.
pub const VERSION: &str = "2 (2026-11-26)";

/// States and bodies, their aliases, and a matcher that finds them in text.
///
/// Cheap to share, dear to build: one for a program is enough.
#[derive(Debug, Clone)]
pub struct Gazetteer {
    tables: Tables,
    matcher: Matcher,
    search: Search,
    /// How the names of each entry begin, once that was asked.
    beginnings: OnceLock<Vec<Beginnings>>,
    changed: bool,
}

impl Gazetteer {
    /// The gazetteer that the program carries.
    ///
    /// ```
    /// use detente::gazetteer::{Gazetteer, Kind};
    /// let gazetteer = Gazetteer::embedded();
    /// let states = gazetteer.entries().iter().filter(|e| e.kind == Kind::State).count();
    /// assert_eq!(states, 197); // 193 members of the UN, two observers, Taiwan, Kosovo
    /// ```
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Gazetteer> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            let (tables, matcher) = compiled::read();
            Self { tables, matcher, search: Search::default(), beginnings: OnceLock::new(), changed: false }
        })
    }

    /// A gazetteer from a folder of files such as those in `datasets/gazetteer`, from which the program's own is made.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) names line and column of a row that is not as the README there says;
    /// otherwise as [`input_file::read`].
    pub fn read(folder: &Path) -> Result<Self> {
        let file = |name: &str| input_file::read(&folder.join(name), input_file::MAX_NAMES);
        let mut tables = Tables::default();
        tables.read_entries(&file("entries.csv")?[..], "entries.csv")?;
        tables.read_aliases(&file("aliases.csv")?[..], "aliases.csv")?;
        tables.read_leaders(&file("leaders.csv")?[..], "leaders.csv")?;
        tables.read_aliases(&file("aliases-generated.csv")?[..], "aliases-generated.csv")?;
        tables.read_exclusions(&file("exclusions.csv")?[..], "exclusions.csv")?;
        tables.read_rules(&file("ambiguous.csv")?[..], &file("contexts.csv")?[..], "ambiguous.csv", "contexts.csv")?;
        Ok(Self::new(tables, true))
    }

    fn new(tables: Tables, changed: bool) -> Self {
        let matcher = Matcher::new(&tables);
        Self { tables, matcher, search: Search::default(), beginnings: OnceLock::new(), changed }
    }

    /// This gazetteer with a user's additions and changes: CSV with the columns `code,name,kind,region,alias,how`,
    /// one alias a row. White space within a field counts as one blank. A new code needs a name and a kind. An alias
    /// that begins with `-` is removed; one that another entry has moves to this one. `path` is for messages.
    ///
    /// ```
    /// use detente::gazetteer::Gazetteer;
    /// let rows = "code,name,kind,region,alias,how\n\
    ///             SYLD,Sylvania,state,Europe,Sylvanian,adjective\n\
    ///             RUS,,,,-Moscow,\n";
    /// let gazetteer = Gazetteer::embedded().with_overrides(rows.as_bytes(), "mine.csv")?;
    /// assert_eq!(gazetteer.mentions("Moscow and the Sylvanian army").len(), 1);
    /// # Ok::<(), detente::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) names line and column of a row that is not as above; [`Error::Io`](crate::Error::Io) a read that failed.
    pub fn with_overrides(&self, source: impl Read, path: &str) -> Result<Self> {
        let mut tables = self.tables.clone();
        tables.read_overrides(source, path)?;
        Ok(Self::new(tables, true))
    }

    /// [`with_overrides`](Self::with_overrides) from a file.
    ///
    /// # Errors
    /// As there, and as [`input_file::read`].
    pub fn with_override_file(&self, path: &Path) -> Result<Self> {
        let names = input_file::read(path, input_file::MAX_NAMES)?;
        self.with_overrides(names.as_slice(), &path.display().to_string())
    }

    /// All entries, sorted by code. An [`EntryId`] is an index into them.
    pub fn entries(&self) -> &[Entry] {
        &self.tables.entries
    }

    /// The entry with this id.
    ///
    /// # Panics
    /// If the id is of another gazetteer that has more entries.
    pub fn get(&self, id: EntryId) -> &Entry {
        &self.tables.entries[id.index()]
    }

    /// The entry with this code, name or alias, whatever the case of the letters: `rus`, `Russia`, `russian`, `Putin`.
    /// Codes go before names, names before aliases.
    pub fn find(&self, name: &str) -> Option<EntryId> {
        self.search.find(&self.tables, name)
    }

    /// Whom else a name may mean that [`find`](Self::find) knows: "Congo", "Korea".
    pub fn others(&self, name: &str) -> Vec<EntryId> {
        self.search.others(&self.tables, name)
    }

    /// Names of entries that are spelled most like `name`, the nearest first: at most three.
    pub fn suggest(&self, name: &str) -> Vec<&str> {
        self.search.nearest(&self.tables, name).into_iter().map(|id| self.get(id).name.as_str()).collect()
    }

    /// The aliases of an entry, in the order of the files.
    pub fn aliases(&self, id: EntryId) -> impl Iterator<Item = Alias<'_>> {
        self.tables.aliases.iter().filter(move |row| row.entry == Some(id.0)).map(|row| {
            let [from, until, context] = self.tables.remark(row);
            Alias { text: self.tables.get(&row.alias), how: row.how, from, until, context }
        })
    }

    /// How many aliases there are, of all entries together.
    pub fn alias_count(&self) -> usize {
        self.tables.aliases.iter().filter(|row| row.entry.is_some()).count()
    }

    /// The mentions in `text`, from left to right and without overlap.
    ///
    /// Offsets are bytes of `text`. Any text will do; headlines in capitals, line breaks within a name, typographic
    /// apostrophes and hyphens are seen through. Leaders count as in a text without a date: who is or was lately in
    /// office, who is known for good, whoever stands there with the full name. [`scan`](Self::scan) takes a date.
    pub fn mentions(&self, text: &str) -> Vec<Mention> {
        self.scan(None).mentions(text)
    }

    /// Begins to read an article of this date: leaders count who were in office then, or shortly before or after. Who is
    /// introduced in one part is known in the next.
    ///
    /// ```
    /// use detente::YearMonth;
    /// use detente::gazetteer::Gazetteer;
    ///
    /// let gazetteer = Gazetteer::embedded();
    /// let mut scan = gazetteer.scan(YearMonth::parse("2004-05-01"));
    /// let text = scan.mentions("Colin Powell met Jack Straw, but Straw said that Blair was away.");
    /// assert_eq!(text.len(), 4);
    /// assert!(gazetteer.scan(YearMonth::parse("2014-05-01")).mentions("Blair spoke.").is_empty());
    /// ```
    pub fn scan(&self, date: Option<YearMonth>) -> Scan<'_> {
        Scan { gazetteer: self, reading: Reading { date, introduced: Default::default() } }
    }

    /// How the names of an entry can begin.
    fn beginnings(&self, id: EntryId) -> &[Beginning] {
        &self.beginnings.get_or_init(|| self.matcher.beginnings(&self.tables))[id.index()]
    }

    /// [`VERSION`], and a `+` after it if a user's file has changed it.
    pub fn version(&self) -> String {
        format!("{VERSION}{}", if self.changed { "+" } else { "" })
    }
}

/// An article on its way through the gazetteer, part by part.
#[derive(Debug, Clone)]
pub struct Scan<'g> {
    gazetteer: &'g Gazetteer,
    reading: Reading,
}

impl Scan<'_> {
    /// The mentions in the next part, from left to right and without overlap.
    pub fn mentions(&mut self, text: &str) -> Vec<Mention> {
        // More than most texts have.
        let mut found = Vec::with_capacity(16);
        let plain = Plain::new(text);
        let read = plain.as_ref().map_or(text, |plain| &plain.text);
        self.gazetteer.matcher.find(&self.gazetteer.tables, read, &mut self.reading, &mut found);
        if let Some(plain) = plain {
            for mention in &mut found {
                (mention.start, mention.end) = (plain.start(mention.start), plain.end(mention.end));
            }
        }
        found
    }
}
