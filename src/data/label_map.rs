//! What the labels of a file stand for.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::{Error, Result, Stance};

/// Which stance a label stands for; case and white space around it do not matter.
///
/// `aligned`, `neutral` and `opposed` stand for themselves unless they are mapped to something else.
///
/// ```
/// use detente::{LabelMap, Stance};
/// let map: LabelMap = "pro=aligned, con=opposed".parse()?;
/// assert_eq!(map.stance("Pro"), Some(Stance::Aligned));
/// assert_eq!(map.stance("neutral"), Some(Stance::Neutral));
/// assert_eq!(map.stance("against"), None);
/// # Ok::<(), detente::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMap {
    stances: BTreeMap<String, Stance>,
}

impl Default for LabelMap {
    fn default() -> Self {
        Self { stances: Stance::ALL.into_iter().map(|stance| (stance.as_str().to_owned(), stance)).collect() }
    }
}

impl LabelMap {
    /// Lets `label` stand for `stance`.
    pub fn insert(&mut self, label: &str, stance: Stance) {
        self.stances.insert(label.trim().to_lowercase(), stance);
    }

    /// The stance that `label` stands for.
    pub fn stance(&self, label: &str) -> Option<Stance> {
        self.stances.get(&label.trim().to_lowercase()).copied()
    }

    /// What a label should have been, to be said of one that stands for nothing.
    pub(crate) fn expected(&self) -> String {
        let known: Vec<&str> = self.labels().collect();
        format!("one of {}, or a label that `--label-map THEIRS=OURS` maps to one", known.join(", "))
    }

    /// The labels that it knows, sorted.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.stances.keys().map(String::as_str)
    }
}

impl FromStr for LabelMap {
    type Err = Error;

    fn from_str(list: &str) -> Result<Self> {
        let mut map = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let wrong = || Error::Parameter {
                name: "label-map",
                found: format!("`{entry}`"),
                expected: "LABEL=STANCE,…, each STANCE one of aligned, neutral, opposed",
            };
            let (label, stance) = entry.rsplit_once('=').ok_or_else(wrong)?;
            if label.trim().is_empty() {
                return Err(wrong());
            }
            map.insert(label, stance.parse().map_err(|_| wrong())?);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_maps_are_checked() {
        assert_eq!("x=neutral".parse::<LabelMap>().ok().and_then(|map| map.stance(" X ")), Some(Stance::Neutral));
        for wrong in ["pro", "pro=", "=aligned", "pro=friendly"] {
            assert!(wrong.parse::<LabelMap>().unwrap_err().to_string().contains("label-map"), "{wrong}");
        }
    }
}
