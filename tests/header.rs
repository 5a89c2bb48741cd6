//! The header: it is what the source says, every C and C++ standard takes it, and the library has what it declares.

#[path = "support/c.rs"]
mod c;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The header that this build has made from the source.
const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/criwatch.h"));

const C_STANDARDS: &[&str] = &["c99", "c11", "c17", "c2x"];
const CXX_STANDARDS: &[&str] = &["c++11", "c++14", "c++17", "c++20", "c++23"];

fn main() {
    let mut trials = vec![
        Trial::test("the_committed_header_is_what_the_source_says", committed),
        Trial::test("every_item_is_documented_for_c_readers", documented),
        Trial::test("no_rustdoc_is_left", no_rustdoc),
        Trial::test("statuses_have_to_be_looked_at", statuses_are_looked_at),
        Trial::test("sections_that_are_named_exist", sections_exist),
        Trial::test("one_program_calls_every_function", all_called),
        Trial::test("the_version_macros_are_the_librarys", || runs("tests/c/version.c")),
        Trial::ignorable_test("the_library_exports_what_the_header_declares_and_nothing_else", exports),
        Trial::ignorable_test("the_library_has_its_soname", soname),
        Trial::ignorable_test("safer_ffi_sees_the_same_functions", witness),
    ];
    for standard in C_STANDARDS {
        trials.push(Trial::ignorable_test(format!("compiles_as_{standard}"), || compiles(standard, "c")));
    }
    for standard in CXX_STANDARDS {
        trials.push(Trial::ignorable_test(format!("compiles_as_{standard}"), || compiles(standard, "c++")));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn committed() -> Result<(), Failed> {
    let path = c::root().join("include/criwatch.h");
    if std::env::var_os("CRI_BLESS").is_some() {
        fs::write(&path, GENERATED)?;
    }
    if fs::read_to_string(&path)? == GENERATED {
        return Ok(());
    }
    let generated = concat!(env!("OUT_DIR"), "/criwatch.h");
    let difference = Command::new("diff").arg("-u").arg(&path).arg(generated).output()?;
    Err(format!("include/criwatch.h is not what the source says (CRI_BLESS=1 rewrites it):\n{}", c::text(&difference))
        .into())
}

fn compiles(standard: &str, language: &str) -> Result<Completion, Failed> {
    let compiler = if language == "c" { c::cc() } else { c::cxx() };
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("twice");
    let check = |text: &str| {
        fs::write(&source, text).expect("a temporary file");
        let mut command = Command::new(&compiler);
        command.args([&format!("-std={standard}"), "-x", language, "-c", "-o", "/dev/null"]).args(c::STRICT);
        c::succeed(command.arg("-I").arg(c::root().join("include")).arg(&source))
    };
    if let Err(reason) = check("int unit;\n") {
        return Ok(Completion::ignored_with(format!("this compiler does not do {standard}: {reason}")));
    }
    check("#include <criwatch.h>\n#include <criwatch.h>\nint unit;\n")?;
    check(
        "#include <criwatch.h>\n\
         cri_buffer buffer = CRI_BUFFER_INIT;\n\
         uint32_t mask = CRI_EVENT_MASK(CRI_EVENT_STARTED) | CRI_EVENT_MASK(CRI_EVENT_EXITED);\n",
    )?;
    // A status that nobody looks at is an error with -Werror, but for those who do not want that.
    let careless = "#include <criwatch.h>\n\
         void careless(cri_options *o);\nvoid careless(cri_options *o) { cri_options_set(o, \"events\", \"pull\", NULL); }\n";
    match check(careless) {
        Err(complaint) if complaint.contains("unused") || complaint.contains("nodiscard") => {}
        other => return Err(format!("{standard}: cri_options_set may be ignored: {other:?}").into()),
    }
    check(&format!("#define CRI_NODISCARD\n{careless}"))?;
    Ok(Completion::Completed)
}

/// A function that returns a status has CRI_NODISCARD before it, but where nothing is to be done about a failure.
fn statuses_are_looked_at() -> Result<(), Failed> {
    const MAY_BE_IGNORED: &[&str] = &["cri_error_status", "cri_watcher_stop"];
    let parts: Vec<&str> = GENERATED.split("\ncri_status ").collect();
    let careless = parts.windows(2).filter(|pair| !pair[0].ends_with("CRI_NODISCARD"));
    let names: BTreeSet<&str> = careless.filter_map(|pair| pair[1].split('(').next()).collect();
    if names == MAY_BE_IGNORED.iter().copied().collect() {
        return Ok(());
    }
    Err(format!("the statuses of {names:?} may be ignored, and are meant to be those of {MAY_BE_IGNORED:?}").into())
}

/// Where a comment says `see "Cache"`, the header has a section of that name.
fn sections_exist() -> Result<(), Failed> {
    let named: BTreeSet<&str> = GENERATED.split("see \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let missing: Vec<&&str> =
        named.iter().filter(|name| !GENERATED.contains(&format!("=====\n * {name}\n *\n"))).collect();
    match (named.is_empty(), missing.is_empty()) {
        (false, true) => Ok(()),
        _ => Err(format!("sections that are named: {named:?}; not there: {missing:?}").into()),
    }
}

/// Each declaration has a comment right above it; a function's names its parameters, its result and what it waits for.
fn documented() -> Result<(), Failed> {
    let mut faults = Vec::new();
    let mut comment = String::new();
    let mut lines = GENERATED.lines().skip_while(|line| *line != "extern \"C\" {").skip(2);
    while let Some(line) = lines.next() {
        let text = line.trim();
        let text = text.strip_prefix("CRI_NODISCARD").map_or(text, str::trim_start);
        if text.starts_with("/*") {
            comment = text.to_owned();
            while !comment.ends_with("*/") {
                comment += "\n";
                comment += lines.next().ok_or("a comment without an end")?.trim();
            }
        } else if let Some(declared) = text.strip_prefix("#define ").or((!text.is_empty()).then_some(text)) {
            let mut declaration = declared.to_owned();
            while text.contains('(') && !text.starts_with('#') && !declaration.ends_with(';') {
                declaration += lines.next().ok_or("a declaration without an end")?.trim();
            }
            let is_closing =
                declaration.starts_with('}') || declaration.starts_with("#ifdef") || declaration.starts_with("#endif");
            if !is_closing {
                faults.extend(faults_of(&declaration, &comment));
            }
            comment.clear();
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn faults_of(declaration: &str, comment: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut wants = |there: bool, what: &str| {
        if !there {
            faults.push(format!("{declaration}: {what}"));
        }
    };
    wants(comment.starts_with("/**"), "no comment");
    let is_function = declaration.starts_with(|c: char| c.is_ascii_lowercase())
        && !declaration.starts_with("typedef")
        && declaration.ends_with(");");
    if is_function {
        let (head, parameters) = declaration.split_once('(').unwrap_or_default();
        wants(comment.contains("@note "), "does not say whether it blocks (@note)");
        wants(head.starts_with("void ") || comment.contains("@return "), "no @return");
        for parameter in parameters.trim_end_matches(");").split(',').filter(|p| *p != "void") {
            let name = parameter.rsplit([' ', '*']).next().unwrap_or_default();
            wants(name == "err" || comment.contains(&format!("@param {name} ")), &format!("no @param {name}"));
        }
    }
    faults
}

fn no_rustdoc() -> Result<(), Failed> {
    for (number, line) in GENERATED.lines().enumerate() {
        for trace in ["[`", "`]", "](", "# Safety", "::", "Option<", "Arc<", "//!"] {
            if line.contains(trace) {
                return Err(format!("line {}: {trace:?} is no C: {line}", number + 1).into());
            }
        }
    }
    Ok(())
}

fn runs(source: &str) -> Result<(), Failed> {
    let library = c::Library::of_this_build();
    c::succeed(&mut Command::new(library.build(source)?))?;
    Ok(())
}

fn exports() -> Result<Completion, Failed> {
    if !c::is_there("nm") {
        return Ok(Completion::ignored_with("nm is not installed"));
    }
    same("nm -D", &c::Library::of_this_build().exports()?)?;
    Ok(Completion::Completed)
}

/// The program itself is run, linked with the library, by tests/c_programs.rs.
fn all_called() -> Result<(), Failed> {
    same("tests/c/nulls.c", &c::functions(&fs::read_to_string(c::root().join("tests/c/nulls.c"))?))
}

fn same(whose: &str, functions: &BTreeSet<String>) -> Result<(), Failed> {
    let declared = c::functions(GENERATED);
    if declared.is_empty() || *functions != declared {
        let (more, less) = (functions - &declared, &declared - functions);
        return Err(format!("{whose} has {more:?}, which the header has not; lacks {less:?}").into());
    }
    Ok(())
}

fn soname() -> Result<Completion, Failed> {
    if !c::is_there("readelf") {
        return Ok(Completion::ignored_with("readelf is not installed"));
    }
    let dynamic = c::succeed(Command::new("readelf").arg("-d").arg(c::Library::of_this_build().path()))?;
    for expected in ["[libcriwatch.so.1]", "NODELETE"] {
        if !dynamic.contains(expected) {
            return Err(format!("{expected} is missing in\n{dynamic}").into());
        }
    }
    Ok(Completion::Completed)
}

#[cfg(not(feature = "headers"))]
fn witness() -> Result<Completion, Failed> {
    Ok(Completion::ignored_with("needs --features headers"))
}

/// cbindgen reads text and may guess wrong; safer-ffi derives its header from the types. C itself judges whether both
/// say the same of every function, and of every field.
#[cfg(feature = "headers")]
fn witness() -> Result<Completion, Failed> {
    // `type` is a keyword of Rust, and safer-ffi shows that.
    let witness = criwatch::ffi::witness_header()?.replace("r#", "");
    same("safer-ffi", &c::functions(&witness))?;
    let structs = structs(&witness);
    if structs.len() < 5 {
        return Err(format!("only {} structs in the witness:\n{witness}", structs.len()).into());
    }
    let folder = tempfile::tempdir()?;
    let mut unit = String::from("#include <criwatch.h>\n#include \"witness.h\"\n#include \"layout.h\"\n");
    let mut layout = String::new();
    let mut prototypes = witness.clone();
    for (name, text) in &structs {
        // The same struct twice is an error: the witness's becomes another type, of the same layout.
        prototypes = prototypes.replace(text, &format!("typedef struct {name} {name}_t;\n"));
        let renamed = text.replace(&format!("struct {name} {{"), &format!("struct witness_{name} {{"));
        layout += &renamed.replace(&format!("{name}_t;"), &format!("witness_{name};"));
        let fields = fields(text);
        if fields != self::fields(&struct_in(GENERATED, name)?) {
            return Err(format!("{name}: other fields than the header's: {fields:?}").into());
        }
        unit += &format!("_Static_assert(sizeof({name}) == sizeof(witness_{name}), \"{name}\");\n");
        for field in fields {
            unit += &format!(
                "_Static_assert(offsetof({name}, {field}) == offsetof(witness_{name}, {field}), \"{name}.{field}\");\n\
                 _Static_assert(_Generic(&((witness_{name} *)0)->{field}, \
                 __typeof__(&(({name} *)0)->{field}): 1, default: 0), \"{name}.{field}\");\n"
            );
        }
    }
    fs::write(folder.path().join("criwatch.h"), GENERATED)?;
    fs::write(folder.path().join("witness.h"), prototypes)?;
    fs::write(folder.path().join("layout.h"), layout)?;
    fs::write(folder.path().join("unit.c"), &unit)?;
    let mut command = Command::new(c::cc());
    command.args(["-std=gnu11", "-Werror", "-fsyntax-only", "-I"]).arg(folder.path());
    c::succeed(command.arg(folder.path().join("unit.c")))?;
    Ok(Completion::Completed)
}

/// The structs with a body in the witness: name and whole text.
#[cfg(feature = "headers")]
fn structs(witness: &str) -> Vec<(String, String)> {
    let starts = witness.match_indices("typedef struct cri_");
    let texts = starts.filter_map(|(at, _)| {
        let rest = &witness[at..];
        let name = rest.strip_prefix("typedef struct ")?.split([' ', ';']).next()?;
        let end = rest.find(&format!("}} {name}_t;"))? + format!("}} {name}_t;").len();
        rest[..end].starts_with(&format!("typedef struct {name} {{")).then(|| (name.to_owned(), rest[..end].to_owned()))
    });
    texts.collect()
}

#[cfg(feature = "headers")]
fn struct_in(header: &str, name: &str) -> Result<String, Failed> {
    let (_, rest) = header.split_once(&format!("typedef struct {name} {{")).ok_or(format!("no struct {name}"))?;
    Ok(rest.split_once(&format!("}} {name};")).ok_or(format!("struct {name} does not end"))?.0.to_owned())
}

/// The names of a struct's fields.
#[cfg(feature = "headers")]
fn fields(text: &str) -> Vec<String> {
    let code = c::without_comments(text);
    let body = code.split_once('{').map_or(&*code, |(_, body)| body);
    let fields = body.split(';').map(|field| field.trim().rsplit([' ', '*']).next().unwrap_or_default());
    fields.filter(|name| !name.is_empty() && !name.ends_with("_t") && *name != "}").map(str::to_owned).collect()
}
