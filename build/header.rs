//! Writes criwatch.h: cbindgen reads one file of the source after the other, so that the header reads from top to
//! bottom. What a file says about itself becomes the heading of its section.

use std::error::Error;
use std::fs;
use std::path::Path;

/// The files, in the header's order. Each begins a section, except those of `CONTINUED`.
const SECTIONS: &[&str] = &[
    "src/ffi/version.rs",
    "src/error/status.rs",
    "src/ffi/error.rs",
    "src/ffi/buffer.rs",
    "src/model/constants.rs",
    "src/ffi/names.rs",
    "src/ffi/record.rs",
    "src/ffi/keep.rs",
    "src/ffi/attributes.rs",
    "src/ffi/options.rs",
    "src/ffi/watcher.rs",
    "src/ffi/query.rs",
    "src/ffi/snapshot.rs",
    "src/ffi/lookup.rs",
    "src/ffi/engine.rs",
    "src/ffi/finder.rs",
    "src/ffi/subscription.rs",
    "src/ffi/queue.rs",
    "src/ffi/log.rs",
    "src/ffi/rucksack.rs",
    "src/ffi/packer.rs",
];

/// Files that belong to the section of the file before them.
const CONTINUED: &[&str] = &["src/ffi/names.rs", "src/ffi/keep.rs", "src/ffi/attributes.rs", "src/ffi/packer.rs"];

/// The introduction: the first text in the header.
const PREAMBLE: &str = "src/ffi/mod.rs";

/// The text at the end of a section that C needs and Rust cannot express.
const MACROS: &[(&str, &str)] = &[
    (
        "src/ffi/buffer.rs",
        "/** The value that a cri_buffer must have before its first use. */\n#define CRI_BUFFER_INIT { NULL, 0, NULL }\n",
    ),
    (
        "src/model/constants.rs",
        "/** The bit of an event type in the mask of a subscription or queue. */\n\
         #define CRI_EVENT_MASK(type) (UINT32_C(1) << (type))\n",
    ),
];

/// The attribute that cbindgen puts before a function that is `#[must_use]` (cbindgen.toml).
const NODISCARD: &str = "\
/* Marks the functions whose result must not be ignored: compilers warn if a program ignores it. To switch these warnings\n \
 * off, define it as empty before you include this header. */\n\
#ifndef CRI_NODISCARD\n\
#  if (defined(__cplusplus) && __cplusplus >= 201703L) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)\n\
#    define CRI_NODISCARD [[nodiscard]]\n\
#  elif defined(__GNUC__)\n\
#    define CRI_NODISCARD __attribute__((warn_unused_result))\n\
#  else\n\
#    define CRI_NODISCARD\n\
#  endif\n\
#endif\n\n";

/// Writes the header; the working directory is the package's.
pub fn write(to: &Path) -> Result<(), Box<dyn Error>> {
    let scratch = to.with_extension("rs");
    let config = cbindgen::Config::from_file("cbindgen.toml")?;
    let mut header = opening(&read(PREAMBLE)?);
    for path in SECTIONS {
        let source = read(path)?;
        if !CONTINUED.contains(path) {
            header += &heading(&module_docs(&source));
        }
        for part in parts(&source) {
            header += &part.title;
            if part.is_text {
                header += &texts(&part.source);
                continue;
            }
            fs::write(&scratch, part.source)?;
            header += &section(&scratch, &config)?;
        }
        for (_, text) in MACROS.iter().filter(|(section, _)| section == path) {
            header += &format!("\n{text}");
        }
    }
    header += "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* CRIWATCH_H */\n";
    Ok(fs::write(to, header)?)
}

/// The files that the header is made from.
pub fn inputs() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().copied().chain([PREAMBLE, "cbindgen.toml"])
}

fn read(path: &str) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(path).map_err(|e| format!("{path}: {e}").into())
}

/// One part of the source for cbindgen, and the title above its result.
struct Part {
    title: String,
    source: String,
    /// A table of strings, which cbindgen passes over.
    is_text: bool,
}

/// A file is one part, or as many as it has tables of constants: cbindgen does not look into macros, so their first
/// two lines and their last one are left out.
fn parts(source: &str) -> Vec<Part> {
    let mut tables = source.split("\nconstants! {\n");
    let before = tables.next().unwrap_or_default();
    if !source.contains("\nconstants! {\n") {
        let source = before.replace("#[ffi_export]", "#[unsafe(no_mangle)]");
        return vec![Part { title: String::new(), source, is_text: false }];
    }
    let items = before.lines().filter(|line| !line.starts_with("//!")).collect::<Vec<_>>().join("\n");
    let only = source.matches("\nconstants! {\n").count() == 1;
    let tables = tables.map(|table| {
        let (name, rest) = table.split_once('\n').unwrap_or_default();
        let (name, value_type) = name.trim().split_once(':').unwrap_or_default();
        let (constants, _) = rest.split_once("\n}").unwrap_or_default();
        let (value_type, _) = value_type.split_once(',').unwrap_or((value_type, ""));
        let title = if only { String::new() } else { format!("\n/* {}: */\n", title_case(name)) };
        Part { title, source: constants.to_owned(), is_text: value_type.contains("str") }
    });
    [Part { title: String::new(), source: items, is_text: false }].into_iter().chain(tables).collect()
}

fn title_case(name: &str) -> String {
    let words = name.to_lowercase().replace('_', " ");
    words[..1].to_uppercase() + &words[1..]
}

/// A table of strings: each constant's comment is of one line.
fn texts(source: &str) -> String {
    let mut text = String::from("\n");
    for line in source.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            text += &format!("/** {doc} */\n");
        } else if let Some((name, value)) = line.trim_start_matches("pub const ").split_once(": &str = ") {
            text += &format!("#define {name} {}\n", value.trim_end_matches(';'));
        }
    }
    text
}

/// One part, as cbindgen writes it, with its habits polished.
fn section(source: &Path, config: &cbindgen::Config) -> Result<String, Box<dyn Error>> {
    let mut raw = Vec::new();
    cbindgen::Builder::new().with_config(config.clone()).with_src(source).generate()?.write(&mut raw);
    let mut lines: Vec<String> = Vec::new();
    for line in String::from_utf8(raw)?.lines() {
        polish(line, &mut lines);
    }
    let text = lines.join("\n");
    let text = text.trim_matches('\n');
    Ok(if text.is_empty() { String::new() } else { format!("\n{text}\n") })
}

/// Adds a line to those before it.
fn polish(line: &str, lines: &mut Vec<String>) {
    let mut line = line.trim_end().replace("const char * ", "const char *");
    // Types are declared before they are used: no need for a tag at each use.
    if !line.starts_with("typedef struct") {
        line = line.replace("struct cri_", "cri_");
    }
    // A minus without parentheses would join the expression that uses the macro.
    if line.starts_with("#define")
        && let Some((name, number)) = line.split_once(" -")
    {
        line = format!("{name} (-{number})");
    }
    // A comment of one line stays on one line, and tables of constants have no gaps.
    if let [.., open, text] = &lines[..]
        && open.trim() == "/**"
        && line.trim() == "*/"
    {
        line = format!("{} {} */", open, text.trim_start().trim_start_matches("* "));
        lines.truncate(lines.len() - 2);
        let gap = lines.len() >= 2 && lines[lines.len() - 1].is_empty();
        if gap && lines[lines.len() - 2].starts_with("#define") {
            lines.pop();
        }
    }
    lines.push(line);
}

/// The `//!` lines at the top of a file, without the fences that rustdoc wants around C.
fn module_docs(source: &str) -> Vec<&str> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).filter(|line| !line.starts_with("```")).collect()
}

/// A section's heading: the first line is the title.
fn heading(docs: &[&str]) -> String {
    let first = docs.first().copied().unwrap_or_default();
    let (title, rest) = first.split_once(". ").unwrap_or((first.trim_end_matches('.'), ""));
    let mut text = format!("\n/* {}\n * {title}\n", "=".repeat(96));
    let rest = if rest.is_empty() { vec![] } else { vec!["", rest] };
    for line in rest.iter().chain(&docs[1..]) {
        text += format!(" * {line}").trim_end();
        text.push('\n');
    }
    text + " * " + &"=".repeat(96) + " */\n"
}

fn opening(preamble: &str) -> String {
    let mut text = String::from("/*\n");
    for line in module_docs(preamble) {
        text += format!(" * {line}").trim_end();
        text.push('\n');
    }
    text += " *\n * Generated from the Rust source; SPDX-License-Identifier: Apache-2.0\n */\n\n";
    text += "#ifndef CRIWATCH_H\n#define CRIWATCH_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n";
    text += NODISCARD;
    text + "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
}
