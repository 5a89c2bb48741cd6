//! The parts of `--help` beside the options: what the program is, the language of scripts, and the profiles.

use crate::profile::Profile;
use crate::script::language;

pub const ABOUT: &str = "A simulated CRI engine on a unix socket, for tests of programs that talk to one";
pub const LONG_ABOUT: &str = "A simulated CRI engine on a unix socket, for tests of programs that talk to one. It behaves like containerd, \
                              CRI-O or cri-dockerd; its containers are real processes that do nothing. It needs no root, no image \
                              and no network.\n\n\
                              It prints `ready unix://SOCKET ...` once it accepts connections. SIGTERM, SIGINT, `quit`, the end of a \
                              script on stdin and the end of --duration end its processes and remove what it made; it then exits \
                              with 0.";
pub const MORE: &str = "--help has the commands of scripts, too.";

/// Columns of the help.
pub const WIDTH: usize = 80;
const INDENT: usize = 6;

/// The language of scripts and the profiles, for --help.
pub fn script_help() -> String {
    let mut text = format!("Scripts:\n{}", indented(language::LINES, 2));
    for chapter in language::chapters() {
        text += &format!("\n{}:\n", chapter.title);
        if !chapter.about.is_empty() {
            text += &indented(chapter.about, 2);
        }
        for entry in chapter.entries {
            text += &format!("  {}\n{}", entry.usage, indented(entry.does, INDENT));
        }
    }
    text += "\nProfiles:\n";
    for profile in Profile::all() {
        text += &format!("  {}\n{}", profile.name, indented(profile.about, INDENT));
    }
    text.trim_end().to_owned()
}

/// The text in lines that begin with so many spaces.
fn indented(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > WIDTH {
            lines += &format!("{:indent$}{line}\n", "");
            line.clear();
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    lines + &format!("{:indent$}{line}\n", "")
}
