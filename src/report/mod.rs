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
mod trend;
mod world;

pub use evaluation::{EvaluationNotes, write_evaluation};
pub use trend::{TrendNotes, write_trend};
