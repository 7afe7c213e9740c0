//! Records to what people look at: numbers, charts and pages.
//!
//! A page is one file that holds its style, its script and all that it shows. Whatever comes of an article is escaped, and
//! a Content-Security-Policy keeps anything but the page's own script from running and anything from being fetched.

pub mod chart;
mod evaluation;
mod map;
mod marked;
pub mod number;
mod page;
mod prediction;
mod switch;
mod trend;
mod world;

pub use evaluation::{ERRORS, EvaluationNotes, write_evaluation};
pub use page::{Frame, SCRIPT, STYLE, write_empty};
pub use prediction::PredictionPage;
pub use trend::{TrendNotes, write_trend};

use serde::Serialize;

/// JSON that can stand within a script element.
fn for_script(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_else(|_| "{}".into()).replace('<', "\\u003c")
}

/// A number and what it counts.
fn plural(count: usize, what: &str) -> String {
    format!("{} {what}{}", number::count(count), if count == 1 || what.ends_with('s') { "" } else { "s" })
}
