//! Who moved most, as a table, CSV or JSON.

use std::io::Write;

use anyhow::Result;

use detente::report::number::signed;
use detente::trend::rank::{Move, Ranking};
use detente::trend::{Estimate, FEW};

use super::super::output::{shorten, table};

/// Moves that are shown.
const SHOWN: usize = 25;

/// The largest moves.
pub fn table_of(ranking: &Ranking, sink: &mut impl Write) -> Result<()> {
    let Ranking { from, to, moves, few, .. } = ranking;
    if moves.is_empty() {
        writeln!(sink, "no pair has {FEW} articles in {from} and {FEW} in {to}")?;
        return Ok(());
    }
    let (before, after) = (from.to_string(), to.to_string());
    let several = moves.iter().any(|each| each.actor_code != moves[0].actor_code);
    let mut rows = table(&["STATE", "ARTICLES", &before, &after, "CHANGE", "95 %"]);
    for each in moves.iter().take(SHOWN) {
        let actor = if several { format!(" → {}", each.actor) } else { String::new() };
        rows.add_row([
            shorten(&format!("{}{actor}", each.state), 32),
            format!("{}, {}", each.articles[0], each.articles[1]),
            signed(each.before.value),
            signed(each.after.value),
            format!("{}{}", signed(each.change.value), if each.clear { "*" } else { "" }),
            format!("{} to {}", signed(each.change.low), signed(each.change.high)),
        ]);
    }
    writeln!(sink, "{}", rows.trim_fmt())?;
    let clear = moves.iter().filter(|each| each.clear).count();
    writeln!(sink, "* {clear} of {} moves are clear at 5 %, corrected for their number", moves.len())?;
    let more = moves.len().saturating_sub(SHOWN);
    if more > 0 {
        writeln!(sink, "{more} smaller ones are not shown; --format csv has all")?;
    }
    if *few > 0 {
        writeln!(sink, "{few} pairs have fewer than {FEW} articles in one of the two, and are left out")?;
    }
    Ok(())
}

const COLUMNS: [&str; 17] = [
    "state",
    "state_code",
    "actor",
    "actor_code",
    "articles_before",
    "articles_after",
    "before",
    "before_low",
    "before_high",
    "after",
    "after_low",
    "after_high",
    "change",
    "change_low",
    "change_high",
    "p_holm",
    "clear",
];

/// A row for each move.
pub fn csv_rows(ranking: &Ranking, sink: &mut impl Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(sink);
    writer.write_record(COLUMNS)?;
    for each in &ranking.moves {
        let Move { state, state_code, actor, actor_code, articles, before, after, change, p_holm, clear, .. } = each;
        let ends = |Estimate { value, low, high }: &Estimate| [value, low, high].map(f64::to_string);
        let whose = [state, state_code, actor, actor_code].into_iter().cloned();
        let row =
            whose.chain(articles.map(|n| n.to_string())).chain([before, after, change].into_iter().flat_map(ends));
        writer.write_record(row.chain([p_holm.to_string(), clear.to_string()]))?;
    }
    writer.flush()?;
    Ok(())
}
