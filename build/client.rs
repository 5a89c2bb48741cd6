//! Generates the gRPC client from proto/api.proto, without a protoc binary.

use std::error::Error;
use std::path::Path;

use protox::prost::Message;

use super::observed;

pub fn generate() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto/api.proto");
    let mut descriptors = protox::compile(["proto/api.proto"], ["proto"])?;
    for file in &mut descriptors.file {
        // Comments in the .proto are for readers of the .proto; as rustdoc they would trip lints.
        file.source_code_info = None;
    }
    // The descriptors of the messages for src/cri/call; they are embedded with the feature `call`.
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("api.descriptors"), descriptors.encode_to_vec())?;
    let observed = observed::descriptors(&descriptors);
    std::fs::write(Path::new(&out).join("shapes.rs"), observed::shapes(&observed))?;
    tonic_prost_build::configure().build_server(false).build_transport(false).compile_fds(descriptors)?;
    let shared = observed::sharing(&observed).fold(tonic_prost_build::configure(), |builder, path| builder.bytes(path));
    shared.build_server(false).build_client(false).compile_fds(observed)?;
    Ok(())
}
