//! deploy/image.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Obstacle, Outcome, c};

/// Writes an image of a program.
pub fn write(name: &str, program: &Path, output: &Path) -> Result<String, Obstacle> {
    if !c::is_there("python3") {
        return Err(Obstacle::Skip("python3 is not installed".into()));
    }
    Ok(c::succeed(Command::new(c::root().join("deploy/image")).arg(name).arg(output).arg(program))?)
}

/// A program of this machine.
fn compiled(folder: &TempDir, flags: &[&str]) -> Result<PathBuf, Obstacle> {
    let (source, program) = (folder.path().join("hello.c"), folder.path().join("hello"));
    std::fs::write(&source, "int main(void) { return 0; }")?;
    let mut command = Command::new(c::cc());
    match c::succeed(command.args(flags).arg(&source).arg("-o").arg(&program)) {
        Ok(_) => Ok(program),
        Err(_) => Err(Obstacle::Skip(format!("{:?} {flags:?} makes no program", c::cc()))),
    }
}

pub fn is_the_same_each_time() -> Outcome {
    let folder = tempfile::tempdir()?;
    let program = compiled(&folder, &["-static"])?;
    let (first, second) = (folder.path().join("1.tar"), folder.path().join("2.tar"));
    let told = write("localhost/hello:1", &program, &first)?;
    // Another time of the file is no other program.
    Command::new("touch").args(["--date", "2001-01-01"]).arg(&program).status()?;
    let again = write("localhost/hello:1", &program, &second)?;
    if told == again && std::fs::read(first)? == std::fs::read(second)? {
        Ok(())
    } else {
        Err(Obstacle::Fail(format!("{told}{again}")))
    }
}

pub fn has_the_program_and_nothing_else() -> Outcome {
    let folder = tempfile::tempdir()?;
    let program = compiled(&folder, &["-static"])?;
    let output = folder.path().join("image.tar");
    write("localhost/hello:1", &program, &output)?;
    c::succeed(Command::new("tar").arg("xf").arg(&output).arg("-C").arg(folder.path()))?;
    let blobs = std::fs::read_dir(folder.path().join("blobs/sha256"))?.collect::<Result<Vec<_>, _>>()?;
    let mut layers = 0;
    for blob in blobs.iter().map(std::fs::DirEntry::path) {
        let sum = c::succeed(Command::new("sha256sum").arg(&blob))?;
        if !blob.ends_with(&sum[..64]) {
            return Err(Obstacle::Fail(format!("{} is {sum}", blob.display())));
        }
        let Ok(listed) = c::succeed(Command::new("tar").arg("tf").arg(&blob)) else { continue };
        layers += 1;
        if listed != "hello\n" {
            return Err(Obstacle::Fail(format!("the layer has {listed}")));
        }
    }
    // Layer, configuration, manifest, index.
    if (blobs.len(), layers) == (4, 1) {
        Ok(())
    } else {
        Err(Obstacle::Fail(format!("{} blobs, {layers} layers", blobs.len())))
    }
}

pub fn refuses_a_program_that_needs_libraries() -> Outcome {
    let folder = tempfile::tempdir()?;
    let program = compiled(&folder, &[])?;
    match write("localhost/hello:1", &program, &folder.path().join("image.tar")) {
        Err(Obstacle::Fail(told)) if told.contains("build it statically") => Ok(()),
        Ok(told) => Err(Obstacle::Fail(told)),
        Err(other) => Err(other),
    }
}
