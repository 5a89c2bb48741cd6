//! The architecture, held: a module imports only from modules of a lower rank, no files use each other in a circle, and
//! `unsafe` stands in few places.

#[path = "module_ranks/cycles.rs"]
mod cycles;

use std::fs;
use std::path::{Path, PathBuf};

use cycles::Crate;
use proc_macro2::{Ident, TokenStream, TokenTree};

/// Every module of the crate and its rank; equal ranks do not know of each other. `table` is no layer of the
/// design: it is the macro beneath all, with which the others declare their constants; `committed` and `test_hooks` serve tests only.
const RANKS: &[(&str, i32)] = &[
    ("table", -1),
    ("committed", -1),
    ("test_hooks", -1),
    ("error", 0),
    ("model", 1),
    ("config", 1),
    ("host", 1),
    ("cri", 2),
    ("portfolio", 3),
    ("hub", 3),
    ("sync", 4),
    ("watcher", 5),
    ("ffi", 6),
];

/// The paths below src/ in which `unsafe` is allowed, by their beginnings.
const UNSAFE_HOMES: &[&str] = &["ffi/raw", "host/"];

#[test]
fn imports_point_downward() {
    let mut violations = Vec::new();
    for file in sources() {
        let place = Place::of(&file);
        violations.extend(place.violations(&read(&file)).into_iter().map(|v| format!("src/{}:{v}", file.display())));
    }
    assert!(violations.is_empty(), "imports that do not point downward:\n{}", violations.join("\n"));
}

#[test]
fn no_files_of_the_library_use_each_other_in_a_circle() {
    without_circles("src");
}

#[test]
fn no_files_of_the_simulated_engine_use_each_other_in_a_circle() {
    without_circles("sim/src");
}

fn without_circles(root: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let files = sources_of(&folder).into_iter().map(|file| (file.clone(), read_in(&folder, &file)));
    let cycles = Crate::new(files).cycles();
    assert!(
        cycles.is_empty(),
        "files in {root} use each other in a circle: move what both need into a file of its own\n{}",
        cycles.join("\n\n")
    );
}

#[test]
fn unsafe_stays_at_home() {
    let mut strays = Vec::new();
    for file in sources() {
        if !UNSAFE_HOMES.iter().any(|home| file.starts_with(home) || file.to_string_lossy().starts_with(home)) {
            strays.extend(unsafe_lines(&read(&file)).into_iter().map(|line| format!("src/{}:{line}", file.display())));
        }
    }
    assert!(strays.is_empty(), "`unsafe` outside {UNSAFE_HOMES:?}:\n{}", strays.join("\n"));
}

#[test]
fn upward_and_sideways_are_seen_in_any_spelling() {
    let portfolio = Place::of(Path::new("portfolio/diff.rs"));
    let seen = |text: &str| portfolio.violations(text).len();
    // Allowed: below, and at home.
    assert_eq!(seen("use crate::model::{Container, Pod}; use crate::{error::Result, cri}; use super::Portfolio;"), 0);
    assert_eq!(
        seen("use super::super::model::Id; fn f() { crate::portfolio::g(); self::h() } pub(crate) fn h() {}"),
        0
    );
    assert_eq!(seen("// use crate::sync\nconst A: &str = \"crate::sync\"; /* crate::ffi */"), 0);
    // Upward.
    assert_eq!(seen("use crate::sync::Step;"), 1);
    assert_eq!(seen("use crate::{error::Error, watcher::{self, Watcher}, ffi};"), 2);
    assert_eq!(seen("fn f() -> u32 { g(|| [crate::sync::now()]) }"), 1);
    assert_eq!(seen("use super::super::sync::Step;"), 1);
    assert_eq!(seen("mod tests { use super::super::super::{sync, hub}; use super::super::Portfolio; }"), 2);
    assert_eq!(seen("macro_rules! m { () => { $crate::ffi::x() } }"), 1);
    // Sideways.
    assert_eq!(seen("use crate::hub::Queue;"), 1);
    // Around: the root's re-exports, and everything at once.
    assert_eq!(seen("use crate::Watcher;"), 1);
    assert_eq!(seen("use crate::*;"), 1);
    assert_eq!(seen("use crate as root;"), 1);
    assert_eq!(seen("use {crate as root};"), 1);
    // The message helps.
    assert_eq!(
        portfolio.violations("\nuse crate::sync::Step;"),
        ["2: portfolio (rank 3) imports sync (rank 4): only lower ranks are allowed"]
    );
    // A module at the root, and one that the table does not know.
    assert_eq!(Place::of(Path::new("table.rs")).violations("use crate::error::Error;").len(), 1);
    assert_eq!(Place::of(Path::new("lib.rs")).violations("pub use crate::ffi::x;").len(), 0);
    assert_eq!(Place::of(Path::new("utils/mod.rs")).violations("").len(), 1);
}

#[test]
fn unsafe_is_seen_in_any_spelling() {
    assert_eq!(
        unsafe_lines("fn f() {\n unsafe { g() } }\nunsafe impl Send for X {}\n#[unsafe(no_mangle)] fn h() {}"),
        [2, 3, 4]
    );
    assert_eq!(unsafe_lines("type F = unsafe extern \"C\" fn(u8);\nunsafe extern \"C\" fn f(a: u8) {}"), [2]);
    assert_eq!(unsafe_lines("#![deny(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"), [0usize; 0]);
}

#[test]
fn circles_are_seen_in_any_spelling() {
    let circles = |files: &[(&str, &str)]| {
        Crate::new(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))).cycles()
    };
    let with_b = |a: &str| {
        circles(&[
            ("m/mod.rs", "mod a; mod b;"),
            ("m/a.rs", a),
            ("m/b.rs", "use super::a; pub fn f() { a::g() } pub mod c {}"),
        ])
        .len()
    };
    assert_eq!(with_b("use super::b::f;"), 1);
    assert_eq!(with_b("fn g() { super::b::f() }"), 1);
    assert_eq!(with_b("fn g() { [crate::m::b::f()] }"), 1);
    assert_eq!(with_b("use super::{b as other, x}; fn g() { other::f() }"), 1);
    assert_eq!(with_b("mod inner { use super::super::b::f; }"), 1);
    assert_eq!(with_b("use super::{x::{self, y}, b::{self, f}};"), 1);
    assert_eq!(with_b("use crate::m::b::*; fn g() { f() }"), 1);
    // No use of b.
    assert_eq!(with_b("use super::b::*; fn g() {} "), 0, "of all that is in b, nothing");
    assert_eq!(with_b("#[cfg(test)] mod tests { use super::super::b::f; } fn g() {}"), 0, "only tests");
    assert_eq!(with_b("// super::b::f()\nconst B: &str = \"super::b::f\"; fn g() {}"), 0);
    assert_eq!(with_b("use std::b::f; mod b { fn f() {} } fn g() { self::b::f() }"), 0, "another b");
    // Through a re-export, by name and with a star, to the file that declares it.
    for export in ["mod a; mod b; pub use b::f;", "mod a; mod b; pub use b::*;"] {
        let files = [
            ("m/mod.rs", export),
            ("m/a.rs", "use super::f; pub fn g() {}"),
            ("m/b.rs", "use super::a::g; pub fn f() {}"),
        ];
        assert_eq!(circles(&files).len(), 1, "{export}");
    }
    // A module and what is below it: the parent's own items are no use, and a re-export is none either.
    assert_eq!(
        circles(&[("m/mod.rs", "mod a; pub use a::f; struct M;"), ("m/a.rs", "use super::M; pub fn f() {}")]).len(),
        0
    );
    // The message names each step.
    assert_eq!(
        circles(&[
            ("a.rs", "\nuse crate::b::f;"),
            ("b.rs", "fn f() { crate::c::g() }"),
            ("c.rs", "use super::a::h; fn g() {}")
        ]),
        ["    a.rs:2 uses b.rs (crate::b::f)\n    b.rs:1 uses c.rs (crate::c::g)\n    c.rs:1 uses a.rs (super::a::h)"]
    );
}

/// The module path of a piece of code, outermost first; empty is the crate's root.
#[derive(Clone)]
struct Place(Vec<String>);

impl Place {
    fn of(file: &Path) -> Place {
        let mut path: Vec<String> =
            file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if path.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib")) {
            path.pop();
        }
        Place(path)
    }

    fn inner(&self, module: &Ident) -> Place {
        Place(self.0.iter().cloned().chain([module.to_string()]).collect())
    }

    /// The offending lines of a source text.
    fn violations(&self, text: &str) -> Vec<String> {
        let Some(own) = self.0.first() else {
            return Vec::new();
        };
        let Some(own_rank) = rank(own) else {
            return vec![format!("1: module {own} has no rank: give it one in RANKS")];
        };
        let mut imports = Vec::new();
        self.collect(&tokens(text), &mut imports);
        let complaint = |(line, name): (usize, String)| match rank(&name) {
            _ if name == *own => None,
            Some(rank) if rank < own_rank => None,
            Some(rank) => Some(format!(
                "{line}: {own} (rank {own_rank}) imports {name} (rank {rank}): only lower ranks are allowed"
            )),
            None => Some(format!("{line}: {own} imports crate::{name}: name a module of RANKS instead")),
        };
        imports.into_iter().filter_map(complaint).collect()
    }

    /// Every (line, name) that these tokens take from the crate's root.
    fn collect(&self, tokens: &[TokenTree], imports: &mut Vec<(usize, String)>) {
        let mut i = 0;
        while i < tokens.len() {
            match &tokens[i] {
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (tokens.get(i + 1), tokens.get(i + 2))
                    {
                        self.inner(name).collect(&trees(body.stream()), imports);
                        i += 2;
                    }
                }
                TokenTree::Ident(word) if word == "crate" || word == "super" => {
                    let (next, at_root) = self.walk_up(tokens, i);
                    if at_root {
                        names_at(tokens.get(next..).unwrap_or_default(), word, imports);
                    }
                    // Groups after the path are walked like any other: they may hold further paths.
                    i = next.max(i + 1) - 1;
                }
                TokenTree::Group(group) => self.collect(&trees(group.stream()), imports),
                _ => {}
            }
            i += 1;
        }
    }

    /// Follows `crate::` or `super::super::` from tokens[i]: where it ends, and whether that is the crate's root.
    fn walk_up(&self, tokens: &[TokenTree], mut i: usize) -> (usize, bool) {
        let mut depth = self.0.len();
        loop {
            match &tokens.get(i) {
                Some(TokenTree::Ident(word)) if *word == "crate" => depth = 0,
                Some(TokenTree::Ident(word)) if *word == "super" => depth = depth.saturating_sub(1),
                _ => return (i, depth == 0),
            }
            if !is_path_separator(tokens, i + 1) {
                // `pub(crate)` names nothing; `use crate as x` would hide what is named through x.
                let renamed = matches!(tokens.get(i + 1), Some(TokenTree::Ident(word)) if word == "as");
                return (i + 1, depth == 0 && renamed);
            }
            i += 3;
        }
    }
}

/// The names that stand first in what follows the crate's root: `a::b`, `{a::b, c}`, `*`.
fn names_at(tokens: &[TokenTree], root: &Ident, imports: &mut Vec<(usize, String)>) {
    match tokens.first() {
        Some(TokenTree::Group(group)) => {
            for branch in trees(group.stream()).split(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ',')) {
                if !branch.is_empty() {
                    names_at(branch, root, imports);
                }
            }
        }
        Some(first) => imports.push((first.span().start().line, first.to_string())),
        None => imports.push((root.span().start().line, root.to_string())),
    }
}

fn is_path_separator(tokens: &[TokenTree], i: usize) -> bool {
    let colon = |i: usize| matches!(tokens.get(i), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(i) && colon(i + 1)
}

fn rank(module: &str) -> Option<i32> {
    RANKS.iter().find(|(name, _)| *name == module).map(|(_, rank)| *rank)
}

/// The type of a function pointer, `unsafe extern "C" fn(..)`, does nothing unsafe: it only says that a call would.
fn is_type(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Ident(_), TokenTree::Ident(external), TokenTree::Literal(_), TokenTree::Ident(function), next, ..] =
        tokens
    else {
        return false;
    };
    external == "extern" && function == "fn" && matches!(next, TokenTree::Group(_))
}

fn unsafe_lines(text: &str) -> Vec<usize> {
    fn walk(tokens: &[TokenTree], lines: &mut Vec<usize>) {
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "unsafe" && !is_type(&tokens[at..]) => {
                    lines.push(word.span().start().line);
                }
                TokenTree::Group(group) => walk(&trees(group.stream()), lines),
                _ => {}
            }
        }
    }
    let mut lines = Vec::new();
    walk(&tokens(text), &mut lines);
    lines
}

fn tokens(text: &str) -> Vec<TokenTree> {
    trees(text.parse().expect("the source is Rust"))
}

fn trees(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

fn sources() -> Vec<PathBuf> {
    sources_of(&root())
}

/// Every .rs file of a crate, relative to its root.
fn sources_of(root: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("src/ can be read") {
            let path = entry.expect("src/ can be read").path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(root, &mut files);
    files.sort();
    assert!(files.len() > 10, "{} holds the crate", root.display());
    files.into_iter().map(|file| file.strip_prefix(root).expect("it lies below").to_owned()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(file: &Path) -> String {
    read_in(&root(), file)
}

fn read_in(root: &Path, file: &Path) -> String {
    fs::read_to_string(root.join(file)).expect("a source file can be read")
}
