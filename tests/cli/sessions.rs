//! Sessions with the program: what is typed and what it answers.
//!
//! Each file of `tests/cmd` is one case or a few. A figure that every training changes is left out with `[..]`, and
//! lines with `...`.

use std::path::Path;

#[test]
fn sessions() {
    let cases = trycmd::TestCases::new();
    // The width of the terminal decides where evidence is cut.
    cases.env("COLUMNS", "100").env("NO_COLOR", "1");
    cases.case("tests/cmd/*.toml").case("tests/cmd/*.md");
    cases.case("docs/walkthrough.md");
    // The README's sessions are tested as soon as it has some.
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    if readme.is_ok_and(|text| ["```console", "```trycmd"].iter().any(|fence| text.contains(fence))) {
        cases.case("README.md");
    }
}
