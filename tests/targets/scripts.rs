//! scripts/targets and scripts/rustc-for, where nothing has to be built.

use libtest_mimic::Failed;

use super::c::{self, succeed};
use super::foreign::{fact, script};

pub fn table_is_whole() -> Result<(), Failed> {
    let targets = succeed(&mut script("targets"))?;
    if targets.lines().count() != 4 {
        return Err(targets.into());
    }
    for target in targets.lines() {
        let (machine, libc) = (fact(target, "machine")?, fact(target, "libc")?);
        let environment = if libc == "glibc" { "gnu" } else { &libc };
        if target != format!("{machine}-unknown-linux-{environment}") {
            return Err(format!("{target} is {machine} with {libc}").into());
        }
        for name in ["floor", "zig", "debian", "go", "loader"] {
            fact(target, name)?;
        }
    }
    match fact("sparc-sun-solaris", "zig") {
        Err(text) if text.contains("sparc-sun-solaris") && text.contains("aarch64-unknown-linux-musl") => Ok(()),
        other => Err(format!("an unknown target: {other:?}").into()),
    }
}

/// A standard library of one version and a compiler of another give errors that nobody understands.
pub fn refuses_another_source() -> Result<(), Failed> {
    let source = tempfile::tempdir()?;
    std::fs::create_dir_all(source.path().join("library/std"))?;
    std::fs::create_dir_all(source.path().join("src"))?;
    std::fs::write(source.path().join("library/std/Cargo.toml"), "")?;
    std::fs::write(source.path().join("src/version"), "1.2.3\n")?;
    // A target that nobody has installed.
    let output = script("rustc-for").arg("s390x-unknown-linux-musl").env("RUST_SRC", source.path()).output()?;
    let text = c::text(&output);
    if output.status.success() || !text.contains("is Rust 1.2.3") { Err(text.into()) } else { Ok(()) }
}
