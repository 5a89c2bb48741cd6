//! The C of the documents is compiled as strictly as that of the tests, and run on the simulated engine. Their Rust is
//! compiled as doc tests: src/lib.rs includes them.

#[path = "support/c.rs"]
mod c;
#[path = "support/sim.rs"]
mod sim;

use std::fs;
use std::process::Command;

/// All items of the reference's index, and those of its matching watcher.
const REFERENCE: &[&str] = &[
    "New(address, opts...)",
    "WithTimeout(timeout)",
    "WithDialOpts(opts)",
    "Client.RuntimeService()",
    "Client.ImageService()",
    "NewCRIWatcher(client, opts...)",
    "WithRucksackPacker(packer)",
    "WithPID(pid)",
    "CRIWatcher.API()",
    "CRIWatcher.Client()",
    "CRIWatcher.Close()",
    "CRIWatcher.ID(ctx)",
    "CRIWatcher.Inspect(ctx, nameorid)",
    "CRIWatcher.LifecycleEvents(ctx)",
    "CRIWatcher.List(ctx)",
    "CRIWatcher.PID()",
    "CRIWatcher.Type()",
    "CRIWatcher.Version(ctx)",
    "AnnotationKeyPrefix",
    "PodContainerNameLabel",
    "PodNameLabel",
    "PodNamespaceLabel",
    "PodSandboxLabel",
    "PodUidLabel",
    "Type",
    "Watcher.Portfolio()",
    "Watcher.Ready()",
    "Watcher.Events()",
    "backoff",
];

const PORTING: &str = "docs/porting-from-whalewatcher.md";

fn read(path: &str) -> String {
    fs::read_to_string(c::root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The code in this language, in order.
fn code<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fences = text.split("```").skip(1).step_by(2);
    fences.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// Compiles a program of this text, and runs it with these arguments; what it writes to stdout.
fn run(name: &str, text: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join(name).with_extension("c");
    fs::write(&source, text).expect("a temporary file");
    let program = c::Library::of_this_build().build(&source.to_string_lossy()).unwrap_or_else(|e| panic!("{e}"));
    let output = Command::new(program).args(arguments).output().expect("a program that was just built");
    assert!(output.status.success(), "{name}: {}\n{}", output.status, c::text(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_item_of_the_reference_has_snippets() {
    let text = read(PORTING);
    let items: Vec<_> = text.split("\n### `").skip(1).map(|item| item.split_once("`\n").expect("a heading")).collect();
    assert_eq!(items.iter().map(|(name, _)| *name).collect::<Vec<_>>(), REFERENCE);
    for (name, item) in items {
        assert_eq!((code(item, "c").len(), code(item, "rust").len()), (1, 1), "{name}: one snippet in C, one in Rust");
    }
}

/// A link from a test's name in code to its file: the file has this test. Renaming a test fails here, not in a reader's search.
#[test]
fn every_test_that_a_document_names_exists() {
    let mut named = 0;
    for entry in fs::read_dir(c::root().join("docs")).expect("the documents") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for (before, after) in text.match_indices("`](").map(|(at, mark)| (&text[..at], &text[at + mark.len()..])) {
            let target = after.split([')', '#']).next().unwrap_or_default();
            if !target.ends_with(".rs") {
                continue;
            }
            let name = before.rsplit('`').next().unwrap_or_default();
            let file = path.parent().expect("the documents").join(target);
            let source = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert!(source.contains(&format!("fn {name}(")), "{}: {target} has no {name}", path.display());
            named += 1;
        }
    }
    assert!(named >= 15, "the guarantees of docs/events.md name their tests; {named} were found");
}

/// What others built, such as a downloaded package, came in by mistake. Only inputs of the fuzz targets are bytes.
#[test]
fn every_file_of_the_repository_is_text() {
    let Ok(output) = Command::new("git").args(["ls-files", "-z"]).current_dir(c::root()).output() else { return };
    let names = String::from_utf8_lossy(&output.stdout);
    let names = names.split_terminator('\0').filter(|name| !name.starts_with("fuzz/corpus/"));
    let bytes = |name: &&str| fs::read(c::root().join(name)).unwrap_or_default();
    let binary: Vec<&str> = names.filter(|name| bytes(name).contains(&0)).collect();
    assert!(binary.is_empty(), "{binary:?} are not text");
}

/// Each snippet becomes a function that is called once; everything has to go well while they run.
#[test]
fn the_snippets_in_c_run() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.tell("pod web ns=shop nginx").expect("a pod");
    let text = read(PORTING);
    let (mut functions, mut calls) = (String::new(), String::new());
    for (number, snippet) in code(&text, "c").into_iter().enumerate() {
        let (before, body) = snippet
            .rsplit_once("\n}\n\n")
            .map_or((String::new(), snippet), |(before, body)| (format!("{before}\n}}\n"), body));
        functions += &format!(
            "{before}static void snippet{number}(const char *endpoint, cri_watcher *watcher, cri_error *err)\n\
             {{\n(void)endpoint;\n(void)watcher;\n(void)err;\n{{\n{body}}}\n}}\n\n"
        );
        calls += &format!("snippet{number}(argv[1], watcher, NULL);\n");
    }
    let program = format!(
        "#include <criwatch.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n{functions}\
         int main(int argc, char **argv)\n{{\ncri_watcher *watcher = NULL;\n\
         if (argc != 2 || cri_watcher_new(argv[1], NULL, &watcher, NULL) != CRI_OK\n\
         || cri_watcher_start(watcher, NULL) != CRI_OK || cri_watcher_wait_ready(watcher, 20000, NULL) != CRI_OK)\n\
         return 1;\n{calls}cri_watcher_free(watcher);\nputs(\"done\");\nreturn 0;\n}}\n"
    );
    assert_eq!(run("porting", &program, &[sim.endpoint()]), "done\n");
}
