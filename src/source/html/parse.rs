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
/// The most attributes of an element.
const MAX_ATTRIBUTES: usize = 2_000;
/// How many bytes the parser gets before its tree is looked at.
const CHUNK: usize = 512;

/// What a page has too much of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooMuch(pub String);

/// The tree of `page`, as browsers make it; of one that is too deep or too large, what stands before that place, and what
/// there is too much of.
pub(super) fn parse(page: &str) -> Result<(Document, Option<TooMuch>), TooMuch> {
    check_tags(page)?;
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let mut parser = html5ever::parse_document(Bounded::default(), ParseOpts { tree_builder, ..ParseOpts::default() });
    let mut rest = page;
    let mut too_much = None;
    while !rest.is_empty() && too_much.is_none() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK));
        parser.process(StrTendril::from(chunk));
        too_much = parser.tokenizer.sink.sink.check().err();
        rest = after;
    }
    let bounded = parser.finish();
    Ok((bounded.document, too_much))
}

/// Refuses a tag of very many attributes, each of which the parser compares with all before it.
fn check_tags(page: &str) -> Result<(), TooMuch> {
    const RAW: [&str; 8] = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];
    let bytes = page.as_bytes();
    let (mut at, mut foreign) = (0, false);
    while let Some(open) = memchr::memchr(b'<', &bytes[at..]).map(|found| at + found) {
        at = open + 1;
        if bytes[at..].starts_with(b"!--") {
            at = memchr::memmem::find(&bytes[at..], b"-->").map_or(bytes.len(), |found| at + found);
            continue;
        }
        let closing = bytes.get(at) == Some(&b'/');
        let start = at + usize::from(closing);
        let name = &bytes[start..start + bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric()).count()];
        if !name.first().is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let Some(end) = tag_end(&bytes[start..])? else { return Ok(()) };
        at = start + end;
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        foreign |= is("svg") || is("math");
        // In an SVG a script is an element like others.
        if !closing && !foreign && RAW.into_iter().any(is) {
            let ends =
                |found: &usize| bytes[found + 2..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name));
            let end = memchr::memmem::find_iter(&bytes[at..], b"</").map(|found| at + found).find(ends);
            at = end.unwrap_or(bytes.len());
        }
    }
    Ok(())
}

/// Where the tag that `bytes` begins with ends; `None` if it never does.
fn tag_end(bytes: &[u8]) -> Result<Option<usize>, TooMuch> {
    let (mut attributes, mut inside, mut equals, mut quote) = (0, false, false, None);
    for (at, &byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) => quote = (byte != open).then_some(open),
            (None, b'>') => return Ok(Some(at + 1)),
            (None, b'"' | b'\'') if equals => (quote, inside, equals) = (Some(byte), false, false),
            (None, b'=') => equals = true,
            (None, b'/') => inside = false,
            (None, _) if byte.is_ascii_whitespace() => inside = false,
            (None, _) => {
                attributes += usize::from(!inside && !equals);
                (inside, equals) = (true, false);
            }
        }
        if attributes > MAX_ATTRIBUTES {
            return Err(too_many_attributes());
        }
    }
    Ok(None)
}

fn too_many_attributes() -> TooMuch {
    TooMuch(format!("an element of more than {MAX_ATTRIBUTES} attributes"))
}

/// A document that knows how deep its nodes are.
#[derive(Default)]
struct Bounded {
    document: Document,
    /// The depth of each element that was put anywhere.
    depths: RefCell<rustc_hash::FxHashMap<NodeId, u32>>,
    deepest: Cell<u32>,
    /// How many attributes came with repeated tags of one element, such as a second `<body>`.
    added: Cell<usize>,
}

impl Bounded {
    fn check(&self) -> Result<(), TooMuch> {
        if self.added.get() > MAX_ATTRIBUTES {
            return Err(too_many_attributes());
        }
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

    /// Dropped: some pages have one for nearly every byte, and nobody reads them.
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
        self.added.set(self.added.get() + attrs.len());
        if self.added.get() <= MAX_ATTRIBUTES {
            self.document.add_attrs_if_missing(target, attrs);
        }
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
            let (tree, too_much) = parse(&page).expect("a small page");
            assert_eq!(too_much, None);
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
            let (_, said) = parse(&page).expect("few attributes");
            let said = said.unwrap_or_else(|| panic!("{} is not deep", &page[..40])).0;
            assert!(said.contains("1000 deep"), "{said}");
        }
        let attributes: String = (0..50_000).map(|i| format!(" a{i}=1")).collect();
        let repeated: String = (0..50_000).map(|i| format!("<body a{i}>")).collect();
        for page in [format!("<div{attributes}>"), format!("</p{attributes}"), format!("<svg{attributes}>x"), repeated]
        {
            let found = parse(&page).map_or_else(Some, |(_, too_much)| too_much);
            assert!(found.is_some_and(|found| found.0.contains("attributes")), "{}", &page[..40]);
        }
        assert!(parse(&format!("<script>if (a<b {attributes})</script><p>x")).is_ok());
        // Each paragraph opens all of these again.
        let bold: String = (0..900).map(|i| format!("<b id={i}>")).collect();
        let (_, said) = parse(&format!("<p>{bold}{}", "<p>x".repeat(100_000))).expect("few attributes");
        let said = said.expect("too large").0;
        assert!(said.contains("elements"), "{said}");
    }
}
