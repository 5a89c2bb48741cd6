//! The documentation's site and the manual pages: they can be made, nothing in them leads nowhere, and they are of today.
//! Readers can search the site, and read it on any screen.

#[path = "support/c.rs"]
mod c;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

type Outcome = Result<Completion, Failed>;

fn main() {
    let trials = vec![
        Trial::ignorable_test("the_site_builds_without_a_dead_link", || of_site(|_| Ok(Completion::Completed))),
        Trial::ignorable_test("every_page_can_be_reached", || of_site(every_page_can_be_reached)),
        Trial::ignorable_test("every_page_has_the_frame", || of_site(every_page_has_the_frame)),
        Trial::ignorable_test("every_language_has_its_reference", || of_site(every_language_has_its_reference)),
        Trial::ignorable_test("the_reference_has_all_of_the_header", || of_site(the_reference_has_all_of_the_header)),
        Trial::ignorable_test("the_quick_start_shows_what_the_readmes_show", || of_site(the_quick_start_shows)),
        Trial::ignorable_test("the_search_knows_every_language", || of_site(the_search_knows_every_language)),
        Trial::ignorable_test("the_search_puts_names_first", || of_site(the_search_puts_names_first)),
        Trial::ignorable_test("a_browser_finds_no_fault", || of_site(|site| a_browser_finds_no_fault(site, &[]))),
        Trial::ignorable_test("a_browser_sees_what_is_wrong", || of_site(a_browser_sees_what_is_wrong)),
        // Hundreds of pages that rustdoc makes.
        Trial::ignorable_test("a_browser_finds_no_fault_on_any_page", || {
            of_site(|site| a_browser_finds_no_fault(site, &["--all"]))
        })
        .with_ignored_flag(true),
        Trial::ignorable_test("a_dead_link_is_found", a_dead_link_is_found),
        Trial::ignorable_test("a_screen_becomes_a_picture", a_screen_becomes_a_picture),
        Trial::ignorable_test("pictures_are_what_their_screens_say", pictures_are_current),
        Trial::ignorable_test("the_manual_page_is_what_the_header_says", the_manual_page_is_current),
        Trial::ignorable_test("manual_pages_have_no_fault", manual_pages_have_no_fault),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The site of this run.
struct Site {
    folder: PathBuf,
    /// The build's output: it names what was left out.
    printed: String,
}

/// The reason why there is no site: this machine lacks something, or something is wrong.
enum Obstacle {
    Skip(String),
    Fail(String),
}

/// Builds the site, once, and looks at it.
fn of_site(look: impl Fn(&Site) -> Outcome) -> Outcome {
    static BUILT: OnceLock<Result<Site, Obstacle>> = OnceLock::new();
    match BUILT.get_or_init(build) {
        Ok(site) => look(site),
        Err(Obstacle::Skip(reason)) => Ok(Completion::ignored_with(reason.clone())),
        Err(Obstacle::Fail(what)) => Err(what.clone().into()),
    }
}

fn build() -> Result<Site, Obstacle> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("Cargo's target folder");
    let mut command = Command::new(c::root().join("scripts/docs"));
    let output = command.arg(&folder).env("CARGO_TARGET_DIR", target).output();
    let output = output.map_err(|e| Obstacle::Fail(format!("scripts/docs: {e}")))?;
    match output.status.code() {
        Some(0) => Ok(Site { folder, printed: c::text(&output) }),
        Some(77) => Err(Obstacle::Skip(last_line(&output))),
        _ => Err(Obstacle::Fail(c::text(&output))),
    }
}

fn last_line(output: &Output) -> String {
    c::text(output).trim_end().rsplit('\n').next().unwrap_or_default().to_owned()
}

/// From the first page, by links alone: each text of `docs/`, and each manual page that is shown.
fn every_page_can_be_reached(site: &Site) -> Outcome {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![site.folder.join("index.html")];
    while let Some(page) = waiting.pop() {
        let page = fs::canonicalize(&page).map_err(|e| format!("{}: {e}", page.display()))?;
        // The pages of the crate are many, and lead to no others of ours.
        if !reached.insert(page.clone()) || page.starts_with(site.folder.join("api/rust")) {
            continue;
        }
        let here = page.parent().expect("a page's folder");
        waiting.extend(links(&fs::read_to_string(&page)?).map(|link| here.join(link)));
    }
    for document in names_in("docs", "md")? {
        let page = site.folder.join(&document).with_extension("html");
        if !reached.contains(&page) {
            return Err(format!("docs/{document} cannot be reached from the first page").into());
        }
    }
    Ok(Completion::Completed)
}

/// The targets of a page's links within the site.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("<a ").skip(1).filter_map(|tag| tag.split_once("href=\"")?.1.split('"').next());
    let pages = targets.map(|target| target.split('#').next().unwrap_or_default());
    pages.filter(|page| page.ends_with(".html") && !page.contains(':'))
}

/// The names in a folder of the repository with this extension.
fn names_in(folder: &str, extension: &str) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for entry in fs::read_dir(c::root().join(folder))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == extension) {
            names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
    if names.is_empty() { Err(format!("{folder} has no .{extension}").into()) } else { Ok(names) }
}

/// References whose tool this machine lacks are left out, and named.
fn every_language_has_its_reference(site: &Site) -> Outcome {
    let left_out: Vec<_> = site.printed.lines().filter_map(|line| line.strip_prefix("left out: ")).collect();
    let pages = [
        ("C", "c.html"),
        ("C++", "cpp.html"),
        ("Go", "go.html"),
        ("Python", "python.html"),
        ("Rust", "rust/criwatch/index.html"),
    ];
    for (language, page) in pages {
        let is_there = site.folder.join("api").join(page).is_file();
        let is_named = left_out.iter().any(|line| line.starts_with(&format!("{language} reference: ")));
        if is_there == is_named {
            return Err(format!("{language}: there is {is_there}, left out {is_named}:\n{}", site.printed).into());
        }
    }
    if left_out.is_empty() { Ok(Completion::Completed) } else { Ok(Completion::ignored_with(left_out.join("; "))) }
}

/// Each function, and each constant, type and macro: an anchor, and its text.
fn the_reference_has_all_of_the_header(site: &Site) -> Outcome {
    let header = fs::read_to_string(c::root().join("include/criwatch.h"))?;
    let page = fs::read_to_string(site.folder.join("api/c.html"))?;
    let mut names = c::functions(&header);
    let code = c::without_comments(&header);
    names.extend(code.lines().filter_map(|line| {
        let name = line.strip_prefix("#define CRI_")?;
        Some(format!("CRI_{}", name.split([' ', '(']).next()?))
    }));
    names.extend(code.lines().filter_map(|line| {
        let name = line.strip_prefix("typedef struct ")?.trim_end_matches([' ', '{', ';']);
        Some(name.split(' ').next()?.to_owned())
    }));
    let missing: Vec<_> = names.iter().filter(|name| !page.contains(&format!("id=\"{name}\""))).collect();
    if names.len() < 100 || !missing.is_empty() {
        return Err(format!("of {} names these have no anchor: {missing:?}", names.len()).into());
    }
    Ok(Completion::Completed)
}

/// Those of the crate and the sources, too: a reader finds the contents and the search everywhere.
fn every_page_has_the_frame(site: &Site) -> Outcome {
    let mut folders = vec![site.folder.clone()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let page = fs::read_to_string(&path)?;
                let frame =
                    ["<header class=\"bar\">", "id=\"site-contents\"", "/search.js\"", "<main id=\"site-text\""];
                let missing = frame.iter().find(|part| !page.replace("\"search.js", "\"/search.js").contains(**part));
                if let Some(part) = missing {
                    return Err(format!("{} lacks {part}", path.display()).into());
                }
                count += 1;
            }
        }
    }
    // A page of each text, at least.
    if count < names_in("docs", "md")?.len() {
        Err(format!("only {count} pages").into())
    } else {
        Ok(Completion::Completed)
    }
}

/// An entry of the search: its title, and where it leads.
type Entry = (String, String, String, String, i32);

fn index_of(site: &Site) -> Result<Vec<Entry>, Failed> {
    let script = fs::read_to_string(site.folder.join("search-index.js"))?;
    let json = script.strip_prefix("var criwatchIndex = ").and_then(|rest| rest.strip_suffix(";\n"));
    Ok(serde_json::from_str(json.ok_or("search-index.js is no list")?)?)
}

/// A function of each language that is there, an option, and a heading; and no entry leads to a page that is not there.
fn the_search_knows_every_language(site: &Site) -> Outcome {
    let entries = index_of(site)?;
    let mut wanted = vec![
        ("cri_watcher_resync", "api/c.html#cri_watcher_resync"),
        ("Watcher.resync", "api/python.html#Watcher.resync"),
        ("Guarantees", "events.html#guarantees"),
    ];
    if site.folder.join("api/go.html").is_file() {
        wanted.push(("Watcher.Resync", "api/go.html#Watcher.Resync"));
    }
    if site.folder.join("api/rust").is_dir() {
        wanted.push(("Watcher::resync", "api/rust/criwatch/watcher/struct.Watcher.html#method.resync"));
    }
    for (title, href) in wanted {
        if !entries.iter().any(|entry| entry.0 == title && entry.1 == href) {
            return Err(format!("no entry of {} is {title}: {href}", entries.len()).into());
        }
    }
    let pages: BTreeSet<_> = entries.iter().map(|entry| entry.1.split('#').next().unwrap_or_default()).collect();
    let dead: Vec<_> = pages.iter().filter(|page| !site.folder.join(page).is_file()).collect();
    if dead.is_empty() { Ok(Completion::Completed) } else { Err(format!("entries lead nowhere: {dead:?}").into()) }
}

/// The search itself, as the pages run it.
fn the_search_puts_names_first(site: &Site) -> Outcome {
    if !c::is_there("node") {
        return Ok(Completion::ignored_with("node is not installed"));
    }
    let script = "
        const { find } = require(process.argv[1] + '/search.js');
        const text = require('fs').readFileSync(process.argv[1] + '/search-index.js', 'utf8');
        const index = new Function(text + 'return criwatchIndex')();
        for (const query of process.argv.slice(2)) console.log(find(index, query)[0]?.[1] ?? 'nothing');
    ";
    let expected = [
        ("cri_watcher_resync", "api/c.html#cri_watcher_resync"),
        ("CRI_EVENT_STARTED", "api/c.html#CRI_EVENT_STARTED"),
        ("events guarantees", "events.html#guarantees"),
        ("watcher.resync", "api/"),
        ("no such words anywhere", "nothing"),
    ];
    let mut command = Command::new("node");
    command.args(["-e", script]).arg(&site.folder).args(expected.map(|(query, _)| query));
    let output = command.output()?;
    let found = c::text(&output);
    for ((query, href), line) in expected.iter().zip(found.lines()) {
        if !line.starts_with(href) {
            return Err(format!("{query} leads to {line}, not to {href}").into());
        }
    }
    if found.lines().count() == expected.len() { Ok(Completion::Completed) } else { Err(found.into()) }
}

/// Chromium opens the pages: nothing is wider than a phone, a tablet or a laptop; the contents fold; text has contrast;
/// controls have names; the search finds; nothing comes from a network.
fn a_browser_finds_no_fault(site: &Site, which: &[&str]) -> Outcome {
    let mut command = Command::new("python3");
    command.arg(c::root().join("docs/site/look.py")).args(which).arg(&site.folder);
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output()?;
    match output.status.code() {
        Some(0) => Ok(Completion::Completed),
        Some(77) => Ok(Completion::ignored_with(last_line(&output))),
        _ => Err(c::text(&output).into()),
    }
}

/// The same on a page that has one of each fault.
fn a_browser_sees_what_is_wrong(site: &Site) -> Outcome {
    let copy = tempfile::tempdir()?;
    for entry in fs::read_dir(&site.folder)? {
        let path = entry?.path();
        let is_page = path.file_name().is_some_and(|name| name == "events.html");
        if is_page || path.extension().is_some_and(|extension| extension == "css" || extension == "js") {
            fs::copy(&path, copy.path().join(path.file_name().expect("a name")))?;
        }
    }
    let faults = "<div style=\"width: 1500px\">broad</div> <p style=\"color: #999\">faint</p> <button></button> <img src=\"\"> \
                  <script>nothing()</script> <script src=\"https://127.0.0.1:9/x.js\"></script></main>";
    let page = fs::read_to_string(copy.path().join("events.html"))?.replace("</main>", faults);
    fs::write(copy.path().join("events.html"), page)?;
    let mut command = Command::new("python3");
    command.arg(c::root().join("docs/site/look.py")).arg(copy.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output()?;
    if output.status.code() == Some(77) {
        return Ok(Completion::ignored_with(last_line(&output)));
    }
    let said = c::text(&output);
    let expected = [
        "wider than 390 pixels: div: broad",
        "wider than 1400 pixels: div: broad",
        "contrast 2.8, light: faint",
        "<button></button>",
        "a picture without words",
        "nothing is not defined",
        "loads https://127.0.0.1:9/x.js from the network",
    ];
    match expected.iter().find(|part| !said.contains(**part)) {
        None => Ok(Completion::Completed),
        Some(part) => Err(format!("no {part:?} in:\n{said}").into()),
    }
}

/// The code of the quick start is that of the README, which tests/quick_start.rs runs.
fn the_quick_start_shows(site: &Site) -> Outcome {
    let page = plain(&fs::read_to_string(site.folder.join("quick-start.html"))?);
    let text = fs::read_to_string(c::root().join("README.md"))?;
    for language in ["c", "cpp", "go", "python", "rust"] {
        let code = text.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
        let code = code.ok_or_else(|| format!("README.md has no {language}"))?;
        if !page.contains(code.trim()) {
            return Err(format!("docs/quick-start.md does not show the {language} of README.md").into());
        }
    }
    Ok(Completion::Completed)
}

/// The text of a page, without its marks.
fn plain(html: &str) -> String {
    let text: String = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect();
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (mark, character)| text.replace(mark, character))
}

/// The checker of links, on a site that has one of each fault.
fn a_dead_link_is_found() -> Outcome {
    if !c::is_there("python3") {
        return Ok(Completion::ignored_with("python3 is not installed"));
    }
    let faults = BTreeMap::from([
        ("<a href=\"nowhere.html\">x</a>", "a dead link: nowhere.html"),
        ("<a href=\"good.html#no\">x</a>", "a link to an anchor that is not there: good.html#no"),
        ("<img src=\"none.png\">", "a dead link: none.png"),
        ("<script src=\"https://example.org/x.js\"></script>", "loads https://example.org/x.js from the network"),
    ]);
    for (fault, message) in faults {
        let site = tempfile::tempdir()?;
        fs::write(site.path().join("good.html"), "<h2 id=\"yes\">x</h2><a href=\"index.html#top\">x</a>")?;
        let good = "<a href=\"good.html#yes\">x</a> <a href=\"https://example.org/\">x</a>";
        fs::write(site.path().join("index.html"), good)?;
        let check = || Command::new("python3").arg(c::root().join("docs/site/links.py")).arg(site.path()).output();
        let output = check()?;
        assert!(output.status.success() && c::text(&output).is_empty(), "{}", c::text(&output));
        fs::write(site.path().join("index.html"), format!("{good}{fault}"))?;
        let output = check()?;
        assert_eq!((output.status.code(), c::text(&output)), (Some(1), format!("index.html: {message}\n")));
    }
    Ok(Completion::Completed)
}

/// Colours, wide characters, and what only a terminal understands.
fn a_screen_becomes_a_picture() -> Outcome {
    if !c::is_there("python3") {
        return Ok(Completion::ignored_with("python3 is not installed"));
    }
    let script = r"import screen; print(screen.picture('\x1b]0;a <title>\x07ab \x1b[1;31mred\x1b[0m\x1b[2K\n\u5bb9 x\x1b[7m&\x1b[0m\n\n', ''))";
    let mut command = Command::new("python3");
    command.args(["-c", script]).current_dir(c::root().join("docs/site")).env("PYTHONDONTWRITEBYTECODE", "1");
    let picture = c::text(&command.output()?);
    let expected = [
        "<title id=\"title\">a &lt;title&gt;</title>",
        // Three cells from the side, three cells long.
        "<text class=\"bold c1\" x=\"39.2\" y=\"47\" textLength=\"25.2\"",
        // A wide character takes two cells, and what is reversed has a ground.
        "textLength=\"33.6\" lengthAdjust=\"spacingAndGlyphs\">\u{5bb9} x</text>",
        "<rect class=\"by\" x=\"47.6\" y=\"52\" width=\"8.4\" height=\"18\"/>",
        ">&amp;</text>",
        "@media (prefers-color-scheme: dark)",
    ];
    for part in expected {
        assert!(picture.contains(part), "no {part} in:\n{picture}");
    }
    assert!(!picture.contains('\u{1b}'), "{picture}");
    Ok(Completion::Completed)
}

fn pictures_are_current() -> Outcome {
    made_anew("screen.py")
}

fn the_manual_page_is_current() -> Outcome {
    made_anew("manual.py")
}

/// Makes anew with CRI_BLESS what a script of the site makes in `docs/`, and compares otherwise.
fn made_anew(script: &str) -> Outcome {
    if !c::is_there("python3") {
        return Ok(Completion::ignored_with("python3 is not installed"));
    }
    let mut command = Command::new("python3");
    command.arg(c::root().join("docs/site").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    if std::env::var_os("CRI_BLESS").is_none() {
        command.arg("--check");
    }
    c::succeed(&mut command)?;
    Ok(Completion::Completed)
}

/// groff has nothing to say of any of them, and they have what a manual page has to have.
fn manual_pages_have_no_fault() -> Outcome {
    if !c::is_there("groff") {
        return Ok(Completion::ignored_with("groff is not installed"));
    }
    let names = names_in("docs/man", "3")?.into_iter().chain(names_in("docs/man", "1").unwrap_or_default());
    for name in names {
        let page = c::root().join("docs/man").join(&name);
        let mut command = Command::new("groff");
        let output = command.args(["-man", "-ww", "-Tutf8", "-P-cbou"]).arg(page).output()?;
        let (text, complaints) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        assert!(output.status.success() && complaints.is_empty(), "{name}: {complaints}");
        for part in ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"] {
            assert!(text.lines().any(|line| line == part), "{name} has no {part}");
        }
    }
    Ok(Completion::Completed)
}
