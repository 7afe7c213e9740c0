//! Which part of a page is its article, and what it says.

use super::tree::{BLOCKS, Id, Tree};

/// A part that holds this share of the running text of the whole holds the article.
const MOST: f64 = 0.8;

/// The paragraphs of the article, divided by blank lines.
pub(super) fn text(tree: &Tree) -> String {
    if tree.nodes.is_empty() {
        return String::new();
    }
    let (leads, article) = article(tree);
    let mut out = Rendered::default();
    leads.into_iter().chain([article]).for_each(|id| {
        out.node(tree, id);
        out.wait(Pending::Block);
    });
    out.finish()
}

/// The element that holds the article: from the body down as long as one child holds most of the running text. And first lines
/// that stand beside it on the way.
fn article(tree: &Tree) -> (Vec<Id>, Id) {
    let prose = prose(tree);
    let mut leads = Vec::new();
    let mut at = 0;
    loop {
        let Some(best) = tree.children(at).max_by_key(|&child| prose[child]).filter(|&child| prose[child] > 0) else {
            return (leads, at);
        };
        let node = &tree.nodes[best];
        // A list or a paragraph is less than an article.
        if (prose[best] as f64) < MOST * prose[at] as f64
            || node.is(&["p", "ul", "ol", "li", "blockquote", "table", "dl", "span"])
        {
            // Several whole articles, each with its own headline: the first is the page's.
            return (leads, first_of_several(tree, at, &prose).unwrap_or(at));
        }
        leads.extend(leads_of(tree, at, best, &prose));
        at = best;
    }
}

/// An article's first lines where they stand before the child that holds most of it: paragraphs of an element that is the
/// article, as before a wall, and sentences below the headline.
fn leads_of(tree: &Tree, at: Id, best: Id, prose: &[usize]) -> Vec<Id> {
    let is_h1 = |id: &Id| tree.nodes[*id].name == "h1";
    let is_article = tree.nodes[at].is(&["article", "main"]) || tree.children(at).any(|child| is_h1(&child));
    let is_lead = |&id: &Id| {
        let node = &tree.nodes[id];
        let line = !node.gone && node.is(&["p", "div", "h2"]) && !tree.children(id).any(|c| tree.nodes[c].is(&BLOCKS));
        line && prose[id] > 0
            && node.link_density() < 0.3
            && tree.flat_text(id).trim_end().ends_with(['.', '!', '?', '"', '”', '…'])
    };
    let mut leads = Vec::new();
    for child in tree.children(at).take_while(|&child| child != best) {
        if is_article && tree.nodes[child].name == "p" {
            leads.extend(Some(child).filter(is_lead));
        } else if prose[child] > 0 {
            let below = tree.below(child);
            if let Some(headline) = below.iter().position(is_h1) {
                leads.extend(below[headline..].iter().copied().filter(is_lead));
            }
        }
    }
    leads
}

/// The first of at least two articles that have a main headline each.
fn first_of_several(tree: &Tree, at: Id, prose: &[usize]) -> Option<Id> {
    let has_headline = |&id: &Id| tree.below(id).iter().any(|&below| tree.nodes[below].name == "h1");
    let articles: Vec<Id> = tree
        .children(at)
        .filter(|&child| !tree.nodes[child].is_text() && prose[child] > 400)
        .filter(has_headline)
        .collect();
    (articles.len() >= 2).then(|| articles[0])
}

/// For each element the characters of running text below it: those of blocks that are more than a line, but for links.
fn prose(tree: &Tree) -> Vec<usize> {
    const LINE: usize = 40;
    let mut prose = vec![0; tree.nodes.len()];
    // Of an element that is no block: text, and links in it, of the line that it belongs to.
    let mut inline = vec![(0, 0); tree.nodes.len()];
    for id in (0..tree.nodes.len()).rev() {
        let node = &tree.nodes[id];
        if node.gone {
            continue;
        }
        if node.is_text() {
            inline[id] = (node.length, 0);
            continue;
        }
        let (mut length, mut linked, mut below) = (0, 0, 0);
        for child in tree.children(id) {
            length += inline[child].0;
            linked += inline[child].1;
            below += prose[child];
        }
        if node.name == "a" {
            linked = length;
        }
        if node.is(&BLOCKS) || below > 0 {
            prose[id] = below + if length >= LINE { length - linked / 2 } else { 0 };
        } else {
            inline[id] = (length, linked);
        }
    }
    prose
}

/// The text below an element: blocks divided by blank lines, words by single spaces.
pub(super) fn render(tree: &Tree, id: Id) -> String {
    let mut out = Rendered::default();
    out.node(tree, id);
    out.finish()
}

#[derive(Default)]
struct Rendered {
    text: String,
    /// White space, a line's end, or a block's end that stands before the next word.
    pending: Pending,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pending {
    #[default]
    Nothing,
    Space,
    Line,
    Block,
}

impl Rendered {
    fn node(&mut self, tree: &Tree, id: Id) {
        let node = &tree.nodes[id];
        if node.gone {
            return;
        }
        if node.is_text() {
            return self.words(&node.text);
        }
        match node.name.as_str() {
            "br" => return self.wait(if self.pending >= Pending::Line { Pending::Block } else { Pending::Line }),
            // "Oman2": the mark of a note is no part of the word.
            "sup" | "sub" if node.length <= 12 && node.size <= 20 && is_note(&tree.flat_text(id)) => return,
            _ => {}
        }
        let block = node.is(&BLOCKS);
        if block {
            self.wait(Pending::Block);
        }
        for child in tree.children(id) {
            self.node(tree, child);
        }
        if block {
            self.wait(Pending::Block);
        }
    }

    fn wait(&mut self, what: Pending) {
        self.pending = self.pending.max(what);
    }

    fn words(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                self.wait(Pending::Space);
                continue;
            }
            // Marks of where a word may be divided.
            if matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') {
                continue;
            }
            if !self.text.is_empty() {
                self.text.push_str(match self.pending {
                    Pending::Nothing => "",
                    Pending::Space => " ",
                    Pending::Line => "\n",
                    Pending::Block => "\n\n",
                });
            }
            self.pending = Pending::Nothing;
            self.text.push(if c == '\u{2011}' { '-' } else { c });
        }
    }

    fn finish(self) -> String {
        self.text
    }
}

/// "2", "[3]", "*", "†".
fn is_note(text: &str) -> bool {
    let inner = text.trim_matches(|c: char| matches!(c, '[' | ']' | '(' | ')' | ',' | ' '));
    !text.is_empty()
        && inner.chars().count() <= 3
        && inner.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '†' | '‡' | ',' | '–'))
}
