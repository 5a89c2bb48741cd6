//! The help, the messages about wrong command lines, and the manual page. They are clap's, with examples that are not
//! broken into lines.

use std::ffi::OsString;

use clap::error::{Error, ErrorKind};
use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::commands::EXAMPLES;
use crate::exit::MEANINGS;
use crate::text::filled;

/// The requested help, with its examples; `words` are those of the command line.
pub fn help_of(error: &Error, words: &[String]) -> String {
    let mut text = error.render().to_string().trim_end().to_owned() + "\n";
    if error.kind() != ErrorKind::DisplayHelp {
        return text;
    }
    let asked = EXAMPLES.iter().find(|(name, _)| words.iter().any(|word| word == name));
    match asked {
        Some((_, examples)) => {
            if !examples.is_empty() {
                text += "\nExamples:\n";
            }
            for (what, command) in *examples {
                text += &format!("  # {what}\n  {command}\n");
            }
        }
        None => text += &exit_codes(),
    }
    text
}

fn exit_codes() -> String {
    let width = crate::terminal::help_width();
    let mut text = "\nExit codes:\n".to_owned();
    for (code, meaning) in MEANINGS {
        let lines = filled(meaning, width - 8);
        for (number, line) in lines.iter().enumerate() {
            text += &if number == 0 { format!("  {code:>3}  {line}\n") } else { format!("       {line}\n") };
        }
    }
    text
}

/// What is wrong with a command line, in one line that ends with where to find help.
pub fn complaint(error: &Error, words: &[OsString]) -> String {
    let text = error.render().to_string();
    let mut said = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("For more information") || line.starts_with("Usage: ") {
            continue;
        }
        let line = line.trim_start_matches("error: ");
        match line.strip_prefix("tip: ") {
            _ if said.is_empty() => said = line.to_owned(),
            Some(tip) => said += &format!("; {tip}"),
            None => said += &format!(" {line}"),
        }
    }
    let command = super::command();
    let is_command = |word: &&OsString| command.get_subcommands().any(|it| *it.get_name() == ***word);
    let named = words.iter().skip(1).find(is_command).map(|word| format!("criwatch {}", word.display()));
    format!("{said} (see {} --help)", named.as_deref().unwrap_or("criwatch"))
}

const OUTPUT: &str = "On a terminal, tables are coloured and fit its width, and JSON is indented. If a table is too wide, ids are \
                      shortened first, then columns are left out, and then names are cut in the middle; --no-trunc shows \
                      everything. In files and pipes, tables are plain: they always have the same columns, no cell is empty or \
                      has a space inside, and - means that a value is unknown or does not apply. JSON is then what the library \
                      writes, one document in each line. AGE is the time since the present state began. RESTARTS is the attempt \
                      that the engine reports. docs/json.md describes the documents.";

const ENVIRONMENT: &[(&str, &str)] = &[
    ("CRI_RUNTIME_ENDPOINT", "The engine's socket, unless -r gives it."),
    ("CONTAINER_RUNTIME_ENDPOINT", "The engine's socket, if CRI_RUNTIME_ENDPOINT is not set."),
    ("NO_COLOR", "If it is set and not empty: no colours."),
];

/// The manual page criwatch(1).
pub fn manual() -> Vec<u8> {
    let whole = super::command().term_width(80);
    let man = clap_mangen::Man::new(whole.clone())
        .manual("criwatch")
        .source(format!("criwatch {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    let mut write = || -> std::io::Result<()> {
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
        Ok(())
    };
    write().expect("a vector can be written");
    let mut roff = Roff::new();
    for command in whole.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(&mut roff, command);
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in MEANINGS {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]).text([roman(*meaning)]);
    }
    roff.control("SH", ["OUTPUT"]);
    roff.text([roman(OUTPUT)]);
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        roff.control("TP", []);
        roff.text([bold(*name)]).text([roman(*meaning)]);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("criwatch"), roman("(3), "), bold("crictl"), roman("(1)")]);
    page.extend(roff.to_roff().into_bytes());
    page
}

fn section(roff: &mut Roff, command: &clap::Command) {
    let name = command.get_name();
    roff.control("SH", [format!("criwatch {name}").to_uppercase().as_str()]);
    let about = command.get_long_about().or(command.get_about());
    roff.text([roman(about.map(ToString::to_string).unwrap_or_default())]);
    let own = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()));
    for arg in own {
        roff.control("TP", []);
        roff.text(flags(arg));
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        roff.text([roman(help)]);
    }
    let examples = EXAMPLES.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, examples)| examples);
    for (what, example) in examples {
        roff.control("PP", []);
        roff.text([roman(format!("{what}:"))]);
        roff.control("PP", []).control("RS", ["4"]).control("nf", []);
        roff.text([bold(*example)]);
        roff.control("fi", []).control("RE", []);
    }
}

fn flags(arg: &clap::Arg) -> Vec<Inline> {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = value.filter(|_| arg.get_action().takes_values());
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let mut line = vec![bold(names.join(", "))];
    if let Some(value) = value {
        line.push(roman(if names.is_empty() { value } else { format!(" {value}") }));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CRI_BLESS=1 writes it anew.
    #[test]
    fn the_manual_page_is_committed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/man/criwatch.1");
        let page = String::from_utf8(manual()).unwrap();
        if std::env::var_os("CRI_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(page, std::fs::read_to_string(path).unwrap_or_default(), "CRI_BLESS=1 writes {path} anew");
    }
}
