//! `detente inspect`: what a model is and what it has learned.

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::json;

use detente::model::Kind;
use detente::{Stance, visible};

use super::models::ModelName;
use super::output::{stdout, table};
use super::{Common, Outcome};

/// Show how a model was made and its strongest features
///
/// Examples:
///   detente inspect
///   detente inspect my.detente --top 30 --format json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The model: `accurate`, `small`, `fast`, or the path of a model file
    #[arg(default_value = "accurate")]
    model: ModelName,
    /// Features to show for each class
    #[arg(long, value_name = "N", default_value_t = 15)]
    top: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common) -> Result<Outcome> {
    let pipeline = args.model.load(common)?;
    let manifest = pipeline.manifest();
    // The n-grams beside an encoder are kept without their names.
    let (n_features, features, encoder) = match pipeline.model().evidence.kind() {
        Kind::Linear(model) => {
            (model.n_features(), Stance::ALL.map(|s| model.strongest_features(s, args.top)).to_vec(), None)
        }
        Kind::Stacked(model) => (model.linear().n_features(), Vec::new(), Some(model)),
        _ => anyhow::bail!("this version cannot look into a model of this kind"),
    };
    let mut out = stdout()?;
    match args.format {
        Format::Json => {
            let named = |(name, weight): &(String, f32)| json!({"feature": name, "weight": weight});
            let features: serde_json::Map<_, _> = Stance::ALL
                .iter()
                .zip(&features)
                .map(|(s, f)| (s.to_string(), f.iter().map(named).collect()))
                .collect();
            serde_json::to_writer_pretty(&mut out, &json!({"manifest": manifest, "features": features}))?;
            writeln!(out)?;
        }
        Format::Table => {
            let [aligned, neutral, opposed] = manifest.labels;
            writeln!(out, "format     {}", manifest.format_version)?;
            writeln!(out, "trained    detente {}, seed {}", visible(&manifest.detente_version), manifest.seed)?;
            writeln!(out, "gazetteer  {}", visible(&manifest.gazetteer_version))?;
            writeln!(out, "rows       {} ({aligned} aligned, {neutral} neutral, {opposed} opposed)", manifest.rows)?;
            writeln!(out, "features   {}", n_features)?;
            if let Some(model) = encoder {
                let (layers, width, pieces) = model.encoder().size();
                let weight = model.stack().linear_weight;
                writeln!(
                    out,
                    "encoder    {layers} layers of {width}, {pieces} word pieces; the n-grams weigh {weight:.2}"
                )?;
            }
            for data in &manifest.data {
                writeln!(
                    out,
                    "data       {} ({} rows, weight {}, SHA-256 {})",
                    visible(&data.name),
                    data.rows,
                    data.weight,
                    visible(&data.sha256)
                )?;
            }
            for warning in &manifest.warnings {
                writeln!(out, "warning    {}", visible(warning))?;
            }
            if let Some(metrics) = manifest.metrics.as_object() {
                for (name, value) in metrics.iter().filter(|(_, v)| v.is_number()) {
                    writeln!(out, "{:<10} {:.4} (out of fold)", visible(name), value.as_f64().unwrap_or(f64::NAN))?;
                }
            }
            for (stance, features) in Stance::ALL.iter().zip(&features) {
                writeln!(out, "\n{stance}")?;
                let mut rows = table(&["WEIGHT", "FEATURE"]);
                rows.add_rows(
                    features.iter().map(|(name, weight)| vec![format!("{weight:+.3}"), visible(name).into_owned()]),
                );
                writeln!(out, "{}", rows.trim_fmt())?;
            }
        }
    }
    Ok(Outcome::Done)
}
