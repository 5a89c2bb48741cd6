//! Which file of a crate uses which other one, and the circles among them.
//!
//! Paths are resolved as rustc does it: `super::`, `self::`, `crate::`, child modules and `use` names, and through
//! re-exports to the file that declares the item. Three things do not count:
//! - `mod x;`, and a re-export that its own file does not use: they only show where something is;
//! - the use of an enclosing module's own items: `mod.rs` declares the type, and the files below it implement its parts;
//! - code under `#[cfg(test)]`, which may look at everything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenTree};

use super::{is_path_separator, tokens, trees};

type Names = Vec<String>;

/// How many re-exports of re-exports are followed.
const DEEPEST: usize = 8;

/// The files of one crate.
pub struct Crate {
    files: BTreeMap<Names, File>,
}

struct File {
    path: PathBuf,
    /// The items that it declares itself.
    items: BTreeSet<String>,
    imports: Vec<Import>,
    paths: Vec<(usize, Names)>,
    /// Every word outside `use`: whether a name that was imported is used.
    words: BTreeSet<String>,
}

/// One name of a `use`.
struct Import {
    line: usize,
    path: Names,
    /// The name that it has here; `*` for everything.
    name: String,
    is_public: bool,
}

impl Crate {
    /// From the files and their texts; the paths are relative to the crate's root.
    pub fn new(sources: impl IntoIterator<Item = (PathBuf, String)>) -> Crate {
        let is_test = |path: &Path| path.iter().any(|part| part == "tests" || part == "tests.rs");
        let sources = sources.into_iter().filter(|(path, _)| !is_test(path));
        Crate { files: sources.map(|(path, text)| (module(&path), File::new(path, &text))).collect() }
    }

    /// The shortest circle through each file, unless it shares a step with one before it: `a.rs:3 uses b.rs (super::b::f)`,
    /// line by line.
    pub fn cycles(&self) -> Vec<String> {
        let uses: BTreeMap<&Names, BTreeMap<&Names, String>> =
            self.files.keys().map(|module| (module, self.uses(module))).collect();
        let mut seen = BTreeSet::new();
        let mut cycles = Vec::new();
        for module in self.files.keys() {
            let Some(cycle) = shortest_circle(module, &uses) else {
                continue;
            };
            let steps = || cycle.iter().copied().zip(cycle.iter().copied().cycle().skip(1));
            if !steps().any(|step| seen.contains(&step)) {
                let lines: Vec<_> = steps().map(|(from, to)| format!("    {}", uses[from][to])).collect();
                cycles.push(lines.join("\n"));
                seen.extend(steps());
            }
        }
        cycles
    }

    /// The other files that a file uses, each with a text that says where and how.
    fn uses(&self, module: &Names) -> BTreeMap<&Names, String> {
        let file = &self.files[module];
        let mut found = BTreeMap::new();
        let mut note = |to: Option<&Names>, line: usize, path: &[String]| {
            if let Some((to, target)) =
                to.and_then(|to| self.files.get_key_value(to)).filter(|(to, _)| !module.starts_with(to))
            {
                let (from, to_path) = (file.path.display(), target.path.display());
                found.entry(to).or_insert_with(|| format!("{from}:{line} uses {to_path} ({})", path.join("::")));
            }
        };
        for import in &file.imports {
            if import.name == "*" {
                for word in &file.words {
                    note(self.glob_owner(module, import, word, 0), import.line, &import.path);
                }
            } else if !import.is_public || file.words.contains(&import.name) {
                note(self.owner(module, &import.path, 0), import.line, &import.path);
            }
        }
        for (line, path) in &file.paths {
            note(self.owner(module, path, 0), *line, path);
        }
        found
    }

    /// The file that declares what a path names; none where it is another crate's, or a module as a whole.
    fn owner(&self, here: &Names, path: &[String], depth: usize) -> Option<&Names> {
        let (module, rest) = self.split(here, path, depth)?;
        self.declarer(module, rest.first()?, depth)
    }

    /// The deepest module that a path names, and what follows it.
    fn split<'a>(&'a self, here: &Names, path: &[String], depth: usize) -> Option<(&'a Names, Names)> {
        let (first, mut rest) = path.split_first()?;
        let mut module = here.clone();
        match first.as_str() {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                module.pop()?;
                while let Some((next, further)) = rest.split_first().filter(|(next, _)| *next == "super") {
                    debug_assert_eq!(next, "super");
                    module.pop()?;
                    rest = further;
                }
            }
            name => {
                module.push(name.to_owned());
                if !self.files.contains_key(&module) {
                    return self.split_renamed(here, name, rest, depth);
                }
            }
        }
        while let Some((next, further)) = rest.split_first() {
            module.push(next.clone());
            if !self.files.contains_key(&module) {
                module.pop();
                break;
            }
            rest = further;
        }
        self.files.get_key_value(&module).map(|(module, _)| (module, rest.to_vec()))
    }

    /// The same for a path that begins with a name of a `use`.
    fn split_renamed(&self, here: &Names, name: &str, rest: &[String], depth: usize) -> Option<(&Names, Names)> {
        let import = self.files[here].imports.iter().find(|import| import.name == name)?;
        if depth > DEEPEST || import.path.first().is_some_and(|first| first == name) {
            return None;
        }
        let whole: Names = import.path.iter().chain(rest).cloned().collect();
        self.split(here, &whole, depth + 1)
    }

    /// The file that declares a name of this module: the module's own, where no other one is known to.
    fn declarer(&self, module: &Names, name: &str, depth: usize) -> Option<&Names> {
        let known = self.declarer_of_known(module, name, true, depth);
        known.or_else(|| self.files.get_key_value(module).map(|(module, _)| module))
    }

    fn declarer_of_known(&self, module: &Names, name: &str, with_private: bool, depth: usize) -> Option<&Names> {
        let (module, file) = self.files.get_key_value(module)?;
        if file.items.contains(name) {
            return Some(module);
        }
        if depth > DEEPEST {
            return None;
        }
        let imports = || file.imports.iter().filter(|import| with_private || import.is_public);
        if let Some(import) = imports().find(|import| import.name == name) {
            return self.owner(module, &import.path, depth + 1);
        }
        imports().filter(|import| import.name == "*").find_map(|glob| self.glob_owner(module, glob, name, depth + 1))
    }

    fn glob_owner(&self, here: &Names, import: &Import, name: &str, depth: usize) -> Option<&Names> {
        let (module, rest) = self.split(here, &import.path, depth)?;
        let is_another_file = rest.is_empty() && module != here && depth <= DEEPEST;
        // A module's private import can be used below the module, and nowhere else.
        let with_private = here.starts_with(module);
        if is_another_file { self.declarer_of_known(module, name, with_private, depth + 1) } else { None }
    }
}

/// The shortest way from a file back to itself.
fn shortest_circle<'a>(
    start: &'a Names,
    uses: &BTreeMap<&'a Names, BTreeMap<&'a Names, String>>,
) -> Option<Vec<&'a Names>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(module) = queue.pop_front() {
        for next in uses[module].keys() {
            if *next == start {
                let mut circle = vec![module];
                while let Some(before) = came_from.get(circle[circle.len() - 1]) {
                    circle.push(*before);
                }
                circle.reverse();
                return Some(circle);
            }
            if *next != start && !came_from.contains_key(*next) {
                came_from.insert(*next, module);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The path of a file's module, outermost first; empty is the crate's root.
pub fn module(file: &Path) -> Names {
    let mut path: Names = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let last = path.last().map(String::as_str);
    if last == Some("mod") || path.len() == 1 && matches!(last, Some("lib" | "main")) {
        path.pop();
    }
    path
}

impl File {
    fn new(path: PathBuf, text: &str) -> File {
        let mut file =
            File { path, items: BTreeSet::new(), imports: Vec::new(), paths: Vec::new(), words: BTreeSet::new() };
        file.read(&tokens(text), 0);
        file
    }

    /// `depth`: how many `mod x { }` of this very file the tokens are in.
    fn read(&mut self, tokens: &[TokenTree], depth: usize) {
        let mut i = 0;
        let mut is_public = false;
        while i < tokens.len() {
            match &tokens[i] {
                TokenTree::Punct(p) if p.as_char() == '#' && is_test_only(tokens, i) => i = end_of_item(tokens, i + 2),
                TokenTree::Ident(word) if word == "pub" => {
                    is_public = true;
                    let is_limited = matches!(tokens.get(i + 1), Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis);
                    i += if is_limited { 2 } else { 1 };
                    continue;
                }
                TokenTree::Ident(word)
                    if word == "use"
                        && !matches!(tokens.get(i + 1), Some(TokenTree::Punct(p)) if p.as_char() == '<') =>
                {
                    let is_end = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ';');
                    let end = tokens[i..].iter().position(is_end).map_or(tokens.len(), |n| i + n);
                    self.import(&tokens[i + 1..end], &[], is_public, depth);
                    i = end;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let Some(TokenTree::Group(body)) = tokens.get(i + 2) {
                        self.read(&trees(body.stream()), depth + 1);
                        i += 2;
                    } else {
                        i += 1;
                    }
                }
                TokenTree::Ident(word) => {
                    // `*const T` and `'static` declare nothing.
                    let is_in_type =
                        i > 0 && matches!(&tokens[i - 1], TokenTree::Punct(p) if "*'".contains(p.as_char()));
                    if !is_in_type && DECLARING.contains(&word.to_string().as_str()) {
                        let name = tokens[i + 1..].iter().take(2).find_map(|t| match t {
                            TokenTree::Ident(name) => Some(name.to_string()),
                            _ => None,
                        });
                        self.items.extend(name);
                    }
                    i = self.path(tokens, i, depth);
                }
                TokenTree::Group(group) => self.read(&trees(group.stream()), depth),
                _ => {}
            }
            is_public = false;
            i += 1;
        }
    }

    /// Notes the path that begins at tokens[i]; where it ends.
    fn path(&mut self, tokens: &[TokenTree], mut i: usize, depth: usize) -> usize {
        let line = tokens[i].span().start().line;
        let mut path = vec![tokens[i].to_string()];
        while is_path_separator(tokens, i + 1)
            && let Some(TokenTree::Ident(next)) = tokens.get(i + 3)
        {
            path.push(next.to_string());
            i += 3;
        }
        self.words.insert(path[0].clone());
        if path.len() > 1
            && let Some(path) = outside(path, depth)
        {
            self.paths.push((line, path));
        }
        i
    }

    /// Notes what one branch of a `use` imports.
    fn import(&mut self, tokens: &[TokenTree], before: &[String], is_public: bool, depth: usize) {
        let mut path = before.to_vec();
        let mut name = None;
        let mut tokens_left = tokens.iter();
        while let Some(token) = tokens_left.next() {
            match token {
                TokenTree::Group(group) => {
                    let is_comma = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ',');
                    for branch in trees(group.stream()).split(is_comma).filter(|branch| !branch.is_empty()) {
                        self.import(branch, &path, is_public, depth);
                    }
                    return;
                }
                TokenTree::Ident(word) if word == "as" => name = tokens_left.next().map(ToString::to_string),
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => name = Some("*".into()),
                _ => {}
            }
        }
        let line = tokens[0].span().start().line;
        if let (Some(path), Some(last)) = (outside(path.clone(), depth), path.last()) {
            self.imports.push(Import { line, path, name: name.unwrap_or_else(|| last.clone()), is_public });
        }
    }
}

const DECLARING: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"];

/// A path as the file's own module would write it; none where it stays in a `mod x { }` of this file.
fn outside(path: Names, depth: usize) -> Option<Names> {
    let up = path.iter().take_while(|part| *part == "super").count();
    match (depth, up) {
        (0, _) | (_, 0) => Some(path),
        _ if up < depth => None,
        _ if up == depth => Some(["self".to_owned()].into_iter().chain(path.into_iter().skip(up)).collect()),
        _ => Some(path.into_iter().skip(depth).collect()),
    }
}

fn is_test_only(tokens: &[TokenTree], i: usize) -> bool {
    matches!(tokens.get(i + 1), Some(TokenTree::Group(attribute)) if attribute.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// The last token of the item that begins here: its body, or its semicolon.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let is_end = |t: &TokenTree| match t {
        TokenTree::Punct(p) => p.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    tokens[start..].iter().position(is_end).map_or(tokens.len(), |n| start + n)
}
