//! Generates the gRPC client and, for the C ABI, the header; both into OUT_DIR. `tests/header.rs` compares the header
//! with the committed one.

#[path = "build/client.rs"]
mod client;
#[cfg(feature = "capi")]
#[path = "build/header.rs"]
mod header;
#[path = "build/observed.rs"]
mod observed;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    client::generate()?;
    #[cfg(feature = "capi")]
    {
        header::inputs().for_each(|path| println!("cargo:rerun-if-changed={path}"));
        header::write(&std::path::Path::new(&std::env::var("OUT_DIR")?).join("criwatch.h"))?;
        link_arguments();
    }
    Ok(())
}

/// How the shared library presents itself to the loader.
#[cfg(feature = "capi")]
fn link_arguments() {
    // cargo-c, which a build script cannot see, adds the same one: see package.metadata.capi in Cargo.toml.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcriwatch.so.1");
    // Rust's thread-local destructors keep the library mapped anyhow; this says so.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
