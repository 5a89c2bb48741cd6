//! The ABI promise, kept: docs/abi.md. Lists in tests/abi only grow, and only on purpose (CRI_BLESS=1); what they have is
//! never taken back.

#[path = "support/c.rs"]
mod c;
#[path = "support/layout.rs"]
mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    let trials = vec![
        Trial::ignorable_test("no_export_is_taken_back", exports),
        Trial::test("no_constant_changes", constants),
        Trial::test("every_constant_of_the_source_is_in_the_header", none_is_forgotten),
        Trial::test("no_two_constants_of_one_family_are_equal", no_number_is_reused),
        Trial::ignorable_test("no_struct_changes_but_at_its_end", struct_layout),
        Trial::test("the_lists_notice", the_lists_notice),
        Trial::ignorable_test("abidiff_accepts_the_header_after_the_last_release", no_abi_change),
        Trial::ignorable_test("abidiff_accepts_what_is_promised", additions_pass),
        Trial::ignorable_test("abidiff_catches_what_is_not", changes_are_caught),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn header() -> Result<String, Failed> {
    Ok(fs::read_to_string(c::root().join("include/criwatch.h"))?)
}

fn exports() -> Result<Completion, Failed> {
    if !c::is_there("nm") {
        return Ok(Completion::ignored_with("nm is not installed"));
    }
    let exported = c::Library::of_this_build().exports()?;
    promised("tests/abi/exports.txt", &exported.into_iter().collect::<Vec<_>>(), may_be_added)?;
    Ok(Completion::Completed)
}

/// The line may stand in the list, where that list has the lines before it.
type Addition = fn(&str, &[&str]) -> Result<(), String>;

fn may_be_added(_: &str, _: &[&str]) -> Result<(), String> {
    Ok(())
}

/// A committed list has exactly these lines.
fn promised(path: &str, lines: &[String], addition: Addition) -> Result<(), Failed> {
    let file = c::root().join(path);
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let new = additions(&committed.lines().collect::<Vec<_>>(), lines, addition).map_err(|e| format!("{path}: {e}"))?;
    if std::env::var_os("CRI_BLESS").is_some() {
        fs::write(&file, lines.join("\n") + "\n")?;
    } else if !new.is_empty() {
        return Err(format!("{path} lacks {new:?}: promised for ever once CRI_BLESS=1 has added it").into());
    }
    Ok(())
}

/// The new lines; an error for a line that is gone, differs, or may not be added.
fn additions<'a>(committed: &[&str], lines: &'a [String], addition: Addition) -> Result<Vec<&'a str>, String> {
    let gone: Vec<_> = committed.iter().filter(|line| !lines.iter().any(|l| l == *line)).collect();
    if !gone.is_empty() {
        return Err(format!("a promise is broken (see docs/abi.md); these are gone or differ: {gone:#?}"));
    }
    let new: Vec<_> = lines.iter().map(String::as_str).filter(|line| !committed.contains(line)).collect();
    new.iter().try_for_each(|line| addition(line, committed))?;
    Ok(new)
}

/// The header's constants, by family: what stands under one heading. The version's macros are to change.
fn families(header: &str) -> BTreeMap<String, Vec<String>> {
    let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut family, mut title_follows) = (String::new(), false);
    for line in header.lines() {
        if line.starts_with("/* ====") {
            title_follows = true;
        } else if std::mem::take(&mut title_follows) {
            family = line.trim_start_matches(" * ").to_owned();
        } else if let Some(title) = line.strip_prefix("/* ").and_then(|rest| rest.strip_suffix(": */")) {
            family = title.to_owned();
        } else if let Some((name, _)) = line.strip_prefix("#define CRI_").and_then(|rest| rest.split_once(' ')) {
            let is_constant = !name.contains('(') && !name.starts_with("VERSION_") && name != "BUFFER_INIT";
            families.entry(family.clone()).or_default().extend(is_constant.then(|| format!("CRI_{name}")));
        }
    }
    families
}

/// Each constant with its value, as the C compiler sees it: "family: NAME = value".
fn values() -> Result<Vec<String>, Failed> {
    let mut body = String::new();
    for (family, names) in families(&header()?) {
        for name in names {
            body += &format!(
                "show(\"{family}: {name}\", _Generic(({name}), char *: 1, default: 0), (intptr_t)({name}));\n"
            );
        }
    }
    let program = format!(
        "#include <criwatch.h>\n#include <stdio.h>\n\
         static void show(const char *name, int is_text, intptr_t value) {{\n\
         if (is_text) printf(\"%s = \\\"%s\\\"\\n\", name, (const char *)value);\n\
         else printf(\"%s = %lld\\n\", name, (long long)value);\n}}\n\
         int main(void) {{\n{body}return 0;\n}}\n"
    );
    let values: Vec<_> = output_of(&program)?.lines().map(str::to_owned).collect();
    if values.len() < 70 { Err(format!("only {} constants: {values:?}", values.len()).into()) } else { Ok(values) }
}

fn constants() -> Result<(), Failed> {
    promised("tests/abi/constants.txt", &values()?, may_be_added)
}

/// cbindgen passes over what it does not understand: every constant of the source has to be in the header.
fn none_is_forgotten() -> Result<(), Failed> {
    use criwatch::{error::STATUSES, model::*};
    let header = values()?;
    let mut forgotten = Vec::new();
    macro_rules! look_for {
        ($($table:ident)+) => {
            $(for constant in $table {
                let line = format!(": {} = {:?}", constant.name, constant.value);
                forgotten.extend((!header.iter().any(|l| l.ends_with(&line))).then_some(line));
            })+
        };
    }
    look_for!(STATUSES EVENT_TYPES EVENT_FLAGS SUBSCRIBE_FLAGS INSPECT_FLAGS ENGINE_NEWS KINDS STATES POD_STATES POD_FLAGS);
    look_for!(MISSING CHANGED CONTAINER_FLAGS MOUNT_FLAGS WATCHER_STATES LOG_LEVELS TEXTS);
    if forgotten.is_empty() { Ok(()) } else { Err(format!("the header lacks {forgotten:?}").into()) }
}

fn no_number_is_reused() -> Result<(), Failed> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for line in values()? {
        let (name, value) = line.split_once(" = ").ok_or("a constant without a value")?;
        let family = name.split_once(": ").map_or("", |(family, _)| family);
        if let Some(other) = owners.insert(format!("{family} = {value}"), name.to_owned()) {
            return Err(format!("{other} and {name} are both {value}").into());
        }
    }
    Ok(())
}

fn struct_layout() -> Result<Completion, Failed> {
    if !cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
        return Ok(Completion::ignored_with("the committed layout is that of x86_64"));
    }
    let text = output_of(&layout::program(&header()?))?;
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    promised("tests/abi/layout-x86_64.txt", &lines, comes_last)?;
    Ok(Completion::Completed)
}

/// A new field lies behind all that its struct had before; of a struct of fixed size there can be none.
fn comes_last(line: &str, committed: &[&str]) -> Result<(), String> {
    let place = |line: &str| {
        let (name, rest) = line.split_once('.')?;
        let offset = rest.split_once(": offset ")?.1.split(',').next()?.parse::<usize>().ok()?;
        Some((name.to_owned(), offset))
    };
    let Some((name, offset)) = place(line) else {
        return Ok(());
    };
    let before = committed.iter().filter_map(|line| place(line)).filter(|(owner, _)| *owner == name);
    match before.map(|(_, offset)| offset).max() {
        Some(last) if offset <= last => Err(format!("{line} comes before fields that were there already")),
        Some(_) if committed.iter().any(|l| l.starts_with(&format!("{name}: fixed"))) => {
            Err(format!("{line}: {name} may not grow"))
        }
        _ => Ok(()),
    }
}

fn the_lists_notice() -> Result<(), Failed> {
    let committed = ["a.x: offset 0, size 4", "a.y: offset 8, size 8", "b: fixed size 8", "b.p: offset 0, size 8"];
    let with = |line: &str, addition: Addition| {
        let lines: Vec<_> = committed.iter().copied().chain([line]).map(str::to_owned).collect();
        additions(&committed, &lines, addition).map(|new| new.len())
    };
    let without: Vec<_> = committed[1..].iter().map(|line| (*line).to_owned()).collect();
    let judged = [
        with("a.z: offset 16, size 8", comes_last) == Ok(1),
        with("c.q: offset 0, size 8", comes_last) == Ok(1),
        with("a.x2: offset 4, size 4", comes_last).is_err(),
        with("b.q: offset 8, size 8", comes_last).is_err(),
        with("anything", may_be_added) == Ok(1),
        additions(&committed, &without, may_be_added).is_err(),
    ];
    if judged == [true; 6] { Ok(()) } else { Err(format!("{judged:?}").into()) }
}

/// Compiles a program that includes the header, and runs it; what it writes.
fn output_of(program: &str) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let (source, executable) = (folder.path().join("program.c"), folder.path().join("program"));
    fs::write(&source, program)?;
    let mut compile = Command::new(c::cc());
    compile.args(["-std=c11", "-Werror", "-Wall", "-I"]).arg(c::root().join("include"));
    c::succeed(compile.arg(&source).arg("-o").arg(&executable))?;
    Ok(c::succeed(&mut Command::new(&executable))?)
}

/// The new header without the fields that its growing structs have behind those of the old one: they are allowed, and
/// abidiff's own suppression of them hides other changes of the same struct, too.
fn without_new_fields(new: &str, old: &str) -> String {
    let mut text = new.to_owned();
    for (name, before) in layout::structs(old) {
        let opening = format!("typedef struct {name} {{");
        let body =
            text.split_once(&opening).and_then(|(_, rest)| rest.split_once('}')).map(|(body, _)| body.to_owned());
        if let Some(body) = body.filter(|_| before.first().is_some_and(|field| field == "struct_size")) {
            let kept: String = body.split_inclusive(';').take(before.len()).collect();
            text = text.replace(&format!("{opening}{body}}}"), &format!("{opening}{kept}\n}}"));
        }
    }
    text
}

/// What abidiff says of two headers: nothing, or a report. It is shown libraries made from the headers, because in the
/// Rust library it does not see structs that are only reached through a callback's pointer.
fn abidiff(tool: &Abidiff, old: &str, new: &str) -> Result<Option<String>, Failed> {
    let folder = tempfile::tempdir()?;
    let (old, new) = (c::without_comments(old), c::without_comments(new));
    let stubs = [stub(folder.path(), "old", &old)?, stub(folder.path(), "new", &without_new_fields(&new, &old))?];
    let mut command = Command::new(&tool.program);
    command.envs(tool.libraries.iter().map(|folder| ("LD_LIBRARY_PATH", folder)));
    command.arg("--no-added-syms").args(&stubs);
    let output = command.output()?;
    match output.status.code() {
        Some(0) => Ok(None),
        // The bits 1 and 2 are errors of abidiff itself.
        Some(code) if code & 3 == 0 => Ok(Some(c::text(&output))),
        _ => Err(format!("{command:?}: {}\n{}", output.status, c::text(&output)).into()),
    }
}

/// A library with every function of the header, all of them empty.
fn stub(folder: &Path, name: &str, header: &str) -> Result<PathBuf, Failed> {
    let folder = folder.join(name);
    fs::create_dir(&folder)?;
    let mut source = String::from("#include \"criwatch.h\"\n");
    for prototype in header.split(';').map(str::trim) {
        let is_function = prototype.contains('(') && prototype.ends_with(')') && !prototype.starts_with("typedef");
        let prototype = prototype.rsplit_once("\n\n").map_or(prototype, |(_, last)| last);
        if is_function {
            let body = if prototype.starts_with("void ") { "{ }" } else { "{ return 0; }" };
            source += &format!("{prototype}\n{body}\n");
        }
    }
    if c::functions(&source) != c::functions(header) {
        return Err(format!("not every function got into the stub:\n{source}").into());
    }
    fs::write(folder.join("criwatch.h"), header)?;
    fs::write(folder.join("stub.c"), source)?;
    let library = folder.join("libcriwatch.so.1");
    let mut command = Command::new(c::cc());
    command.args(["-g", "-shared", "-fPIC", "-Wl,-soname,libcriwatch.so.1", "-o"]).arg(&library);
    c::succeed(command.arg(folder.join("stub.c")))?;
    Ok(library)
}

/// The header of the last release, the newest of tests/abi.
fn released() -> Result<Option<String>, Failed> {
    let mut newest: Option<(Vec<u32>, PathBuf)> = None;
    for entry in fs::read_dir(c::root().join("tests/abi"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(version) = name.strip_prefix("criwatch-").and_then(|rest| rest.strip_suffix(".h")) {
            let version: Vec<u32> = version.split('.').map(str::parse).collect::<Result<_, _>>()?;
            newest = newest.max(Some((version, path)));
        }
    }
    Ok(newest.map(|(_, path)| fs::read_to_string(path)).transpose()?)
}

/// abidiff: the machine's own, or Debian's, fetched and not installed.
struct Abidiff {
    program: PathBuf,
    /// Where its libraries are, if they came along.
    libraries: Option<PathBuf>,
}

/// The tool, or why there is none.
fn tool() -> Result<&'static Abidiff, &'static str> {
    static TOOL: OnceLock<Result<Abidiff, String>> = OnceLock::new();
    let found = TOOL.get_or_init(|| {
        if c::is_there("abidiff") {
            return Ok(Abidiff { program: "abidiff".into(), libraries: None });
        }
        let output =
            Command::new("sh").arg(c::root().join("tests/lab/abidiff.sh")).output().map_err(|e| e.to_string())?;
        let (complaints, folder) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        if !output.status.success() {
            let reason = complaints.lines().last().unwrap_or("it gave no reason").trim_start_matches("lab: ");
            return Err(format!("abidiff is not installed, and not to be had: {reason} (apt install abigail-tools)"));
        }
        let folder = Path::new(folder.trim_end());
        Ok(Abidiff { program: folder.join("bin/abidiff"), libraries: Some(folder.join("lib")) })
    });
    found.as_ref().map_err(String::as_str)
}

fn no_abi_change() -> Result<Completion, Failed> {
    let abidiff = match tool() {
        Ok(tool) => |old: &str, new: &str| abidiff(tool, old, new),
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let Some(released) = released()? else {
        return Ok(Completion::ignored_with("nothing was released yet: there is no tests/abi/criwatch-VERSION.h"));
    };
    match abidiff(&released, &header()?)? {
        None => Ok(Completion::Completed),
        Some(report) => Err(format!("the ABI promise is broken (docs/abi.md):\n{report}").into()),
    }
}

/// The present header with one text replaced.
fn altered(from: &str, to: &str) -> Result<String, Failed> {
    let header = header()?;
    if header.matches(from).count() != 1 {
        return Err(format!("{from:?} stands {} times in the header", header.matches(from).count()).into());
    }
    Ok(header.replace(from, to))
}

fn additions_pass() -> Result<Completion, Failed> {
    let abidiff = match tool() {
        Ok(tool) => |old: &str, new: &str| abidiff(tool, old, new),
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let additions = [
        ("} cri_event;", "    uint64_t later;\n} cri_event;"),
        ("} cri_pod;", "    const char *later;\n} cri_pod;"),
        ("const char *cri_version(void);", "const char *cri_version(void);\n\nuint32_t cri_later(void);"),
    ];
    for (from, to) in additions {
        if let Some(report) = abidiff(&header()?, &altered(from, to)?)? {
            return Err(format!("{to:?} is allowed, and reported:\n{report}").into());
        }
    }
    Ok(Completion::Completed)
}

fn changes_are_caught() -> Result<Completion, Failed> {
    let abidiff = match tool() {
        Ok(tool) => |old: &str, new: &str| abidiff(tool, old, new),
        Err(reason) => return Ok(Completion::ignored_with(reason)),
    };
    let changes = [
        // Reached through a callback's pointer only, for one; grown in the middle; of another type.
        ("    uint64_t lost;", "    uint32_t lost;\n    uint32_t gained;", "cri_event"),
        ("    uint64_t seq;", "    uint64_t epoch;\n    uint64_t seq;", "cri_event"),
        ("    int32_t pid;", "    int64_t pid;", "cri_container"),
        ("} cri_label;", "    const char *origin;\n} cri_label;", "cri_label"),
        ("typedef int32_t cri_status;", "typedef int64_t cri_status;", "cri_status"),
        ("uint32_t cri_abi_version(void);", "uint64_t cri_abi_version(void);", "cri_abi_version"),
        ("uint32_t cri_abi_version(void);", "", "cri_abi_version"),
        ("(uint32_t level, const char *message,", "(uint64_t level, const char *message,", "cri_log_fn"),
    ];
    for (from, to, named) in changes {
        let report = abidiff(&header()?, &altered(from, to)?)?.unwrap_or_default();
        if !report.contains(named) {
            return Err(format!("{from:?} became {to:?}, and abidiff says of {named}: {report:?}").into());
        }
    }
    let same: BTreeSet<_> = [abidiff(&header()?, &header()?)?].into_iter().flatten().collect();
    if same.is_empty() { Ok(Completion::Completed) } else { Err(format!("of equal headers: {same:?}").into()) }
}
