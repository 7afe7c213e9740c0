//! A page as a tree of bounded size.
//!
//! The parser is fed a little at a time, and what it makes is counted as it makes it: a page that nests without end, or
//! that makes the parser open thousands of elements again for each paragraph, is given up before it costs time or memory.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use dom_query::{Document, NodeId};
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, ParseOpts, QualName};

/// The deepest that nodes may be nested; deeper ones would need too much stack and time.
const MAX_DEPTH: u32 = 1_000;
/// The most nodes that a page may have.
const MAX_NODES: usize = 600_000;
/// How many bytes the parser gets before its tree is looked at.
const CHUNK: usize = 512;

/// What a page has too much of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooMuch(pub String);

/// The tree of `page`, as browsers make it.
pub(super) fn parse(page: &str) -> Result<Document, TooMuch> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let mut parser = html5ever::parse_document(Bounded::default(), ParseOpts { tree_builder, ..ParseOpts::default() });
    let mut rest = page;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK));
        parser.process(StrTendril::from(chunk));
        parser.tokenizer.sink.sink.check()?;
        rest = after;
    }
    let bounded = parser.finish();
    bounded.check()?;
    Ok(bounded.document)
}

/// A document that knows how deep its nodes are.
#[derive(Default)]
struct Bounded {
    document: Document,
    /// The depth of each element that was put anywhere, by its number in the order of being made.
    depths: RefCell<rustc_hash::FxHashMap<NodeId, u32>>,
    deepest: Cell<u32>,
}

impl Bounded {
    fn check(&self) -> Result<(), TooMuch> {
        // The parser notes a fault for nearly every byte of some pages; nobody reads them.
        self.document.errors.borrow_mut().clear();
        if self.deepest.get() > MAX_DEPTH {
            return Err(TooMuch(format!("elements nested more than {MAX_DEPTH} deep")));
        }
        if self.document.tree.len() > MAX_NODES {
            return Err(TooMuch(format!("more than {MAX_NODES} elements and pieces of text")));
        }
        Ok(())
    }

    fn depth(&self, node: &NodeId) -> u32 {
        self.depths.borrow().get(node).copied().unwrap_or(0)
    }

    fn put(&self, child: &NodeOrText<NodeId>, depth: u32) {
        if let NodeOrText::AppendNode(node) = child {
            self.depths.borrow_mut().insert(*node, depth);
            self.deepest.set(self.deepest.get().max(depth));
        }
    }
}

impl TreeSink for Bounded {
    type Handle = NodeId;
    type Output = Self;
    type ElemName<'a> = <Document as TreeSink>::ElemName<'a>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.document.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Self::ElemName<'a> {
        self.document.elem_name(target)
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.document.create_element(name, attrs, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.document.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.document.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.put(&child, self.depth(parent) + 1);
        self.document.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.put(&child, self.depth(element).max(self.depth(previous) + 1));
        self.document.append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public_id: StrTendril, system_id: StrTendril) {
        self.document.append_doctype_to_document(name, public_id, system_id);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        let contents = self.document.get_template_contents(target);
        self.put(&NodeOrText::AppendNode(contents), self.depth(target) + 1);
        contents
    }

    fn same_node(&self, x: &NodeId, y: &NodeId) -> bool {
        self.document.same_node(x, y)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.document.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.put(&child, self.depth(sibling));
        self.document.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attrs: Vec<Attribute>) {
        self.document.add_attrs_if_missing(target, attrs);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.document.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.document.reparent_children(node, new_parent);
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &NodeId) -> bool {
        self.document.is_mathml_annotation_xml_integration_point(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_that_of_the_library() {
        let pages = [
            "<!doctype html><title>é🇷</title><p>one<b>two<p>three</b>four<table><tr><td>five<p>six</table>seven",
            "<template><p>x</template><svg><g><text>y</svg><script>'<div>'</script><ul><li>a<li>b",
        ];
        for page in pages.iter().map(|page| page.repeat(60)) {
            let tree = parse(&page).expect("a small page");
            assert_eq!(tree.html(), Document::from(page.as_str()).html());
        }
    }

    #[test]
    fn hostile_pages_are_given_up_soon() {
        let deep = |before: &str, open: &str| format!("{before}{}", open.repeat(100_000));
        for page in [
            deep("", "<div></x>"),
            deep("", "<div><!--</div>-->"),
            deep("<table>", "<div>"),
            deep("<select>", "<div><p><b>"),
            deep("<template>", "<template>"),
            deep("<svg>", "<g>"),
        ] {
            let said = parse(&page).err().unwrap_or_else(|| panic!("{} is not deep", &page[..40])).0;
            assert!(said.contains("1000 deep"), "{said}");
        }
        // Each paragraph opens all of these again.
        let bold: String = (0..900).map(|i| format!("<b id={i}>")).collect();
        let said = parse(&format!("<p>{bold}{}", "<p>x".repeat(100_000))).err().expect("too large").0;
        assert!(said.contains("elements"), "{said}");
    }
}
