//! Runs a program where there is nothing but the program and the engine's socket, as in an image that is made `FROM scratch`.

use std::path::Path;
use std::process::Command;

use super::c::succeed;
use super::sim::Sim;

/// What a program printed that was given the engine's endpoint in an empty root, in which a container runs; and that container's id. An
/// inner error says what this machine lacks.
pub fn run(program: &Path) -> Result<Result<(String, String), &'static str>, String> {
    let root = tempfile::tempdir().map_err(|e| e.to_string())?;
    // What chroot ends with where it got in, and there is no such program.
    let nothing = enter(root.path()).arg("/nothing").output().map_err(|e| format!("chroot: {e}"))?;
    if nothing.status.code() != Some(127) {
        return Ok(Err("this user may not change the root folder"));
    }
    std::fs::copy(program, root.path().join("program")).map_err(|e| format!("{}: {e}", program.display()))?;
    let mut sim = Sim::start_at(&root.path().join("cri.sock"), &[])?;
    let id = sim.make("pod web ns=shop nginx")?;
    let printed = succeed(enter(root.path()).args(["/program", "unix:///cri.sock"]))?;
    Ok(Ok((printed, id)))
}

/// The command that runs its further arguments in a root folder. Root may do so; others may in a user namespace of their own.
fn enter(root: &Path) -> Command {
    // SAFETY: geteuid takes nothing and cannot fail.
    let mut command = if unsafe { libc::geteuid() } == 0 {
        Command::new("chroot")
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    command.arg(root);
    command
}
