//! What all pages share: their style, their script, and the policy under which nothing else runs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/style.css");
const SCRIPT: &str = include_str!("../../templates/page.js");

/// The frame of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What it is about, in a line.
    pub title: String,
    /// The command that made it; empty where it is not known.
    pub command: String,
}

impl Page {
    pub(super) fn style(&self) -> &'static str {
        STYLE
    }

    pub(super) fn script(&self) -> &'static str {
        SCRIPT
    }

    pub(super) fn style_hash(&self) -> String {
        hash(STYLE)
    }

    pub(super) fn script_hash(&self) -> String {
        hash(SCRIPT)
    }

    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// As a Content-Security-Policy names what may run.
fn hash(source: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification (Content Security Policy Level 3, section 8.2).
    #[test]
    fn hashes_are_those_of_the_specification() {
        assert_eq!(hash("alert('Hello, world.');"), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }
}
