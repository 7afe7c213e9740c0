//! A page as a list of nodes with what the search for its article asks of them.

use dom_query::{Document, NodeRef};

/// The index of a node.
pub(super) type Id = usize;

/// An element, or a piece of text.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The name of the element in small letters; empty for text.
    pub name: String,
    pub text: String,
    pub children: Vec<Id>,
    /// Class names and id.
    pub class: String,
    pub href: String,
    /// Whether the page says that it is not shown, or not part of what is read.
    pub hidden: bool,
    /// Whether it was found to be no part of the article.
    pub gone: bool,
    /// The characters of all text below, and those of it that are links.
    pub length: usize,
    pub linked: usize,
    /// Whether something below asks for input: a button or a field.
    pub interactive: bool,
    /// Whether there is a picture below.
    pub pictured: bool,
    /// How many nodes are below.
    pub size: usize,
    /// Whether it stands within a link.
    pub in_link: bool,
}

impl Node {
    pub fn is_text(&self) -> bool {
        self.name.is_empty()
    }

    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// The share of its text that is links.
    pub fn link_density(&self) -> f64 {
        if self.length == 0 { 0.0 } else { self.linked as f64 / self.length as f64 }
    }
}

/// All nodes of a page's body in the order of the page; the first is the body.
#[derive(Debug)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
}

/// Elements that begin a line of their own.
pub(super) const BLOCKS: [&str; 42] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "ul",
    "caption",
];

/// Elements whose text nobody reads.
const UNREAD: [&str; 36] = [
    "script",
    "style",
    "template",
    "noscript",
    "svg",
    "math",
    "iframe",
    "object",
    "embed",
    "video",
    "audio",
    "canvas",
    "map",
    "button",
    "select",
    "input",
    "textarea",
    "datalist",
    "head",
    "title",
    "img",
    "picture",
    "amp-ad",
    "amp-embed",
    "amp-sidebar",
    "amp-consent",
    "amp-social-share",
    "amp-img",
    "amp-list",
    "amp-twitter",
    "amp-instagram",
    "amp-facebook",
    "amp-iframe",
    "amp-carousel",
    "amp-youtube",
    "amp-video",
];

impl Tree {
    /// The body of a page.
    pub fn new(page: &Document) -> Self {
        let mut tree = Self { nodes: Vec::new() };
        // Frames of a page without a body have no text.
        if let Some(body) = page.body() {
            tree.add(&body);
        }
        tree.measure();
        tree
    }

    fn add(&mut self, root: &NodeRef<'_>) {
        let mut open: Vec<(NodeRef<'_>, Option<Id>)> = vec![(*root, None)];
        while let Some((node, parent)) = open.pop() {
            let id = self.nodes.len();
            let made = if node.is_text() {
                Node { text: node.text().to_string(), ..Node::default() }
            } else if let Some(name) = node.node_name() {
                element(&node, &name.to_ascii_lowercase())
            } else {
                continue;
            };
            if made.is(&UNREAD) {
                if let Some(parent) = parent {
                    self.nodes[parent].interactive |= made.is(&["button", "input", "select", "textarea"]);
                    self.nodes[parent].pictured |=
                        made.is(&["img", "picture", "amp-img", "svg", "video", "amp-video", "iframe"]);
                }
                continue;
            }
            let in_link = parent.is_some_and(|parent| self.nodes[parent].in_link || self.nodes[parent].name == "a");
            self.nodes.push(Node { in_link, ..made });
            if let Some(parent) = parent {
                self.nodes[parent].children.push(id);
            }
            // The last is taken first.
            open.extend(node.children_it(true).map(|child| (child, Some(id))));
        }
    }

    /// Counts characters and links anew, without what is gone.
    pub fn measure(&mut self) {
        for id in (0..self.nodes.len()).rev() {
            let node = &self.nodes[id];
            let (mut length, mut linked, mut size) = (0, 0, 0);
            let (mut interactive, mut pictured) = (node.interactive, node.pictured);
            if node.is_text() {
                length = node.text.split_whitespace().map(|word| word.chars().count() + 1).sum();
            } else {
                for child in node.children.iter().map(|&child| &self.nodes[child]).filter(|child| !child.gone) {
                    length += child.length;
                    linked += child.linked;
                    size += child.size + 1;
                    interactive |= child.interactive;
                    pictured |= child.pictured;
                }
                if node.name == "a" {
                    linked = length;
                }
            }
            let node = &mut self.nodes[id];
            node.size = size;
            (node.length, node.linked, node.interactive, node.pictured) = (length, linked, interactive, pictured);
        }
    }

    /// The children that are left.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        self.nodes[id].children.iter().copied().filter(|&child| !self.nodes[child].gone)
    }

    /// `id` and all below it that is left, in the order of the page.
    pub fn below(&self, id: Id) -> Vec<Id> {
        let mut all = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            all.push(id);
            let first = open.len();
            open.extend(self.children(id));
            open[first..].reverse();
        }
        all
    }

    /// The text below, words divided by single spaces.
    pub fn flat_text(&self, id: Id) -> String {
        let mut text = String::new();
        for id in self.below(id) {
            let node = &self.nodes[id];
            if node.is_text() {
                text.push_str(&node.text);
            } else if node.is(&BLOCKS) || node.name == "br" {
                text.push(' ');
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn element(node: &NodeRef<'_>, name: &str) -> Node {
    let written = |name: &str| node.attr(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let attribute = |name: &str| written(name).to_lowercase();
    let style: String = attribute("style").split_whitespace().collect();
    let role = attribute("role");
    let hidden = node.has_attr("hidden")
        || attribute("aria-hidden") == "true"
        || attribute("aria-modal") == "true"
        || style.contains("display:none")
        || style.contains("visibility:hidden")
        || [
            "navigation",
            "dialog",
            "alertdialog",
            "complementary",
            "contentinfo",
            "search",
            "menu",
            "menubar",
            "toolbar",
            "doc-endnotes",
            "banner",
        ]
        .contains(&role.as_str());
    Node {
        name: name.to_owned(),
        class: format!("{} {}", written("class"), written("id")).trim().to_owned(),
        href: written("href"),
        hidden,
        ..Node::default()
    }
}
