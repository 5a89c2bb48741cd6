//! Generates the gRPC server from ../proto/api.proto (the whole CRI v1), and a client for the tests.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../proto/api.proto");
    let mut descriptors = protox::compile(["api.proto"], ["../proto"])?;
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let (server, client) = (out.join("server"), out.join("client"));
    fs::create_dir_all(&server)?;
    fs::create_dir_all(&client)?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .generate_default_stubs(true)
        .out_dir(server)
        .compile_fds(descriptors.clone())?;
    // The tests are a client in another process, as a real one would be; the binary itself has no client code.
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .out_dir(client)
        .compile_fds(descriptors)?;
    Ok(())
}
