//! criwatch call: any request to the engine.

use std::io::Read;

use super::Example;
use crate::args::Global;
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, print_document};
use crate::terminal::Out;

pub const EXAMPLES: &[Example] = &[
    ("the engine's version", "criwatch call Version"),
    ("the images of a repository", "criwatch call ImageService/ListImages '{}' | jq -r '.images[].repoTags[]'"),
];

/// Make any request of CRI to the engine
///
/// Makes one request of CRI to the engine, and prints the answer as JSON. A request that can change something needs --option
/// call.allow_mutations=true.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request, e.g. RuntimeService/ListContainers; the service may be left out
    #[arg(value_name = "RPC")]
    rpc: String,
    /// The message of the request, as JSON; - reads it from stdin
    #[arg(value_name = "JSON")]
    request: Option<String>,
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "json", help_heading = "Output")]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Json,
    Yaml,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let request = match args.request.as_deref() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::system("stdin", &error))?;
            Some(text)
        }
        given => given.map(str::to_owned),
    };
    let watcher = engine::connect(global, "call")?;
    let rpc = whole(&args.rpc);
    let answer = watcher.call(&rpc, request.as_deref(), Some(global.timeout))?;
    let form = if args.output == Form::Yaml { DocumentForm::Yaml } else { DocumentForm::Json };
    print_document(out, answer.as_str(), form)?;
    Ok(Exit::Ok)
}

/// The request with its service. Requests about images are the image service's.
fn whole(rpc: &str) -> String {
    match rpc {
        _ if rpc.contains('/') => rpc.to_owned(),
        _ if rpc.contains("Image") => format!("ImageService/{rpc}"),
        _ => format!("RuntimeService/{rpc}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_may_be_left_out() {
        assert_eq!(whole("Version"), "RuntimeService/Version");
        assert_eq!(whole("ImageFsInfo"), "ImageService/ImageFsInfo");
        assert_eq!(whole("RuntimeService/Status"), "RuntimeService/Status");
    }
}
