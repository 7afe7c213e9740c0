//! The evaluation record as tables.

use std::io::Write;

use anyhow::Result;

use detente::Stance;
use detente::evaluate::compare::McNemar;
use detente::evaluate::examine::LeakRecord;
use detente::evaluate::metrics::{METRICS, Metric};
use detente::evaluate::report::{self, Evaluation};

use super::super::output::table;

/// What the model says of its own sureness, and whether it has seen the rows.
fn print_sureness(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    if let Some(a) = &record.answered {
        let right = a.accuracy.map_or_else(String::new, |right| format!(", {right:.3} of them right"));
        writeln!(
            out,
            "\nfrom a probability of {:.3} up, {:.1} % of the rows are answered{right}",
            a.min_prob,
            100.0 * a.coverage
        )?;
    }
    if let Some(c) = &record.conformal {
        let by_class: Vec<String> = c.by_class.iter().map(|(class, share)| format!("{class} {share:.3}")).collect();
        writeln!(
            out,
            "\nsets of stances that should hold the truth for {:.1} % hold it for {:.1} % ({}); {:.1} % are one stance, their \
             mean size is {:.2}",
            100.0 * c.level,
            100.0 * c.coverage,
            by_class.join(", "),
            100.0 * c.single,
            c.mean_size
        )?;
    }
    if let Some(leaks) = record.leaks.as_ref().filter(|leaks| leaks.rows > 0) {
        let without =
            leaks.macro_f1_without.map_or_else(String::new, |f1| format!("; without them macro-F1 is {f1:.3}"));
        writeln!(out, "\nwarning: the model has learnt from the sentences of {} of these rows{without}", leaks.rows)?;
    }
    Ok(())
}

/// The other models beside the first.
fn print_comparisons(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    if record.comparisons.is_empty() {
        return Ok(());
    }
    let header = [
        "MODEL",
        "MACRO F1",
        "DIFFERENCE",
        "95 % INTERVAL",
        "P",
        "P HOLM",
        "ONLY FIRST",
        "ONLY THIS",
        "MCNEMAR P",
        "EFFECT G",
    ];
    let mut rows = table(&header);
    rows.add_row(vec![detente::visible(&record.model.name).into_owned(), format!("{:.3}", record.macro_f1)]);
    for c in &record.comparisons {
        let [low, high] = c.ci95;
        let McNemar { only_first, only_second, p_value, effect } = c.mcnemar;
        rows.add_row(vec![
            detente::visible(&c.model.name).into_owned(),
            format!("{:.3}", c.macro_f1),
            format!("{:+.3}", -c.difference),
            format!("{:+.3} to {:+.3}", -high, -low),
            format!("{:.4}", c.p_value),
            format!("{:.4}", c.p_holm),
            only_second.to_string(),
            only_first.to_string(),
            format!("{p_value:.4}"),
            format!("{:+.2}", -effect),
        ]);
    }
    writeln!(out, "\n{}", rows.trim_fmt())?;
    for c in &record.comparisons {
        writeln!(out, "{}", detente::visible(&c.sentence(&record.model.name)))?;
        let leaked = |leaks: &Option<LeakRecord>| leaks.as_ref().map_or(0, |leaks| leaks.rows);
        for (name, rows) in [(&record.model.name, leaked(&record.leaks)), (&c.model.name, leaked(&c.leaks))] {
            if rows > 0 {
                let name = detente::visible(name);
                writeln!(
                    out,
                    "  but {name} has learnt from the sentences of {rows} of these rows, and is not to be judged by them"
                )?;
            }
        }
    }
    writeln!(
        out,
        "P by approximate randomisation over groups, corrected by Holm's method; ONLY: rows that the one has right and the \
         other not"
    )?;
    Ok(())
}

/// Scores, classes, sureness, other models, and what the score was broken down by.
pub fn print(out: &mut impl Write, record: &Evaluation) -> Result<()> {
    let mut headline = table(&["METRIC", "VALUE", "95 % INTERVAL"]);
    let values = serde_json::to_value(record)?;
    for Metric { name: metric, .. } in METRICS {
        let interval = record.ci95.get(*metric).map_or(String::new(), |[lo, hi]| format!("{lo:.3} to {hi:.3}"));
        let Some(value) = values[*metric].as_f64() else { continue };
        headline.add_row(vec![(*metric).into(), format!("{value:.3}"), interval]);
    }
    writeln!(out, "{} rows, {} of them without both names in the text", record.n, record.missing)?;
    if let Some(right) = record.contrasts_right {
        writeln!(
            out,
            "{} contrasts (one group, state and actor, other labels), {right:.3} all right",
            record.contrasts
        )?;
    }
    writeln!(out)?;
    writeln!(out, "{}\n", headline.trim_fmt())?;
    let mut classes =
        table(&["CLASS", "PRECISION", "RECALL", "F1", "AUC", "AVG PREC", "SUPPORT", "→ aligned", "neutral", "opposed"]);
    for stance in Stance::ALL {
        let class = &record.per_class[&stance];
        let confusion = record.confusion[stance.index()];
        let mut row = vec![stance.to_string()];
        row.extend([class.precision, class.recall, class.f1].map(|v| format!("{v:.3}")));
        let known = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
        row.extend([known(class.roc_auc), known(class.average_precision)]);
        row.push(class.support.to_string());
        row.extend(confusion.map(|n| n.to_string()));
        classes.add_row(row);
    }
    writeln!(out, "{}", classes.trim_fmt())?;
    if !record.selective.is_empty() {
        let mut rows = table(&["ANSWERED", "FROM PROB", "RIGHT", "MACRO F1"]);
        for r in &record.selective {
            let share = format!("{:.0} %", 100.0 * r.coverage);
            rows.add_row(vec![
                share,
                format!("{:.2}", r.min_prob),
                format!("{:.3}", r.accuracy),
                format!("{:.3}", r.macro_f1),
            ]);
        }
        writeln!(out, "\n{}", rows.trim_fmt())?;
    }
    print_sureness(out, record)?;
    print_comparisons(out, record)?;
    for (column, values) in &record.by {
        let title = column.to_uppercase();
        let header = [detente::visible(&title), "N".into(), "MACRO F1".into(), "95 % INTERVAL".into(), "RIGHT".into()];
        let mut rows = table(&header);
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort_by(|a, b| b.1.n.cmp(&a.1.n).then(a.0.cmp(b.0)));
        rows.add_rows(sorted.iter().map(|(v, g)| {
            let small = if g.small { "~" } else { "" };
            vec![
                detente::shortened(v).into_owned(),
                g.n.to_string(),
                format!("{small}{:.3}", g.macro_f1),
                g.ci95.map_or(String::new(), |[low, high]| format!("{low:.3} to {high:.3}")),
                format!("{:.3}", g.accuracy),
            ]
        }));
        writeln!(out, "\n{}", rows.trim_fmt())?;
        if values.values().any(|g| g.small) {
            writeln!(out, "~ fewer than {} rows: says little", report::SMALL)?;
        }
    }
    Ok(())
}
