//! Writes held-out rows as CSV with how many rows of a recipe name the state, the actor, and the two together: what
//! `evaluate --by state_known,actor_known,pair_known` breaks a score down by, for models that cannot be trained again at once.
//!
//! `cargo run --release --example novelty -- RECIPE HELD_OUT… > rows.csv`

use std::collections::HashMap;
use std::path::PathBuf;

use detente::LabelMap;
use detente::gazetteer::{EntryId, Gazetteer};
use detente::source::ignore_warnings;
use detente::train::Recipe;

/// The columns of the held-out files that are kept, where they have them.
const KEPT: [&str; 11] =
    ["id", "title", "text", "state", "actor", "label", "state_start", "state_end", "actor_start", "actor_end", "group"];
const ADDED: [&str; 3] = ["state_known", "actor_known", "pair_known"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let recipe = paths.next().ok_or("usage: novelty RECIPE HELD_OUT…")?;
    let rows = Recipe::read(&recipe)?.rows(&LabelMap::default(), None, &ignore_warnings())?;
    let gazetteer = Gazetteer::embedded();
    let mut named: HashMap<Who, usize> = HashMap::new();
    for pair in rows.data.iter().flat_map(|dataset| &dataset.pairs) {
        for who in who(gazetteer, &pair.state, &pair.actor) {
            *named.entry(who).or_default() += 1;
        }
    }
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    writer.write_record(KEPT.iter().chain(&ADDED))?;
    for path in paths {
        let mut reader = csv::Reader::from_path(&path)?;
        let header = reader.headers()?.clone();
        let columns = KEPT.map(|name| header.iter().position(|column| column == name));
        for row in reader.records() {
            let row = row?;
            let cells = columns.map(|column| column.and_then(|at| row.get(at)).unwrap_or_default());
            let known = who(gazetteer, cells[3], cells[4]).map(|who| range(named.get(&who).copied().unwrap_or(0)));
            writer.write_record(cells.iter().chain(&known))?;
        }
    }
    Ok(writer.flush()?)
}

/// What rows are counted by; names that the gazetteer lacks are `None`.
#[derive(PartialEq, Eq, Hash)]
enum Who {
    State(Option<EntryId>),
    Actor(Option<EntryId>),
    Pair(Option<EntryId>, Option<EntryId>),
}

fn who(gazetteer: &Gazetteer, state: &str, actor: &str) -> [Who; 3] {
    let [state, actor] = [state, actor].map(|name| gazetteer.find(name));
    [Who::State(state), Who::Actor(actor), Who::Pair(state, actor)]
}

fn range(rows: usize) -> &'static str {
    match rows {
        0 => "never",
        1..10 => "1 to 9",
        10..100 => "10 to 99",
        100..1_000 => "100 to 999",
        _ => "1000 and more",
    }
}
