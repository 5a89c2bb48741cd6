//! Finds public names of a C++ header that no `///` describes. It knows the style of these headers, not all of C++.

/// The kind of scope that a brace has opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// A namespace, an enumeration, or the public part of a class: names are looked at.
    Public,
    /// A private part, a namespace `detail`, a function's body.
    Hidden,
}

/// The lines at which something public begins without a comment, as `LINE: TEXT`.
pub fn undocumented(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut scopes = vec![Scope::Public];
    // Whether a comment stands before, and whether a declaration goes on.
    let (mut is_described, mut goes_on) = (false, false);
    for (at, line) in header.lines().enumerate() {
        let (text, own_comment) = match line.split_once("//") {
            Some((code, comment)) => (code.trim(), comment.starts_with("/<")),
            None => (line.trim(), false),
        };
        if line.trim_start().starts_with("///") {
            is_described = true;
        }
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if matches!(text, "public:" | "protected:" | "private:") {
            let here = if text == "private:" { Scope::Hidden } else { Scope::Public };
            *scopes.last_mut().expect("a class") = here;
            continue;
        }
        let is_public = !scopes.contains(&Scope::Hidden);
        let is_visible = is_public && !goes_on && !needs_none(text);
        if is_visible && !is_described && !own_comment {
            found.push(format!("{}: {text}", at + 1));
        }
        walk(text, is_public && !goes_on, &mut scopes);
        goes_on =
            !text.ends_with([';', '{', '}', ',']) || text.starts_with("template ") || (goes_on && text.ends_with(','));
        if !goes_on {
            is_described = false;
        }
    }
    found
}

/// Lines that need no comment: ends of scopes, namespaces, special members, and continued lines.
fn needs_none(text: &str) -> bool {
    let is_special = |name: &str| {
        let rest = text.strip_prefix(name).unwrap_or(text);
        text.ends_with("= delete;") || text.ends_with("= default;") || rest.starts_with("operator=(")
    };
    let is_move = text.contains("&& other) noexcept") || text.starts_with('~');
    let is_copy = text.contains("(const Container& other)") || text.contains("operator=(Container other)");
    // A definition outside of its class: the comment stands at the declaration.
    let is_outside =
        text.split('(').next().and_then(|head| head.rsplit(' ').next()).is_some_and(|name| name.contains("::"));
    is_outside
        || text.starts_with('}')
        || text.starts_with("namespace ")
        || text.starts_with("inline namespace ")
        || text.starts_with("using Range::Range;")
        || is_special("")
        || is_move
        || is_copy
}

/// Opens and closes scopes.
fn walk(text: &str, is_declaration: bool, scopes: &mut Vec<Scope>) {
    let is_detail = text.starts_with("namespace detail");
    let opens_names =
        ["namespace ", "inline namespace ", "class ", "struct ", "enum "].iter().any(|k| text.starts_with(k));
    for c in text.chars() {
        match c {
            '{' if is_detail || !opens_names || !is_declaration => scopes.push(Scope::Hidden),
            '{' if text.starts_with("class ") => scopes.push(Scope::Hidden),
            '{' => scopes.push(Scope::Public),
            '}' => drop(scopes.pop()),
            _ => {}
        }
    }
}
