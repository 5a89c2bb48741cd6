//! Reads a container's OCI runtime specification from the engine's folder of the container.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::folders::Folders;
use crate::cri::spec::RuntimeSpec;
use crate::host::below::Root;

/// The longest specification that is read. Kubernetes allows 256 KiB of annotations; a much longer file is none of this
/// engine's.
const LONGEST: u64 = 4 << 20;

/// The name of the container's image, as the engine wrote it into the specification's annotations. Takes 40 us.
///
/// An event's status has the image's first tag, which may differ from the one that the pod's author wrote. `None` if
/// the file does not exist, cannot be read, or has no name; the engine's lists and verbose statuses have the name
/// later.
pub(in crate::cri) fn image_name(folders: &Folders, root: &Root, id: &str) -> Option<Arc<str>> {
    let text = folders.specs(id).iter().find_map(|file| read(root, file).ok())?;
    let spec: RuntimeSpec = serde_json::from_str(&text).ok()?;
    spec.requested_image().map(Arc::from)
}

fn read(root: &Root, file: &Path) -> io::Result<String> {
    let open = root.open_file(file)?;
    if !open.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    open.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}
