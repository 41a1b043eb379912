//! Compiles the protos without a system `protoc`.

use std::{error::Error, fmt::Write};

use prost_build::{Config, Method, Service, ServiceGenerator};

fn main() -> Result<(), Box<dyn Error>> {
    let includes = ["../../proto/goplugin", "../../proto/vault", "../../proto/internal"];
    let files = [
        "goplugin.proto",
        "health.proto",
        "logical.proto",
        "multiplexing.proto",
        "backend.proto",
        "database.proto",
        "common.proto",
        "catalog.proto",
        "launcher.proto",
        "router.proto",
    ];
    println!("cargo:rerun-if-changed=../../proto");
    let descriptors = protox::compile(files, includes)?;
    let tonic = tonic_prost_build::configure().codec_path("crate::codec::Protobuf").service_generator();
    Config::new()
        .bytes([".pb", ".mortise"])
        // Large, and moved from future to future on their way.
        .boxed(".pb.HandleRequestArgs.request")
        .boxed(".pb.HandleExistenceCheckArgs.request")
        .boxed(".pb.HandleRequestReply.response")
        .boxed(".mortise.launcher.v1.Call.request")
        // Passwords are in nearly all of them.
        .skip_debug([".dbplugin.v5"])
        .service_generator(Box::new(Seams { tonic }))
        .include_file("generated.rs")
        .compile_fds(descriptors)?;
    Ok(())
}

/// Writes tonic's client and server of every service, and for our own ones the seam: what a caller holds, whether the
/// service is in the same process or in another one.
struct Seams {
    tonic: Box<dyn ServiceGenerator>,
}

impl ServiceGenerator for Seams {
    fn generate(&mut self, service: Service, code: &mut String) {
        if service.package.starts_with("mortise.") {
            code.push_str(&seam(&service));
        }
        self.tonic.generate(service, code);
    }
}

fn seam(service: &Service) -> String {
    let name = &service.name;
    // So tonic calls its modules; the names of our services are one word each.
    let module = name.to_ascii_lowercase();
    let methods: Vec<String> = service.methods.iter().map(method).collect();
    let streams = service.methods.iter().filter(|method| method.server_streaming).fold(
        String::new(),
        |mut all, method| {
            let Method { proto_name, output_type, .. } = method;
            let _ = write!(all, "{proto_name}Stream = tonic::codegen::BoxStream<{output_type}>,");
            all
        },
    );
    format!(
        "
        /// The service `{name}`, in this process or in another one.
        pub type {name}Seam = crate::Seam<
            dyn {module}_server::{name}<{streams}>,
            {module}_client::{name}Client<tonic::transport::Channel>,
        >;
        impl {name}Seam {{
            /// A connection to the service's process.
            pub fn remote(channel: tonic::transport::Channel) -> Self {{
                let client = {module}_client::{name}Client::new(channel);
                let limit = crate::PLUGIN_MESSAGE_LIMIT;
                Self::There(client.max_decoding_message_size(limit).max_encoding_message_size(limit))
            }}
            {}
        }}
        ",
        methods.concat()
    )
}

fn method(method: &Method) -> String {
    let Method { name, input_type, output_type, .. } = method;
    assert!(!method.client_streaming, "{name}: seams carry no streams of requests");
    let (answer, boxed) = match method.server_streaming {
        true => (
            format!("tonic::codegen::BoxStream<{output_type}>"),
            ".map(|answer| answer.map(|stream| Box::pin(stream) as _))",
        ),
        false => (output_type.clone(), ""),
    };
    let mut comment = String::new();
    method.comments.append_with_indent(0, &mut comment);
    format!(
        "
        {comment}
        pub fn {name}(&self, request: {input_type}) -> crate::Answer<'_, {answer}> {{
            match self {{
                Self::Here(service) => service.{name}(tonic::Request::new(request)),
                Self::There(client) => {{
                    let (mut client, request) = (client.clone(), crate::request_id::called(request));
                    Box::pin(async move {{ client.{name}(request).await{boxed} }})
                }}
            }}
        }}
        "
    )
}
