//! What a page has besides its article, told by structure: by links, forms, place and length. A class name is a hint about
//! a container, and never enough.

use rustc_hash::FxHashSet;

use super::tree::{Id, Node, Tree};

/// An element that holds more of the page's text than this share is never taken out: some pages wrap all in a form.
const LARGE_SHARE: f64 = 0.4;

/// Names of what stands around articles, as words of a class name or id.
const FURNITURE: [&str; 64] = [
    "ad",
    "ads",
    "advert",
    "advertisement",
    "advertising",
    "adslot",
    "also",
    "author",
    "banner",
    "bio",
    "breadcrumb",
    "breadcrumbs",
    "byline",
    "callout",
    "caption",
    "card",
    "comment",
    "comments",
    "consent",
    "cookie",
    "cookies",
    "credit",
    "cta",
    "disqus",
    "dock",
    "donate",
    "embed",
    "follow",
    "footer",
    "gallery",
    "gdpr",
    "inline",
    "interstitial",
    "login",
    "meta",
    "modal",
    "more",
    "most",
    "nav",
    "newsletter",
    "optin",
    "outbrain",
    "paywall",
    "popular",
    "popup",
    "promo",
    "read",
    "recommend",
    "recommended",
    "related",
    "respond",
    "rail",
    "share",
    "sharing",
    "sidebar",
    "signup",
    "social",
    "sponsor",
    "sponsored",
    "subscribe",
    "subscription",
    "taboola",
    "teaser",
    "widget",
];

/// Names of what readers write.
const REMARKS: [&str; 18] = [
    "comment",
    "comments",
    "comentario",
    "comentarios",
    "commentaire",
    "commentaires",
    "discussion",
    "disqus",
    "kommentar",
    "kommentare",
    "letter",
    "letters",
    "remark",
    "remarks",
    "replies",
    "reply",
    "respond",
    "responses",
];

/// What other sites' posts are called where they are shown.
const EMBEDDED: [&str; 7] =
    ["twitter-tweet", "twitter-video", "instagram-media", "tiktok-embed", "fb-post", "bluesky-embed", "mastodon-embed"];

/// Whether a class name or id has one of these words: "relatedBox", "box--related".
fn has_word(class: &str, words: &[&str]) -> bool {
    let is_new = |before: char, c: char| !c.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase());
    let mut from = 0;
    let mut last = ' ';
    for (at, c) in class.char_indices().chain([(class.len(), ' ')]) {
        if is_new(last, c) {
            if words.contains(&class[from..at].to_lowercase().as_str()) {
                return true;
            }
            from = if c.is_alphanumeric() { at } else { at + c.len_utf8() };
        }
        last = c;
    }
    false
}

/// Takes pictures out, with what is said of them.
pub(super) fn prune_figures(tree: &mut Tree) {
    if !tree.nodes.is_empty() {
        take_out(tree, figures);
    }
}

/// Takes out what is no part of the article, and gives how many other articles there were.
pub(super) fn prune(tree: &mut Tree) -> usize {
    if tree.nodes.is_empty() {
        return 0;
    }
    take_out(tree, never);
    take_out(tree, figures);
    around(tree);
    let before = gone(tree);
    take_out(tree, teasers);
    let others = gone(tree) - before;
    take_out(tree, linked);
    take_out(tree, captions);
    take_out(tree, named);
    take_out(tree, remarks);
    columns(tree);
    others
}

fn gone(tree: &Tree) -> usize {
    tree.nodes.iter().filter(|node| node.gone).count()
}

/// Takes out every element, the outer ones first, that `is` names, unless it holds a large share of the page.
fn take_out(tree: &mut Tree, is: fn(&Tree, Id) -> bool) {
    let all = tree.nodes[0].length as f64;
    let mut open = vec![0];
    while let Some(id) = open.pop() {
        let node = &tree.nodes[id];
        if node.is_text() || node.gone {
            continue;
        }
        // What surrounds an article is small; looking at nothing else keeps hostile pages cheap.
        const SMALL: usize = 20_000;
        let structural = node.is(&["body", "main"]) || id == 0 || node.size > SMALL;
        // Nobody puts an article into a menu or a footer.
        let beside = node.is(&["nav", "footer"]) && !holds(tree, id, &["article", "main", "h1"]);
        if !structural && (beside || (node.length as f64) < all * LARGE_SHARE) && is(tree, id) {
            tree.nodes[id].gone = true;
            continue;
        }
        let children = tree.nodes[id].children.clone();
        open.extend(children);
    }
    tree.measure();
}

/// Whether an element of one of these names is below.
fn holds(tree: &Tree, id: Id, names: &[&str]) -> bool {
    tree.below(id).iter().skip(1).any(|&below| tree.nodes[below].is(names))
}

/// Takes out what stands beside the article under a name of furniture or of remarks, however long it is: readers may write
/// more than the author, and a box may have as many paragraphs as a short report.
fn around(tree: &mut Tree) {
    let Some(article) = main_article(tree) else { return };
    let below: FxHashSet<Id> = tree.below(article).into_iter().collect();
    let mut open = vec![0];
    while let Some(id) = open.pop() {
        let node = &tree.nodes[id];
        if node.is_text() || node.gone || id == article {
            continue;
        }
        let holds_article = id == 0 || (id < article && tree.below(id).contains(&article));
        let named = || has_word(&node.class, &FURNITURE) || has_word(&node.class, &REMARKS) || node.name == "aside";
        if !holds_article
            && !below.contains(&id)
            && node.is(&["div", "section", "aside", "ul", "ol", "article"])
            && named()
        {
            tree.nodes[id].gone = true;
            continue;
        }
        let children = tree.nodes[id].children.clone();
        open.extend(children);
    }
    tree.measure();
}

/// The one element that says it is the article: the first `article` that no other holds and that has running text, where it has
/// the page's headline, or there is no other such.
fn main_article(tree: &Tree) -> Option<Id> {
    const LEAST: usize = 100;
    let mut outer: Vec<Id> = Vec::new();
    let mut behind = 0;
    for id in 0..tree.nodes.len() {
        let node = &tree.nodes[id];
        if id >= behind && node.name == "article" && !node.gone {
            behind = tree.below(id).into_iter().max().unwrap_or(id) + 1;
            let long = |&below: &Id| tree.nodes[below].name == "p" && tree.nodes[below].length >= 40;
            if node.length >= LEAST && node.link_density() < 0.3 && tree.below(id).iter().any(long) {
                outer.push(id);
            }
        }
    }
    match outer[..] {
        [only] => Some(only),
        _ => outer.first().copied().filter(|&first| {
            holds(tree, first, &["h1"]) && outer[1..].iter().all(|&other| has_word(&tree.nodes[other].class, &REMARKS))
        }),
    }
}

/// By element and role.
fn never(tree: &Tree, id: Id) -> bool {
    let node = &tree.nodes[id];
    // What is there for readers of the screen alone repeats, or says how to use the page.
    const UNSEEN: [&str; 4] = ["visually-hidden", "sr-only", "screen-reader-text", "visuallyhidden"];
    if node.hidden || node.class.split_whitespace().any(|class| UNSEEN.contains(&class)) {
        return true;
    }
    if node.is(&["aside", "form"]) {
        return node.interactive || node.link_density() > 0.2 || !is_prose(tree, id);
    }
    let embedded = || node.class.split_whitespace().any(|class| EMBEDDED.contains(&class));
    node.is(&["nav", "footer", "dialog", "menu"]) || (node.is(&["blockquote", "div"]) && embedded())
}

/// Pictures with what is said of them. A figure may hold a quotation or a table, too.
fn figures(tree: &Tree, id: Id) -> bool {
    let node = &tree.nodes[id];
    if node.is(&["figcaption"]) {
        return true;
    }
    let holds_text = || tree.below(id).iter().any(|&below| tree.nodes[below].is(&["table", "blockquote"]));
    node.name == "figure" && !holds_text()
}

/// What is said of a picture, where it is no figure: a short text beside it, or below it under a name for that.
fn captions(tree: &Tree, id: Id) -> bool {
    const SHORT: usize = 260;
    let node = &tree.nodes[id];
    if node.length == 0 || node.length > SHORT {
        return false;
    }
    let heads = || {
        tree.below(id)
            .iter()
            .any(|&below| tree.nodes[below].name.starts_with('h') || tree.nodes[below].name == "blockquote")
    };
    if node.pictured && node.is(&["div", "section", "td", "table", "span", "center"]) && !heads() {
        return true;
    }
    let is_caption = |class: &&str| {
        let class = class.to_lowercase();
        (class.ends_with("caption") || class.ends_with("caption-text")) && !class.starts_with("has")
    };
    if !node.is(&["p", "div", "span", "small", "em", "td"]) {
        return false;
    }
    let Some(class) = node.class.split_whitespace().find(is_caption) else { return false };
    // A name that many paragraphs have is not one of captions.
    let is_same = |n: &&Node| n.length > 60 && n.class.split_whitespace().any(|other| other == class);
    // Of very many, none is looked at twice.
    tree.nodes.len() > 100_000 || tree.nodes.iter().filter(is_same).take(4).count() <= 3
}

/// Menus and lists of other articles: most of the text is links.
fn linked(tree: &Tree, id: Id) -> bool {
    let node = &tree.nodes[id];
    if node.linked == 0 {
        return false;
    }
    let links = || tree.below(id).iter().filter(|&&below| tree.nodes[below].name == "a").count();
    let ends = || tree.flat_text(id).ends_with(['.', '!', '?', '"', '”', '’', '…']);
    match node.name.as_str() {
        "p" if leads_on(&tree.flat_text(id)) => node.link_density() > 0.5,
        "p" if node.link_density() > 0.95 && !leads_into_page(tree, id) => !ends() || has_unlinked_text(tree),
        "p" | "h2" | "h3" | "h4" | "h5" | "h6" => node.link_density() > 0.9 && !ends() && !is_own_link(tree, id),
        "div" | "section" | "td" if node.link_density() > 0.9 => !ends() || links() > 1,
        "ul" | "ol" | "dl" | "div" | "section" | "table" | "tr" => links() >= 2 && node.link_density() > 0.6,
        "li" => node.link_density() > 0.6 && !ends() && !leads_into_page(tree, id),
        "td" => links() >= 3 && node.link_density() > 0.5,
        _ => false,
    }
}

/// Whether a paragraph begins as a hint to another article does.
fn leads_on(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["read more", "read also", "also read", "read next", "see also", "related", "more:", "watch:", ">>"];
    let head = text.trim_start().to_lowercase();
    WORDS.iter().any(|words| head.starts_with(words))
}

/// Whether at least three paragraphs of the page are no links: then one that is all link is a teaser.
fn has_unlinked_text(tree: &Tree) -> bool {
    let is_text = |node: &&Node| node.name == "p" && !node.gone && node.length > 40 && node.link_density() < 0.3;
    tree.nodes.iter().filter(is_text).take(3).count() == 3
}

/// Whether the links of a heading lead into the page itself, as those of posts do.
fn is_own_link(tree: &Tree, id: Id) -> bool {
    tree.nodes[id].name.starts_with('h') && leads_into_page(tree, id)
}

/// Whether there are links below, and all lead into the page itself.
fn leads_into_page(tree: &Tree, id: Id) -> bool {
    let links: Vec<Id> = tree.below(id).into_iter().filter(|&below| tree.nodes[below].name == "a").collect();
    !links.is_empty() && links.iter().all(|&link| tree.nodes[link].href.starts_with('#'))
}

/// Other articles, each with a headline that leads there and a line or two.
fn teasers(tree: &Tree, id: Id) -> bool {
    const LONG: usize = 600;
    let node = &tree.nodes[id];
    if !node.is(&["article", "li", "div", "section", "td"]) || node.length > LONG || node.link_density() < 0.1 {
        return false;
    }
    tree.below(id).iter().any(|&below| {
        let heading = &tree.nodes[below];
        heading.name.starts_with('h')
            && heading.name.len() == 2
            && (heading.link_density() > 0.9 || heading.in_link)
            && heading.length > 12
            && !is_own_link(tree, below)
    })
}

/// Containers whose name says that they are no part of the article, and whose structure does not say otherwise.
fn named(tree: &Tree, id: Id) -> bool {
    const SHORT: usize = 220;
    let node = &tree.nodes[id];
    if !has_word(&node.class, &FURNITURE) {
        return false;
    }
    let container = node.is(&["div", "section", "ul", "ol", "table", "aside", "header", "details"]);
    // Quotations, and lists and tables without links, are no furniture, whatever they are called.
    let holds_text = || tree.below(id).iter().any(|&below| tree.nodes[below].is(&["blockquote", "table", "ol", "ul"]));
    if !node.interactive && node.linked == 0 && holds_text() {
        return false;
    }
    if !container {
        // A line of credit or of the author.
        return node.is(&["p", "span", "small", "address", "cite"])
            && has_word(&node.class, &["byline", "credit", "author"])
            && node.length < 120;
    }
    node.interactive || node.link_density() > 0.12 || node.length < SHORT && !is_prose(tree, id)
}

/// Whether what is below is running text: two sentences and more, or paragraphs.
fn is_prose(tree: &Tree, id: Id) -> bool {
    let paragraphs =
        tree.below(id).iter().filter(|&&below| tree.nodes[below].name == "p" && tree.nodes[below].length > 60).count();
    paragraphs >= 2
}

/// What readers say of the article: several of a kind below a name for it.
fn remarks(tree: &Tree, id: Id) -> bool {
    let node = &tree.nodes[id];
    if !node.is(&["div", "section", "ul", "ol", "table", "dl"]) || !has_word(&node.class, &REMARKS) {
        return false;
    }
    if node.class.split_whitespace().any(|name| REMARKS.contains(&name.to_lowercase().as_str())) {
        return true;
    }
    let inside = |id: Id| {
        tree.below(id).into_iter().skip(1).filter(|&below| has_word(&tree.nodes[below].class, &REMARKS)).count()
    };
    // Of an article about comments the names are those of sections, not of each remark and who made it.
    let signed = || {
        tree.below(id).iter().any(|&below| {
            let node = &tree.nodes[below];
            node.name == "time"
                || has_word(&node.class, &["author", "avatar", "user", "name", "date", "timestamp", "replies", "reply"])
        })
    };
    node.interactive || (inside(id) >= 1 && (signed() || node.linked > 0))
}

/// In a table that lays out the page, the column of the article is by far the longest.
fn columns(tree: &mut Tree) {
    for row in (0..tree.nodes.len()).filter(|&id| tree.nodes[id].name == "tr").collect::<Vec<_>>() {
        let cells: Vec<Id> = tree.children(row).filter(|&cell| tree.nodes[cell].name == "td").collect();
        let longest = cells.iter().map(|&cell| tree.nodes[cell].length).max().unwrap_or(0);
        for cell in cells {
            if longest >= 800 && tree.nodes[cell].length * 4 < longest {
                tree.nodes[cell].gone = true;
            }
        }
    }
    tree.measure();
}
