//! The article in a page's JSON-LD, which in the wild is often not quite JSON.

use serde_json::{Map, Value};

/// All values of a page's JSON-LD scripts.
pub(super) fn values<'a>(scripts: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    scripts
        .into_iter()
        .filter_map(|script| {
            serde_json::from_str(script.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'))
                .ok()
                .or_else(|| lenient(script))
        })
        .collect()
}

/// The value of a script with line ends within strings, comments, CDATA marks and semicolons.
fn lenient(script: &str) -> Option<Value> {
    let mut json = String::with_capacity(script.len());
    let mut rest = script;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        if in_string {
            match c {
                '\\' => {
                    let next = rest[1..].chars().next().map_or(0, char::len_utf8);
                    json.push_str(&rest[..=next]);
                    length += next;
                }
                '\n' => json.push_str("\\n"),
                '\r' => {}
                '\t' => json.push_str("\\t"),
                c if c.is_control() => {}
                c => {
                    in_string = c != '"';
                    json.push(c);
                }
            }
        } else if rest.starts_with("/*") {
            length = rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if let Some(mark) =
            ["//<![CDATA[", "<![CDATA[", "//]]>", "]]>", "<!--", "-->"].iter().find(|m| rest.starts_with(**m))
        {
            length = mark.len();
        } else if rest.starts_with("//") {
            length = rest.find('\n').unwrap_or(rest.len());
        } else {
            in_string = c == '"';
            json.push(c);
        }
        rest = &rest[length..];
    }
    let json = json.trim().trim_end_matches([';', ',']).trim();
    serde_json::from_str(json).or_else(|_| serde_json::from_str(&without_last_commas(json))).ok()
}

/// The same without commas before a closing bracket.
fn without_last_commas(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '}' | ']' if !in_string => out.truncate(out.trim_end().strip_suffix(',').map_or(out.len(), str::len)),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// The objects that are articles, outer ones first.
pub(super) fn articles(values: &[Value]) -> Vec<&Map<String, Value>> {
    fn walk<'v>(value: &'v Value, depth: usize, found: &mut Vec<&'v Map<String, Value>>) {
        const DEEPEST: usize = 8;
        match value {
            Value::Object(object) => {
                if is_article(object) {
                    found.push(object);
                }
                if depth < DEEPEST {
                    // What an article has below it is not the page's article.
                    let below = object
                        .iter()
                        .filter(|(key, _)| !is_article(object) || key.starts_with('@') || *key == "mainEntity")
                        // Nor is one of a list.
                        .filter(|(key, _)| *key != "itemListElement");
                    below.for_each(|(_, inner)| walk(inner, depth + 1, found));
                }
            }
            Value::Array(values) if depth < DEEPEST => values.iter().for_each(|inner| walk(inner, depth + 1, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    values.iter().for_each(|value| walk(value, 0, &mut found));
    found
}

fn is_article(object: &Map<String, Value>) -> bool {
    let named = |name: &str| name.ends_with("Article") || name.ends_with("Posting") || name == "Report";
    let typed = match object.get("@type") {
        Some(Value::String(name)) => named(name),
        Some(Value::Array(names)) => names.iter().any(|name| name.as_str().is_some_and(named)),
        _ => false,
    };
    typed || object.get("articleBody").is_some_and(Value::is_string)
}

/// The text of an article: its body, or the posts of a live blog one after the other.
pub(super) fn body(article: &Map<String, Value>, plain: impl Fn(&str) -> String + Copy) -> Option<String> {
    let posts = match article.get("liveBlogUpdate") {
        Some(Value::Array(posts)) => posts.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(post)) => vec![post],
        _ => Vec::new(),
    };
    let own = article.get("articleBody").and_then(Value::as_str).map(plain).filter(|text| !text.trim().is_empty());
    let mut parts: Vec<String> = posts.into_iter().filter_map(|post| body(post, plain)).collect();
    // The body may be all posts once more.
    if let Some(own) = own.filter(|own| parts.iter().all(|post| !own.contains(post.as_str()))) {
        parts.insert(0, own);
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// The articles that are the page's own, where it says which address it has and they say theirs.
pub(super) fn of_page<'v>(articles: Vec<&'v Map<String, Value>>, page: Option<&str>) -> Vec<&'v Map<String, Value>> {
    let Some(page) = page.map(path) else { return articles };
    let addresses = |article: &&Map<String, Value>| -> Vec<String> {
        let named = ["url", "mainEntityOfPage", "@id"].into_iter().filter_map(|name| field(article, name));
        named.filter(|address| address.contains('/')).collect()
    };
    let is_own = |article: &&Map<String, Value>| addresses(article).iter().any(|address| path(address) == page);
    let own: Vec<_> = articles.iter().copied().filter(|article| is_own(article)).collect();
    if own.is_empty() {
        // Several that are all of other addresses: none is known to be this page's.
        let silent = articles.len() == 1;
        return articles.into_iter().filter(|article| silent || addresses(article).is_empty()).collect();
    }
    own
}

/// The path of an address, without what follows it.
fn path(address: &str) -> &str {
    let address = address.split(['?', '#']).next().unwrap_or(address);
    let path = address.split_once("://").map_or(address, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    path.trim_matches('/')
}

/// A field as text: a string, the `name` of an object, the names of several.
pub(super) fn field(article: &Map<String, Value>, name: &str) -> Option<String> {
    fn text(value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Object(object) => {
                text(object.get("name").or_else(|| object.get("@id")).or_else(|| object.get("url"))?)
            }
            Value::Array(values) => {
                let all: Vec<String> = values.iter().filter_map(text).collect();
                (!all.is_empty()).then(|| all.join(", "))
            }
            _ => None,
        }
    }
    article.get(name).and_then(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_the_wild_is_read() {
        for script in [
            "{\"@type\": \"NewsArticle\", \"articleBody\": \"One.\nTwo. \\\"x\\\" // no comment\"}",
            "//<![CDATA[\n{\"articleBody\": \"One.\\nTwo. \\\"x\\\" // no comment\"}\n//]]>",
            "/* a */ [{\"@graph\": [{\"@type\": [\"Thing\", \"NewsArticle\"], /* b */ \"articleBody\": \"One.\\nTwo. \\\"x\\\" // no comment\",}]}];",
        ] {
            let values = values([script]);
            let found = articles(&values);
            assert_eq!(found.len(), 1, "{script}");
            assert_eq!(body(found[0], str::to_owned).as_deref(), Some("One.\nTwo. \"x\" // no comment"));
        }
    }

    #[test]
    fn posts_come_in_their_order() {
        let value = serde_json::json!({"@type": "LiveBlogPosting", "liveBlogUpdate": [
            {"@type": "BlogPosting", "articleBody": "One."}, {"@type": "BlogPosting", "articleBody": "Two."}]});
        let values = [value];
        let found = articles(&values);
        assert_eq!(body(found[0], str::to_owned).as_deref(), Some("One.\n\nTwo."));
        assert_eq!(found.len(), 1);
    }
}
