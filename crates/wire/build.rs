//! Compiles the protos without a system `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let includes = ["../../proto/goplugin", "../../proto/vault", "../../proto/internal"];
    let files = [
        "goplugin.proto",
        "health.proto",
        "logical.proto",
        "multiplexing.proto",
        "backend.proto",
        "common.proto",
        "catalog.proto",
        "launcher.proto",
        "router.proto",
    ];
    println!("cargo:rerun-if-changed=../../proto");
    let descriptors = protox::compile(files, includes)?;
    tonic_prost_build::configure()
        .bytes(".pb")
        .bytes(".mortise")
        .codec_path("crate::codec::Protobuf")
        // Large, and moved from future to future on their way.
        .boxed(".pb.HandleRequestArgs.request")
        .boxed(".pb.HandleExistenceCheckArgs.request")
        .boxed(".pb.HandleRequestReply.response")
        .boxed(".mortise.launcher.v1.Call.request")
        .emit_rerun_if_changed(false)
        .include_file("generated.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
