//! Records to what people look at: numbers, charts and pages.

pub mod number;
