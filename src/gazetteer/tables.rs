//! Reads the gazetteer's CSV files into tables: those in the program, and those a user adds.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;
use std::str::FromStr;

use compact_str::CompactString;
use csv::{ReaderBuilder, StringRecord, Trim};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::context::{Condition, Side, Words};
use super::entries::{Entry, Kind, MatchKind};
use super::offices::{NameForm, Office};
use crate::date::YearMonth;
use crate::error::{Error, Location, Result};

/// A text that lies in [`Tables::text`].
pub(super) type Slice = Range<u32>;

/// An alias, or, if it has no entry, a phrase that only looks like one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AliasRow {
    pub entry: Option<u16>,
    pub how: MatchKind,
    pub alias: Slice,
    /// Place in [`Tables::remarks`].
    pub remark: u32,
    /// Of the name of a person.
    pub office: Option<Office>,
}

/// What lists of names show beside an alias.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Remark {
    pub from: Slice,
    pub until: Slice,
    pub context: Slice,
}

/// The remark of most aliases, which is empty.
const NO_REMARK: u32 = 0;

/// A row of `ambiguous.csv`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RuleRow {
    /// The alias, or `*` and a class of aliases.
    pub alias: String,
    /// A code, `-` for nobody, `=` for the alias's own entry.
    pub code: String,
    pub condition: Condition,
}

/// All that the files say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tables {
    pub entries: Vec<Entry>,
    pub aliases: Vec<AliasRow>,
    /// Finding names needs none of them; aliases that follow each other may share one.
    remarks: Vec<Remark>,
    pub rules: Vec<RuleRow>,
    /// What the conditions of the rules point to.
    pub lists: Vec<Words>,
    /// First names that are common, of `contexts.csv`.
    pub given_names: Vec<CompactString>,
    /// The first names of each person.
    first_names: Vec<Vec<CompactString>>,
    /// The characters of all aliases, one after the other.
    pub text: String,
}

/// Reads the rows of one file, and knows where it is for the sake of errors.
struct Rows<'a, R> {
    reader: csv::Reader<R>,
    record: StringRecord,
    path: &'a str,
    columns: &'static [&'static str],
}

impl<'a, R: Read> Rows<'a, R> {
    fn new(source: R, path: &'a str, columns: &'static [&'static str]) -> Result<Self> {
        let reader = ReaderBuilder::new().trim(Trim::None).buffer_capacity(1 << 16).from_reader(source);
        let mut rows = Self { reader, record: StringRecord::new(), path, columns };
        let header = match rows.reader.headers() {
            Ok(header) => header.clone(),
            Err(e) => return Err(rows.csv_error(e)),
        };
        let mut found = header.iter().map(|h| h.trim_start_matches('\u{feff}').trim());
        if !(header.len() == columns.len() && columns.iter().all(|c| found.next() == Some(*c))) {
            let found = header.iter().collect::<Vec<_>>().join(",");
            let expected = format!("the header `{}`", columns.join(","));
            return Err(Error::format(Location::line(path, 1), format!("`{found}`"), expected));
        }
        Ok(rows)
    }

    fn next(&mut self) -> Result<bool> {
        let more = self.reader.read_record(&mut self.record).map_err(|e| self.csv_error(e))?;
        // Names are found only if one blank stands between their words.
        if self.record.iter().any(|field| matches!(single_spaced(field), Cow::Owned(_))) {
            let position = self.record.position().cloned();
            self.record = self.record.iter().map(|field| single_spaced(field).into_owned()).collect();
            self.record.set_position(position);
        }
        Ok(more)
    }

    fn field(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or("")
    }

    fn parse<T: FromStr<Err = super::entries::UnknownWord>>(&self, column: usize) -> Result<T> {
        self.field(column).parse().map_err(|e: super::entries::UnknownWord| self.error(column, e.expected))
    }

    fn error(&self, column: usize, expected: impl Into<String>) -> Error {
        let line = self.record.position().map_or(1, csv::Position::line);
        let location = Location::line(self.path, line).at_column(column as u64 + 1);
        Error::format(location, format!("{} `{}`", self.columns[column], self.field(column)), expected)
    }

    fn csv_error(&self, error: csv::Error) -> Error {
        let line = error.position().map(csv::Position::line);
        let location = Location { path: self.path.to_owned(), line, column: None };
        let columns = self.columns.len();
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Error::io(self.path, source),
            csv::ErrorKind::UnequalLengths { len, .. } => {
                Error::format(location, format!("{len} fields"), format!("{columns} fields"))
            }
            csv::ErrorKind::Utf8 { .. } => Error::format(location, "bytes that are not UTF-8", "UTF-8 text"),
            _ => Error::format(location, "a row that cannot be read", format!("{columns} fields separated by commas")),
        }
    }
}

/// The words of a field with one blank between them, and none around.
pub(super) fn single_spaced(field: &str) -> Cow<'_, str> {
    let is_so = field.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    if is_so || field.is_empty() {
        return field.into();
    }
    field.split_whitespace().collect::<Vec<_>>().join(" ").into()
}

impl Tables {
    /// The characters of `slice`.
    pub fn get(&self, slice: &Slice) -> &str {
        &self.text[slice.start as usize..slice.end as usize]
    }

    fn keep(&mut self, text: &str) -> Slice {
        if text.is_empty() {
            return 0..0;
        }
        let start = self.text.len() as u32;
        self.text.push_str(text);
        start..self.text.len() as u32
    }

    /// From when and until when an alias holds, and its office or a remark.
    pub fn remark(&self, row: &AliasRow) -> [&str; 3] {
        let remark = self.remarks.get(row.remark as usize);
        remark.map_or([""; 3], |remark| [&remark.from, &remark.until, &remark.context].map(|text| self.get(text)))
    }

    fn keep_remark(&mut self, texts: [&str; 3]) -> u32 {
        if self.remarks.is_empty() {
            self.remarks.push(Remark::default());
        }
        if texts == [""; 3] {
            return NO_REMARK;
        }
        let [from, until, context] = texts.map(|text| self.keep(text));
        self.remarks.push(Remark { from, until, context });
        self.remarks.len() as u32 - 1
    }

    /// Reads `entries.csv`, which is sorted by code.
    pub fn read_entries(&mut self, source: impl Read, path: &str) -> Result<()> {
        const COLUMNS: &[&str] = &["code", "name", "kind", "region", "subregion", "since", "until", "note"];
        let mut rows = Rows::new(source, path, COLUMNS)?;
        while rows.next()? {
            if self.entries.last().is_some_and(|last| last.code.as_str() >= rows.field(0)) {
                return Err(rows.error(0, "codes in order, each once"));
            }
            let field = |column| rows.field(column).to_owned();
            self.entries.push(Entry {
                code: field(0),
                name: field(1),
                kind: rows.parse(2)?,
                region: field(3),
                subregion: field(4),
                since: field(5),
                until: field(6),
                note: field(7),
            });
        }
        Ok(())
    }

    /// The position of the entry with this code.
    pub fn position(&self, code: &str) -> Option<u16> {
        self.entries.binary_search_by(|e| e.code.as_str().cmp(code)).ok().map(|i| i as u16)
    }

    /// Reads a file of aliases.
    pub fn read_aliases(&mut self, source: impl Read, path: &str) -> Result<()> {
        const COLUMNS: &[&str] = &["code", "alias", "how", "from", "until", "context"];
        let mut rows = Rows::new(source, path, COLUMNS)?;
        while rows.next()? {
            // Rows of one entry stand together, so the last code is most often the one wanted.
            let entry = match self.aliases.last().and_then(|last| last.entry) {
                Some(entry) if self.entries[usize::from(entry)].code == rows.field(0) => entry,
                _ => self.position(rows.field(0)).ok_or_else(|| rows.error(0, "a code of entries.csv"))?,
            };
            let how = rows.parse(2)?;
            if !rows.field(1).starts_with(char::is_alphanumeric) {
                return Err(rows.error(1, "a name that begins with a letter or digit"));
            }
            let row = AliasRow {
                entry: Some(entry),
                how,
                alias: self.keep(rows.field(1)),
                remark: self.keep_remark([3, 4, 5].map(|column| rows.field(column))),
                office: None,
            };
            self.aliases.push(row);
        }
        Ok(())
    }

    /// The first names of a person, in the spellings of the full names.
    pub fn first_names(&self, person: u16) -> &[CompactString] {
        self.first_names.get(usize::from(person)).map_or(&[], Vec::as_slice)
    }

    /// Reads `leaders.csv`, one row a person and term.
    pub fn read_leaders(&mut self, source: impl Read, path: &str) -> Result<()> {
        const COLUMNS: &[&str] = &["code", "names", "surnames", "office", "from", "until", "alone", "known"];
        let mut rows = Rows::new(source, path, COLUMNS)?;
        let mut persons: FxHashMap<(u16, String), u16> = FxHashMap::default();
        while rows.next()? {
            let entry = self.position(rows.field(0)).ok_or_else(|| rows.error(0, "a code of entries.csv"))?;
            let first_names =
                rows.field(1).split('|').filter_map(|name| name.split(' ').next()).map(CompactString::from);
            let first = rows.field(1).split('|').chain(rows.field(2).split('|')).find(|name| !name.is_empty());
            let Some(first) = first else { return Err(rows.error(1, "a name")) };
            let fresh = persons.len() as u16;
            let person = *persons.entry((entry, first.to_owned())).or_insert(fresh);
            self.first_names.resize_with(persons.len(), Vec::new);
            self.first_names[usize::from(person)].extend(first_names);
            let month = |column, last| match rows.field(column) {
                "" => Ok(None),
                date => YearMonth::of_office(date, last)
                    .map(Some)
                    .ok_or_else(|| rows.error(column, "a day, month or year, such as 2014-09-29, 2014-09 or 2014")),
            };
            let yes = |column| match rows.field(column) {
                "yes" => Ok(true),
                "no" => Ok(false),
                _ => Err(rows.error(column, "`yes` or `no`")),
            };
            let (from, until, alone, known) = (month(4, false)?, month(5, true)?, yes(6)?, yes(7)?);
            let surname = if alone { NameForm::Unmistakable } else { NameForm::Shared };
            let remark = self.keep_remark([4, 5, 3].map(|column| rows.field(column)));
            for (column, form) in [(1, NameForm::Full), (2, surname)] {
                for name in rows.field(column).split('|').filter(|name| !name.is_empty()) {
                    if !name.starts_with(char::is_alphanumeric) {
                        return Err(rows.error(column, "names that begin with a letter or digit"));
                    }
                    let row = AliasRow {
                        entry: Some(entry),
                        how: MatchKind::Leader,
                        alias: self.keep(name),
                        remark,
                        office: Some(Office { person, from, until, known, form }),
                    };
                    self.aliases.push(row);
                }
            }
        }
        Ok(())
    }

    /// Reads `exclusions.csv`.
    pub fn read_exclusions(&mut self, source: impl Read, path: &str) -> Result<()> {
        let mut rows = Rows::new(source, path, &["phrase", "why"])?;
        while rows.next()? {
            let alias = self.keep(rows.field(0));
            self.aliases.push(AliasRow { entry: None, how: MatchKind::Name, alias, remark: NO_REMARK, office: None });
        }
        Ok(())
    }

    /// Reads `ambiguous.csv`, and `contexts.csv` for the lists that it names with `@`.
    pub fn read_rules(&mut self, ambiguous: impl Read, contexts: impl Read, path: &str, lists: &str) -> Result<()> {
        let mut named: FxHashMap<String, String> = FxHashMap::default();
        let mut rows = Rows::new(contexts, lists, &["name", "words"])?;
        while rows.next()? {
            named.insert(rows.field(0).to_owned(), rows.field(1).to_owned());
        }
        self.given_names =
            named.get("given_names").map_or("", String::as_str).split('|').map(CompactString::from).collect();
        // Lists that stand alone in a condition are shared by all rules that use them; most conditions are empty.
        let mut shared: FxHashMap<(Side, String), u16> = FxHashMap::default();
        let mut lists = std::mem::take(&mut self.lists);
        let mut rows = Rows::new(ambiguous, path, &["alias", "code", "before", "after", "near", "why"])?;
        while rows.next()? {
            let code = rows.field(1);
            if !matches!(code, "-" | "=") && self.position(code).is_none() {
                return Err(rows.error(1, "a code of entries.csv, `-` or `=`"));
            }
            let mut words = |side, column| {
                let field = rows.field(column);
                if let Some(&place) = shared.get(&(side, field.to_owned())) {
                    return Ok(place);
                }
                let mut all = vec![];
                for word in field.split('|') {
                    match word.strip_prefix('@') {
                        None => all.push(word),
                        Some(name) => match named.get(name) {
                            Some(list) => all.extend(list.split('|')),
                            None => return Err(rows.error(column, "lists of contexts.csv after `@`")),
                        },
                    }
                }
                let place = u16::try_from(lists.len()).map_err(|_| rows.error(column, "fewer than 65,536 lists"))?;
                lists.push(Words::new(side, all.into_iter()));
                if field.is_empty() || field.starts_with('@') {
                    shared.insert((side, field.to_owned()), place);
                }
                Ok(place)
            };
            let condition = Condition {
                before: words(Side::Before, 2)?,
                after: words(Side::After, 3)?,
                near: words(Side::Near, 4)?,
            };
            self.rules.push(RuleRow { alias: rows.field(0).to_owned(), code: code.to_owned(), condition });
        }
        self.lists = lists;
        Ok(())
    }

    /// Reads a user's file: adds entries and aliases, replaces names, removes the aliases that begin with `-`.
    pub fn read_overrides(&mut self, source: impl Read, path: &str) -> Result<()> {
        const COLUMNS: &[&str] = &["code", "name", "kind", "region", "alias", "how"];
        let mut rows = Rows::new(source, path, COLUMNS)?;
        let mut codes: FxHashMap<String, u16> =
            self.entries.iter().zip(0..).map(|(e, at)| (e.code.clone(), at)).collect();
        // The rows of each alias; those that go are marked, and taken out at the end.
        let mut places: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (at, row) in self.aliases.iter().enumerate() {
            places.entry(self.get(&row.alias).to_owned()).or_default().push(at);
        }
        let mut gone = vec![false; self.aliases.len()];
        while rows.next()? {
            let code = rows.field(0);
            if code.is_empty() {
                return Err(rows.error(0, "a code"));
            }
            let entry = match codes.get(code) {
                Some(&entry) => {
                    self.change_entry(entry, &rows)?;
                    entry
                }
                None => {
                    let entry = self.add_entry(&rows)?;
                    codes.insert(code.to_owned(), entry);
                    places.entry(rows.field(1).to_owned()).or_default().push(self.aliases.len() - 1);
                    gone.push(false);
                    entry
                }
            };
            let how = if rows.field(5).is_empty() { MatchKind::Name } else { rows.parse(5)? };
            let alias = rows.field(4);
            if let Some(alias) = alias.strip_prefix('-') {
                let known = places.entry(alias.to_owned()).or_default();
                let (own, others) = known.iter().partition(|&&at| self.aliases[at].entry == Some(entry));
                *known = others;
                if own.is_empty() {
                    return Err(rows.error(4, format!("`-` and an alias that `{code}` has")));
                }
                own.into_iter().for_each(|at: usize| gone[at] = true);
            } else if !alias.is_empty() {
                if !alias.starts_with(char::is_alphanumeric) {
                    return Err(rows.error(4, "a name that begins with a letter or digit"));
                }
                let known = places.entry(alias.to_owned()).or_default();
                known.drain(..).for_each(|at| gone[at] = true);
                known.push(self.aliases.len());
                gone.push(false);
                let alias = self.keep(alias);
                self.aliases.push(AliasRow { entry: Some(entry), how, alias, remark: NO_REMARK, office: None });
            }
        }
        let mut gone = gone.into_iter();
        self.aliases.retain(|_| !gone.next().unwrap_or(false));
        self.sort_entries();
        Ok(())
    }

    /// Puts the entries in the order of their codes.
    fn sort_entries(&mut self) {
        let mut order: Vec<u16> = (0..).take(self.entries.len()).collect();
        order.sort_by(|&a, &b| self.entries[usize::from(a)].code.cmp(&self.entries[usize::from(b)].code));
        let mut places = vec![0; order.len()];
        for (&entry, place) in order.iter().zip(0..) {
            places[usize::from(entry)] = place;
        }
        self.entries.sort_by(|a, b| a.code.cmp(&b.code));
        for row in &mut self.aliases {
            row.entry = row.entry.map(|entry| places[usize::from(entry)]);
        }
    }

    fn change_entry<R: Read>(&mut self, entry: u16, rows: &Rows<'_, R>) -> Result<()> {
        let kind: Option<Kind> = (!rows.field(2).is_empty()).then(|| rows.parse(2)).transpose()?;
        let entry = &mut self.entries[usize::from(entry)];
        entry.kind = kind.unwrap_or(entry.kind);
        for (old, new) in [(&mut entry.name, rows.field(1)), (&mut entry.region, rows.field(3))] {
            if !new.is_empty() {
                new.clone_into(old);
            }
        }
        Ok(())
    }

    /// Adds an entry behind the others.
    fn add_entry<R: Read>(&mut self, rows: &Rows<'_, R>) -> Result<u16> {
        if rows.field(1).is_empty() {
            return Err(rows.error(1, format!("a name, as the code `{}` is new", rows.field(0))));
        }
        if self.entries.len() >= usize::from(u16::MAX) {
            return Err(rows.error(0, "fewer than 65,535 entries"));
        }
        let code = rows.field(0);
        let at = self.entries.len() as u16;
        let entry = Entry {
            code: code.to_owned(),
            name: rows.field(1).to_owned(),
            kind: rows.parse(2)?,
            region: rows.field(3).to_owned(),
            subregion: String::new(),
            since: String::new(),
            until: String::new(),
            note: String::new(),
        };
        self.entries.push(entry);
        let name = self.keep(rows.field(1));
        let how = MatchKind::Name;
        self.aliases.push(AliasRow { entry: Some(at), how, alias: name, remark: NO_REMARK, office: None });
        Ok(at)
    }
}
