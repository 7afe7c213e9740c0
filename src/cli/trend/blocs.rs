//! Who stands with whom, as a table, CSV or JSON.

use std::io::Write;

use anyhow::Result;

use detente::report::number::{percent, signed};
use detente::trend::FEW;
use detente::trend::blocs::{Bloc, Blocs, Member};

use super::super::output::{shorten, width};

/// Each bloc, how stable it is, and who is of it.
pub fn table_of(found: &Blocs, sink: &mut impl Write) -> Result<()> {
    let Blocs { span, actors, blocs, silhouette, few, .. } = found;
    if blocs.is_empty() {
        writeln!(
            sink,
            "fewer than three states can be compared in {span}: {FEW} articles must tell their stance toward more than half of the actors"
        )?;
        return Ok(());
    }
    let structure = match silhouette {
        0.5.. => "a clear division",
        0.25.. => "a weak division",
        _ => "next to no division",
    };
    writeln!(sink, "{span}: {} blocs, {structure} (silhouette {silhouette:.2})", blocs.len())?;
    for Bloc { stability, toward, members, .. } in blocs {
        let net =
            |(actor, net): (&String, &Option<f64>)| net.map(|net| format!("{} {}", shorten(actor, 30), signed(net)));
        let toward: Vec<String> = actors.iter().zip(toward).filter_map(net).collect();
        let alone = if members.len() == 1 { ", alone" } else { "" };
        let doubt = if *stability < 0.6 { ": not to be trusted" } else { "" };
        writeln!(sink, "\ntoward {}; stability {stability:.2}{doubt}{alone}", toward.join(", "))?;
        let names: Vec<String> = members.iter().map(|m| format!("{} {}", m.state, percent(m.stays))).collect();
        for line in wrapped(&names, width()) {
            writeln!(sink, "  {line}")?;
        }
    }
    writeln!(sink, "\n% of the bootstrap draws in which a state stays with the others of its bloc")?;
    if *few > 0 {
        writeln!(sink, "{few} states are told of in too few articles, and are left out")?;
    }
    Ok(())
}

/// Names in lines that fit.
fn wrapped(names: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (at, name) in names.iter().enumerate() {
        let name = format!("{}{}", shorten(name, 60), if at + 1 < names.len() { "," } else { "" });
        let line = lines.last_mut().expect("there is always one");
        if line.is_empty() {
            *line = name;
        } else if line.chars().count() + 1 + name.chars().count() > width.saturating_sub(2) {
            lines.push(name);
        } else {
            line.push(' ');
            line.push_str(&name);
        }
    }
    lines
}

/// A row for each state, with a column for each actor.
pub fn csv_rows(found: &Blocs, sink: &mut impl Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(sink);
    let toward = found.actors.iter().map(|actor| format!("toward_{actor}"));
    let columns = ["bloc", "stability", "state", "state_code", "articles", "stays"].map(str::to_owned);
    writer.write_record(columns.into_iter().chain(toward))?;
    for (number, bloc) in found.blocs.iter().enumerate() {
        for Member { state, state_code, articles, toward, stays, .. } in &bloc.members {
            let of_bloc = [(number + 1).to_string(), bloc.stability.to_string()];
            let of_state = [state.clone(), state_code.clone(), articles.to_string(), stays.to_string()];
            let toward = toward.iter().map(|net| net.map(|net| net.to_string()).unwrap_or_default());
            writer.write_record(of_bloc.into_iter().chain(of_state).chain(toward))?;
        }
    }
    writer.flush()?;
    Ok(())
}
