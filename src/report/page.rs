//! What all pages share: where they stand, their style, their script, and the policy under which nothing else runs.

use std::io::{self, Write};

use askama::Template;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The style of pages. A page that is a file holds it, a server gives it as `/style.css`.
pub const STYLE: &str = include_str!("../../templates/style.css");
/// Their script; a server gives it as `/page.js`.
pub const SCRIPT: &str = include_str!("../../templates/page.js");

/// Where a page stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// In a file that holds all of it.
    File {
        /// The command that made it; empty where it is not known.
        command: String,
    },
    /// At a server, which gives style and script.
    Served {
        /// HTML that stands above the content: how to ask.
        before: String,
    },
}

impl Default for Frame {
    fn default() -> Self {
        Self::File { command: String::new() }
    }
}

/// A file that this command made.
impl From<String> for Frame {
    fn from(command: String) -> Self {
        Self::File { command }
    }
}

/// A file that this command made.
impl From<&str> for Frame {
    fn from(command: &str) -> Self {
        command.to_owned().into()
    }
}

/// A page, but for its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// What it is about, in a line.
    pub title: String,
    pub frame: Frame,
}

/// A page without content.
#[derive(Template)]
#[template(path = "empty.html")]
struct Empty {
    page: Page,
    /// What is said in place of content.
    lead: String,
}

/// Writes a page that a server gives before it was asked anything, or where there is no answer.
///
/// # Errors
/// Those of `to`.
pub fn write_empty(
    title: impl Into<String>,
    lead: impl Into<String>,
    frame: Frame,
    to: &mut impl Write,
) -> io::Result<()> {
    Empty { page: Page { title: title.into(), frame }, lead: lead.into() }.write_into(to)
}

impl Page {
    /// What stands above the content at a server; `None` in a file.
    pub(super) fn before(&self) -> Option<&str> {
        match &self.frame {
            Frame::Served { before } => Some(before),
            Frame::File { .. } => None,
        }
    }

    /// Where all is that the page leaves out.
    pub(super) fn all(&self) -> &'static str {
        match self.frame {
            Frame::Served { .. } => "What is saved above as CSV, JSONL or JSON has all.",
            Frame::File { .. } => "The flags --format csv and --format json give all.",
        }
    }

    pub(super) fn command(&self) -> &str {
        match &self.frame {
            Frame::File { command } => command,
            Frame::Served { .. } => "",
        }
    }

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
