//! The program's documentation beside its help: the manual page cri-sim(1), and the tables of docs/simulator.md. All
//! are made from the command line (`options`), the language of scripts (`script::language`) and the profiles.

use clap::CommandFactory;
use clap_mangen::roff::{Roff, bold, roman};

use crate::help::WIDTH;
use crate::options::Options;
use crate::profile::Profile;
use crate::script::language::{self, Chapter};

/// The manual page cri-sim(1).
pub fn manual() -> Vec<u8> {
    let man = clap_mangen::Man::new(Options::command().term_width(WIDTH))
        .manual("criwatch")
        .source(format!("cri-sim {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    let mut write = || -> std::io::Result<()> {
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)
    };
    write().expect("a vector can be written");
    let mut roff = Roff::new();
    roff.control("SH", ["SCRIPTS"]);
    roff.text([roman(language::LINES)]);
    for chapter in language::chapters() {
        section(&mut roff, chapter);
    }
    roff.control("SH", ["PROFILES"]);
    for profile in Profile::all() {
        roff.control("TP", []);
        roff.text([bold(profile.name)]).text([roman(profile.about)]);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("criwatch"), roman("(1), "), bold("crictl"), roman("(1)")]);
    page.extend(roff.to_roff().into_bytes());
    page
}

fn section(roff: &mut Roff, chapter: &Chapter) {
    roff.control("SH", [chapter.title.to_uppercase().as_str()]);
    if !chapter.about.is_empty() {
        roff.text([roman(chapter.about)]);
    }
    for entry in chapter.entries {
        roff.control("TP", []);
        roff.text([bold(entry.usage)]).text([roman(entry.does)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_80_columns() {
        let help = Options::command().term_width(WIDTH).render_long_help().to_string();
        let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        for entry in language::chapters().flat_map(|chapter| chapter.entries) {
            assert!(help.contains(&format!("\n  {}\n", entry.usage)), "{:?} is not in the help", entry.usage);
        }
    }

    #[test]
    fn the_manual_page_is_committed() {
        is_committed("docs/man/cri-sim.1", |_| String::from_utf8(manual()).unwrap());
    }

    #[test]
    fn the_guide_has_every_command_and_profile() {
        is_committed("docs/simulator.md", |guide| {
            let guide = with_table(guide, "options", &options());
            let guide = with_table(&guide, "commands", &commands());
            with_table(&guide, "profiles", &profiles())
        });
    }

    /// Compares a file of the repository with its wanted text; CRI_BLESS=1 writes it anew.
    fn is_committed(file: &str, wanted: impl Fn(&str) -> String) {
        let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let wanted = wanted(&committed);
        if std::env::var_os("CRI_BLESS").is_some() {
            return std::fs::write(&path, wanted).unwrap();
        }
        assert!(committed == wanted, "{file} is not what the source says: CRI_BLESS=1 writes it anew");
    }

    /// The guide with this table between its marks.
    fn with_table(guide: &str, name: &str, table: &str) -> String {
        let (begin, end) = (format!("<!-- made from sim/src: {name} -->\n"), format!("<!-- end of {name} -->\n"));
        let (before, rest) = guide.split_once(&begin).unwrap_or_else(|| panic!("the guide has no {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("the guide has no {end}"));
        format!("{before}{begin}\n{table}\n{end}{after}")
    }

    fn options() -> String {
        let command = Options::command();
        let mut table = "| option | |\n|---|---|\n".to_owned();
        for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
            let Some(long) = option.get_long() else { continue };
            let value = option.get_value_names().and_then(|names| names.first()).map(|name| format!(" {name}"));
            let value = value.filter(|_| option.get_action().takes_values()).unwrap_or_default();
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            let default = option.get_default_values().first().filter(|_| !option.is_hide_default_value_set());
            let default = default.map(|value| format!(" [default: {}]", value.display())).unwrap_or_default();
            table += &row(&format!("--{long}{value}"), &format!("{help}{default}"));
        }
        table
    }

    fn commands() -> String {
        let mut text = vec![format!("{}\n", language::LINES)];
        for chapter in language::chapters() {
            let about = if chapter.about.is_empty() { String::new() } else { format!("{}\n\n", chapter.about) };
            let rows: String = chapter.entries.iter().map(|entry| row(entry.usage, entry.does)).collect();
            text.push(format!("### {}\n\n{about}| | |\n|---|---|\n{rows}", chapter.title));
        }
        text.join("\n")
    }

    fn profiles() -> String {
        let rows: String = Profile::all().map(|profile| row(profile.name, profile.about)).collect();
        format!("| `--profile` | how it differs |\n|---|---|\n{rows}")
    }

    fn row(code: &str, text: &str) -> String {
        let escaped = |text: &str| text.replace('|', "\\|");
        format!("| `{}` | {} |\n", escaped(code), escaped(text))
    }
}
