//! Readers: what they yield, and what they say about bad input.

mod bad_articles;
mod encodings;
mod fields;
mod formats;
mod labelled;
mod limits;
mod properties;
mod saved;
