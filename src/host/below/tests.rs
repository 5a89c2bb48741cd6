use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

/// A host's files below a folder, and a file outside that no path may reach.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Tree(tempfile::tempdir().unwrap());
        for dir in ["host/run/deep/er", "host/var", "run"] {
            fs::create_dir_all(tree.at(dir)).unwrap();
        }
        fs::write(tree.at("run/x"), "ours").unwrap();
        fs::write(tree.at("host/run/x"), "theirs").unwrap();
        symlink("/run", tree.at("host/var/run")).unwrap();
        symlink("../../../../../run/x", tree.at("host/run/deep/up")).unwrap();
        symlink("run", tree.at("host/relative")).unwrap();
        symlink("loop", tree.at("host/loop")).unwrap();
        symlink("/var/run/deep/../x", tree.at("host/long-way")).unwrap();
        tree
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn root(&self) -> PathBuf {
        self.at("host")
    }
}

/// The results by openat2 and by walking, which have to be equal: the content, or the errno.
fn both(tree: &Tree, path: &str) -> (Result<String, i32>, Result<String, i32>) {
    let root = || open_at(libc::AT_FDCWD, &tree.root(), libc::O_PATH | libc::O_DIRECTORY).unwrap();
    let read = |opened: io::Result<OwnedFd>| {
        let mut text = String::new();
        match opened.map(File::from).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => Ok(text),
            Err(error) => Err(error.raw_os_error().unwrap()),
        }
    };
    let kernels = read(open_in_root(root().as_fd(), Path::new(path), libc::O_RDONLY));
    (kernels, read(walk::open(root(), Path::new(path), libc::O_RDONLY)))
}

#[test]
fn links_and_dots_stay_below_the_root_in_both_ways() {
    let tree = Tree::new();
    let theirs = || Ok("theirs".to_owned());
    for (path, want) in [
        ("/run/x", theirs()),
        ("run/x", theirs()),
        ("/var/run/x", theirs()),
        ("/run/deep/up", theirs()),
        ("/../../run/x", theirs()),
        ("/relative/./deep/er/../../x", theirs()),
        ("/long-way", theirs()),
        ("/loop", Err(libc::ELOOP)),
        ("/nothing", Err(libc::ENOENT)),
        ("/run/x/y", Err(libc::ENOTDIR)),
        ("/run/x/", Err(libc::ENOTDIR)),
        ("/run/x/.", Err(libc::ENOTDIR)),
        ("/run/x/../x", Err(libc::ENOTDIR)),
        ("//run//x", theirs()),
    ] {
        let (kernels, walked) = both(&tree, path);
        assert_eq!(walked, want, "{path}, walked");
        match kernels {
            // Without openat2, everything is done by walking.
            Err(libc::ENOSYS | libc::EPERM) => {}
            kernels => assert_eq!(kernels, want, "{path}, openat2"),
        }
    }
}

#[test]
fn joined_paths_would_have_left_the_root() {
    let tree = Tree::new();
    // This is why joining texts is wrong: for this process, the link leads to its own /run.
    assert_eq!(fs::read_link(tree.root().join("var/run")).unwrap(), Path::new("/run"));
    let fd = open_path_below(&tree.root(), Path::new("/var/run/x")).unwrap();
    assert_eq!(real_path(fd.as_fd()).unwrap(), fs::canonicalize(tree.at("host/run/x")).unwrap());
    // SAFETY: F_GETFD reads flags of an open descriptor.
    assert_ne!(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) } & libc::FD_CLOEXEC, 0);
}

#[test]
fn the_root_itself_is_as_open_sees_it() {
    let tree = Tree::new();
    let text = |path: PathBuf| {
        let mut text = String::new();
        open_file_below(Path::new("/"), &path).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(text(tree.at("host/run/x")), "theirs");
    // Links of /proc lead out of every root. With the root `/`, that is intended.
    assert_eq!(text(Path::new("/proc/self/root").join(tree.at("run/x").strip_prefix("/").unwrap())), "ours");
}

#[test]
fn a_process_s_root_is_a_root() {
    let tree = Tree::new();
    let root = Path::new("/proc/self/root").join(tree.root().strip_prefix("/").unwrap());
    let mut text = String::new();
    open_file_below(&root, Path::new("/var/run/x")).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "theirs");
}

#[test]
fn the_links_of_proc_lead_nowhere_below_another_root() {
    let root = || open_at(libc::AT_FDCWD, Path::new("/proc"), libc::O_PATH | libc::O_DIRECTORY).unwrap();
    for path in ["self/root/etc", "self/cwd", "self/fd/0"] {
        let walked = walk::open(root(), Path::new(path), libc::O_PATH).unwrap_err();
        assert_eq!(walked.raw_os_error(), Some(libc::EXDEV), "{path}");
        let kernels = open_in_root(root().as_fd(), Path::new(path), libc::O_PATH).unwrap_err();
        assert!(
            matches!(kernels.raw_os_error(), Some(libc::EXDEV | libc::ELOOP | libc::ENOSYS | libc::EPERM)),
            "{kernels}"
        );
    }
    // Links that are texts can be followed.
    let comm = walk::open(root(), Path::new("self/comm"), libc::O_RDONLY).unwrap();
    assert!(!io::read_to_string(File::from(comm)).unwrap().is_empty());
}

#[test]
fn a_fifo_does_not_block() {
    let tree = Tree::new();
    let fifo = CString::new(tree.at("host/run/fifo").as_os_str().as_bytes()).unwrap();
    // SAFETY: a path that ends in NUL.
    assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) }, 0);
    open_file_below(&tree.root(), Path::new("/run/fifo")).unwrap();
}

fn says_hello(listener: &UnixListener, to: &ConnectPath) {
    let mut stream = UnixStream::connect(to.path()).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    other.write_all(b"hello").unwrap();
    drop(other);
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

#[test]
fn a_socket_below_the_root_is_reached_through_its_links() {
    let tree = Tree::new();
    let listener = UnixListener::bind(tree.at("host/run/engine.sock")).unwrap();
    let to = path_for_connect(&tree.root(), Path::new("/var/run/engine.sock")).unwrap();
    assert!(to.is_indirect());
    says_hello(&listener, &to);
    let none = path_for_connect(&tree.root(), Path::new("/var/run/other.sock")).unwrap_err();
    assert_eq!(none.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_path_too_long_for_a_socket_is_reached_as_well() {
    let tree = Tree::new();
    let long = tree.at(&format!("host/{}", "l".repeat(120)));
    fs::create_dir(&long).unwrap();
    // It can be made only from inside that folder, or through a link.
    let short = tree.at("s");
    symlink(&long, &short).unwrap();
    let listener = UnixListener::bind(short.join("e")).unwrap();
    let path = long.join("e");
    assert!(UnixStream::connect(&path).is_err(), "longer than 107 bytes");
    let to = path_for_connect(Path::new("/"), &path).unwrap();
    assert!(to.path().as_os_str().len() <= 107);
    says_hello(&listener, &to);
}

#[test]
fn a_path_that_fits_stays_as_it_is() {
    let to = path_for_connect(Path::new("/"), Path::new("/run/nobody/listens.sock")).unwrap();
    assert_eq!((to.path(), to.is_indirect()), (Path::new("/run/nobody/listens.sock"), false));
}

#[test]
fn a_socket_that_was_made_anew_is_another() {
    let tree = Tree::new();
    let path = tree.at("host/run/engine.sock");
    let first = UnixListener::bind(&path).unwrap();
    let old = path_for_connect(&tree.root(), Path::new("/run/engine.sock")).unwrap();
    drop(first);
    fs::remove_file(&path).unwrap();
    let second = UnixListener::bind(&path).unwrap();
    assert!(UnixStream::connect(old.path()).is_err());
    says_hello(&second, &path_for_connect(&tree.root(), Path::new("/run/engine.sock")).unwrap());
}
