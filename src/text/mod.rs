//! From an article's text to the parts of it that can be evidence.
//!
//! [`clean`] finds the paragraphs that are the article's own; [`sentences`] divides them; [`tokenize`] divides those.
//! [`characters`] turns byte offsets
//! into those of files. All only point into the text: nothing is changed, so every offset stays an offset into what was read.

pub mod characters;
pub mod clean;
pub mod sentences;
mod shapes;
pub mod tokenize;

use rustc_hash::FxHashMap;

/// The sections of a word list: `[name]` opens one, `#` a comment; `split` divides a line into its entries.
///
/// Only the files that are compiled in are read by this.
pub(crate) fn word_lists<'a>(
    file: &'a str,
    split: impl Fn(&'a str) -> Vec<&'a str>,
) -> FxHashMap<&'a str, Vec<&'a str>> {
    let mut lists: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut section = "";
    for line in file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => section = name,
            None => lists.entry(section).or_default().extend(split(line)),
        }
    }
    lists
}
