//! criwatch version: of the command and of the engine.

use serde_json::json;

use crate::args::Global;
use crate::engine;
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_document};
use crate::terminal::Out;
use crate::text::{Look, Word};

/// Print the versions of this command and of the engine
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the version of this command
    #[arg(long)]
    client: bool,
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: DocumentForm,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let mut document = json!({"schema": "criwatch.version/1", "criwatch": version});
    let is_table = args.output == DocumentForm::Table;
    if is_table {
        // Printed even if no engine answers.
        out.line(&["criwatch ".into(), Word::new(version, Look::Bold)])?;
    }
    if !args.client {
        let watcher = engine::connect(global, "version")?;
        let answer = parsed(watcher.call("RuntimeService/Version", None, Some(global.timeout))?.as_str())?;
        let api = watcher.engine()?.api.to_string();
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        if is_table {
            let engine =
                format!("{} [API {}]", text("runtimeVersion").trim_start_matches('v'), text("runtimeApiVersion"));
            out.line(&[
                format!("{:<9}", text("runtimeName")).into(),
                Word::new(engine, Look::Bold),
                format!("at {api}").into(),
            ])?;
        }
        document["engine"] = answer;
        document["endpoint"] = api.into();
    }
    if !is_table {
        print_document(out, &document.to_string(), args.output)?;
    }
    Ok(Exit::Ok)
}
