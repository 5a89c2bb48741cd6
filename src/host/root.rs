//! The directory at which the host's root is mounted.

use std::fs;
use std::path::Path;

use crate::error::{CRI_E_OPTION, Error, Result};

/// Refuses a root directory (option `host.root`) in which nothing of a host can be found.
pub fn check_root(root: &Path) -> Result<()> {
    let refuse = |why: String| {
        let message =
            format!("option host.root: {root:?} {why} (name the directory at which the host's root is mounted)");
        Err(Error::new(CRI_E_OPTION, message))
    };
    if !root.is_absolute() {
        return refuse("is not an absolute path".into());
    }
    match fs::metadata(root) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => refuse("is not a directory".into()),
        Err(e) => refuse(format!("cannot be used: {e}")).map_err(|it| it.with_os_code(e.raw_os_error())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_directory_is_refused_by_name() {
        check_root(Path::new("/")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        check_root(folder.path()).unwrap();
        let absent = folder.path().join("absent");
        let e = check_root(&absent).unwrap_err();
        assert_eq!((e.status(), e.os_code()), (CRI_E_OPTION, Some(libc::ENOENT)));
        assert!(e.message().starts_with(&format!("option host.root: {absent:?} cannot be used: No such file")), "{e}");
        assert!(e.message().ends_with("(name the directory at which the host's root is mounted)"), "{e}");
        fs::write(&absent, "").unwrap();
        assert!(check_root(&absent).unwrap_err().message().contains("is not a directory"));
        assert!(check_root(Path::new("host")).unwrap_err().message().contains("not an absolute path"));
        check_root(Path::new("")).unwrap_err();
    }
}
