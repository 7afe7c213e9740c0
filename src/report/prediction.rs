//! Prediction records as a page.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use askama::Template;

use super::map::{Shade, leaning};
use super::marked::{Piece, pieces};
use super::number::typeset;
use super::page::{Frame, Page};
use super::plural;
use super::switch::{State, Switch};
use crate::article::{Article, Part};
use crate::characters::Characters;
use crate::date::Date;
use crate::document::Side;
use crate::record::{EvidenceRecord, Record};

/// Articles that are shown.
const ARTICLES: usize = 2000;
/// Bytes of what articles say; with all else the page stays below 10 MB.
const BYTES: usize = 3_000_000;
/// Pairs of an article that are open at once.
const OPEN: usize = 15;
/// Bytes of the text of an article that is the only one; a longer one is not shown.
const TEXT: usize = 200_000;
/// Pairs that are shown.
const PAIRS: usize = 12_000;
/// Rows and columns of the matrix.
const STATES: usize = 40;
const ACTORS: usize = 8;
/// Of so many articles those states are pale that fewer than so many tell of.
const MANY: usize = 10;
const LITTLE: usize = 3;
/// Actors with a map.
const MAPS: usize = 12;

/// The page of predictions, which grows by an article at a time.
///
/// All articles count; the first 2,000 are shown, as far as they are not too long.
///
/// ```
/// use detente::report::PredictionPage;
/// use detente::{Article, Pipeline, Query, Record};
///
/// let pipeline = Pipeline::fast();
/// let article = Article::new("Estonia condemned Russia's attack.").with_id("a1");
/// let query = Query::toward(["Russia"], pipeline.gazetteer())?;
/// let mut page = PredictionPage::new("detente predict a1.txt --actor Russia --html page.html");
/// page.add(Record::all(&article, &pipeline.predict(&article, &query)).collect());
/// let mut html = Vec::new();
/// page.write(&mut html)?;
/// assert!(String::from_utf8(html)?.contains("<mark class=\"state\">Estonia</mark>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct PredictionPage {
    frame: Frame,
    /// Articles that were answered, and those of them that connect nobody.
    answered: usize,
    empty: usize,
    pairs: usize,
    counts: BTreeMap<Code, BTreeMap<Code, Count>>,
    names: BTreeMap<Code, String>,
    shown: Vec<Vec<Record>>,
    /// The text of the first article.
    text: Option<String>,
    bytes: usize,
    shown_pairs: usize,
}

type Code = String;

/// Articles that show a state toward an actor.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    stances: [usize; 3],
    net: f64,
}

impl Count {
    fn articles(&self) -> usize {
        self.stances.iter().sum()
    }

    fn net(&self) -> f64 {
        self.net / self.articles().max(1) as f64
    }

    /// "+0.31 in 4 articles (▲2 ●2 ▼0)".
    fn said(&self) -> String {
        let [aligned, neutral, opposed] = self.stances;
        let articles = plural(self.articles(), "article");
        format!("{} in {articles} (▲{aligned} ●{neutral} ▼{opposed})", typeset(self.net()))
    }
}

#[derive(Template)]
#[template(path = "prediction.html")]
struct Whole<'p> {
    page: Page,
    answered: usize,
    /// Whether that is one article, and whether its lines are open.
    one: bool,
    open: bool,
    empty: usize,
    pairs: usize,
    left_out: usize,
    map: Option<Switch>,
    matrix: Matrix,
    reading: Vec<Stretch>,
    articles: Vec<ArticleCard<'p>>,
    states: Vec<(&'p str, &'p str)>,
    actors: Vec<(&'p str, &'p str)>,
}

struct Matrix {
    actors: Vec<String>,
    rows: Vec<(String, Vec<Option<Cell>>)>,
    /// States and actors that are not shown.
    more: usize,
    more_actors: usize,
}

struct Cell {
    stances: [usize; 3],
    net: String,
    class: &'static str,
}

struct ArticleCard<'p> {
    title: &'p str,
    first: &'p Record,
    link: Option<&'p str>,
    pairs: Vec<PairRow<'p>>,
}

struct PairRow<'p> {
    record: &'p Record,
    probability: String,
    passages: Vec<Passage>,
}

/// A piece of evidence, and where it begins and ends in the text if that is shown.
struct Passage {
    pieces: Vec<Piece>,
    place: Option<[usize; 2]>,
}

/// A stretch of a text, between two places where evidence begins or ends.
struct Stretch {
    /// Where it begins, in characters.
    start: usize,
    text: String,
    is_evidence: bool,
}

impl PredictionPage {
    /// A page without articles, in a file that a command made, or at a server.
    pub fn new(frame: impl Into<Frame>) -> Self {
        Self { frame: frame.into(), ..Self::default() }
    }

    /// Puts the page elsewhere.
    pub fn set_frame(&mut self, frame: Frame) {
        self.frame = frame;
    }

    /// Takes an article with its records: if it stays the only one, its text is shown with the evidence in it.
    pub fn add_article(&mut self, article: &Article, records: Vec<Record>) {
        let is_first = self.answered == 0 && article.text.len() <= TEXT;
        self.text = is_first.then(|| article.text.clone());
        self.add(records);
    }

    /// Takes the records of one article.
    pub fn add(&mut self, mut records: Vec<Record>) {
        self.answered += 1;
        self.empty += usize::from(records.is_empty());
        self.pairs += records.len();
        for record in records.iter().filter(|record| !record.no_evidence) {
            for (code, name) in [(&record.state_code, &record.state), (&record.actor_code, &record.actor)] {
                if !self.names.contains_key(code) {
                    self.names.insert(code.clone(), name.clone());
                }
            }
            let of_actor = self.counts.entry(record.actor_code.clone()).or_default();
            let count = of_actor.entry(record.state_code.clone()).or_default();
            count.stances[record.stance.index()] += 1;
            count.net += record.probabilities.aligned - record.probabilities.opposed;
        }
        // What of a record goes to the page.
        records.iter_mut().for_each(|record| record.columns.clear());
        let evidence = |record: &Record| record.evidence.iter().map(|evidence| evidence.text.len()).sum::<usize>();
        let of_article =
            |record: &Record| [&record.id, &record.date, &record.url].map(String::len).iter().sum::<usize>();
        let bytes = records.iter().map(evidence).sum::<usize>() + records.first().map_or(0, of_article);
        let fits =
            self.shown.len() < ARTICLES && self.bytes + bytes <= BYTES && self.shown_pairs + records.len() <= PAIRS;
        if fits && !records.is_empty() {
            self.bytes += bytes;
            self.shown_pairs += records.len();
            self.shown.push(records);
        }
    }

    /// Writes the page.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let reading = self.shown.first().zip(self.text.as_ref()).filter(|_| self.answered == 1);
        let reading = reading.map(|(records, text)| reading_of(text, records)).unwrap_or_default();
        let place = |evidence: &EvidenceRecord| place(evidence).filter(|_| !reading.is_empty());
        let mut articles: Vec<ArticleCard<'_>> =
            self.shown.iter().filter_map(|records| card(records, &place)).collect();
        // The earliest first, those without a date last.
        articles.sort_by_key(|card| {
            let date = Date::parse(&card.first.date);
            (date.is_none(), date)
        });
        let mut actors: Vec<(&str, usize)> = Vec::new();
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for (actor, of_actor) in &self.counts {
            actors.push((actor, of_actor.values().map(Count::articles).sum()));
            for (state, count) in of_actor {
                *states.entry(state).or_default() += count.articles();
            }
        }
        let mut states: Vec<(&str, usize)> = states.into_iter().collect();
        let most_first = |a: &(&str, usize), b: &(&str, usize)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
        actors.sort_by(most_first);
        states.sort_by(most_first);
        let name = |code: &str| self.names.get(code).map_or("", String::as_str);
        let named = |codes: &[(&'_ str, usize)]| -> Vec<(String, String)> {
            let mut named: Vec<_> = codes.iter().map(|(code, _)| (name(code).to_owned(), (*code).to_owned())).collect();
            named.sort();
            named
        };
        let (state_names, actor_names) = (named(&states), named(&actors));
        fn borrowed(names: &[(String, String)]) -> Vec<(&str, &str)> {
            names.iter().map(|(name, code)| (name.as_str(), code.as_str())).collect()
        }
        let title = match actors.as_slice() {
            [] => "Nobody stands anywhere".to_owned(),
            [(actor, _)] => format!("Who stands where toward {}", name(actor)),
            more => format!("Who stands where toward {} actors", more.len()),
        };
        let page = Whole {
            page: Page { title, frame: self.frame.clone() },
            answered: self.answered,
            one: self.answered == 1,
            open: self.answered == 1 && self.pairs <= OPEN,
            empty: self.empty,
            pairs: self.pairs,
            left_out: self.answered - self.empty - articles.len(),
            map: self.map(&actors),
            matrix: self.matrix(&states, &actors),
            states: borrowed(&state_names),
            actors: borrowed(&actor_names),
            articles,
            reading,
        };
        page.write_into(to)
    }

    /// A map for each actor.
    fn map(&self, actors: &[(&str, usize)]) -> Option<Switch> {
        let actors: Vec<&str> = actors.iter().take(MAPS).map(|(actor, _)| *actor).collect();
        let first = actors.first()?;
        let mut states: BTreeMap<String, State> = BTreeMap::new();
        for (code, name) in &self.names {
            let cell = |actor: &&str| {
                if actor == code {
                    return State::itself(name);
                }
                let count = self.counts.get(*actor)?.get(code)?;
                Some([
                    Shade { net: count.net(), few: self.answered >= MANY && count.articles() < LITTLE }.class(),
                    format!("{name}: {}", count.said()),
                ])
            };
            states.insert(code.clone(), State::new(name, actors.iter().map(cell).collect()));
        }
        let label = format!("Stance of each state toward {}", self.names[*first]);
        let caption = "Mean of the probability of aligned less that of opposed, over articles. Pale and dashed: \
                       told of by fewer than three articles, where there are ten or more. Neutral is shaded; what is not mentioned is not.";
        let choices = actors.iter().map(|actor| self.names[*actor].clone()).collect();
        Some(Switch::new(label, caption.into(), choices, 0, &states))
    }

    fn matrix(&self, states: &[(&str, usize)], actors: &[(&str, usize)]) -> Matrix {
        let more_actors = actors.len().saturating_sub(ACTORS);
        let actors: Vec<&str> = actors.iter().take(ACTORS).map(|(actor, _)| *actor).collect();
        let cell = |state: &str, actor: &str| {
            let count = self.counts.get(actor)?.get(state)?;
            Some(Cell { stances: count.stances, net: typeset(count.net()), class: leaning(count.net()).as_str() })
        };
        let row = |(state, _): &(&str, usize)| {
            let cells: Vec<Option<Cell>> = actors.iter().map(|actor| cell(state, actor)).collect();
            cells.iter().any(Option::is_some).then(|| (self.names[*state].clone(), cells))
        };
        let rows: Vec<(String, Vec<Option<Cell>>)> = states.iter().filter_map(row).take(STATES).collect();
        let more = states.len() - rows.len();
        Matrix { actors: actors.iter().map(|actor| self.names[*actor].clone()).collect(), rows, more, more_actors }
    }
}

/// The text, divided wherever evidence begins or ends.
fn reading_of(text: &str, records: &[Record]) -> Vec<Stretch> {
    let evidence = records.iter().flat_map(|record| &record.evidence).filter_map(place);
    let mut evidence: Vec<[usize; 2]> = evidence.collect();
    // One sentence tells of many pairs.
    evidence.sort_unstable();
    evidence.dedup();
    let characters = Characters::new(text);
    let mut ends: Vec<usize> = evidence.iter().flatten().copied().chain([0]).collect();
    ends.sort_unstable();
    ends.dedup();
    let stretch = |(number, &start): (usize, &usize)| {
        let from = characters.to_byte(start)?;
        let to = ends.get(number + 1).map_or(Some(text.len()), |&end| characters.to_byte(end))?;
        let is_evidence = evidence.iter().any(|[from, to]| (*from..*to).contains(&start));
        Some(Stretch { start, text: text.get(from..to)?.to_owned(), is_evidence })
    };
    ends.iter().enumerate().filter_map(stretch).collect()
}

/// Where a piece of evidence stands in the text; `None` of one in the title.
fn place(evidence: &EvidenceRecord) -> Option<[usize; 2]> {
    (evidence.part == Part::Text).then_some([evidence.start, evidence.end])
}

fn card<'p>(records: &'p [Record], place: &impl Fn(&EvidenceRecord) -> Option<[usize; 2]>) -> Option<ArticleCard<'p>> {
    let first = records.first()?;
    let is_web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    let pairs = records.iter().map(|record| {
        let mut evidence: Vec<&EvidenceRecord> = record.evidence.iter().collect();
        evidence.sort_by_key(|evidence| (evidence.part, evidence.start));
        let passages = evidence.into_iter();
        let passages = passages.map(|evidence| Passage { pieces: passage(evidence), place: place(evidence) }).collect();
        PairRow { record, probability: format!("{:.2}", record.probability()), passages }
    });
    Some(ArticleCard {
        title: if first.title.trim().is_empty() { &first.id } else { &first.title },
        link: Some(first.url.as_str()).filter(is_web),
        pairs: pairs.collect(),
        first,
    })
}

/// The text of a piece of evidence, with the two names marked.
fn passage(evidence: &EvidenceRecord) -> Vec<Piece> {
    let bytes = |[start, end]: [usize; 2]| -> Option<Range<usize>> {
        let mut places = evidence.text.char_indices().map(|(at, _)| at).chain([evidence.text.len()]);
        let start = start.checked_sub(evidence.start)?;
        let from = places.by_ref().nth(start)?;
        let length = end.checked_sub(start + evidence.start)?;
        Some(from..if length == 0 { from } else { places.nth(length - 1)? })
    };
    let marks = [(Side::State, evidence.state, "state"), (Side::Actor, evidence.actor, "actor")];
    let here = marks.into_iter().filter(|(side, ..)| evidence.in_title != Some(*side));
    let marks: Vec<(Range<usize>, &'static str)> =
        here.filter_map(|(_, at, class)| Some((bytes(at)?, class))).collect();
    pieces(&evidence.text, &marks)
}
