//! Reaching the engine, also when nobody named it.

use std::sync::Arc;

use super::client::Client;
use super::endpoint::Endpoint;
use super::meter::Meter;
use crate::config::Config;
use crate::error::{CRI_E_CONNECT, CRI_E_PERMISSION, Error, Result};

/// A connection to the engine there; `None`: to the first that answers on a well-known socket. The meter counts what is
/// asked for on it.
pub async fn connect(endpoint: Option<&Endpoint>, config: &Config, meter: &Arc<Meter>) -> Result<Client> {
    match endpoint {
        Some(endpoint) => Client::connect(endpoint, config, meter).await,
        None => connect_first(Endpoint::well_known(&config.host_root), config, meter).await,
    }
}

/// The first of these endpoints whose engine answers. When none does, the error says for each why not.
async fn connect_first(
    endpoints: impl Iterator<Item = Endpoint>,
    config: &Config,
    meter: &Arc<Meter>,
) -> Result<Client> {
    let mut failures = Vec::new();
    for endpoint in endpoints {
        match Client::connect(&endpoint, config, meter).await {
            Ok(client) => return Ok(client),
            Err(failure) => failures.push(failure),
        }
    }
    Err(none_answers(&failures))
}

fn none_answers(failures: &[Error]) -> Error {
    let each: Vec<_> = failures.iter().map(|e| format!("\n  {e}")).collect();
    let message = format!("no engine answers on the well-known sockets (name an endpoint):{}", each.concat());
    // A refused permission is the one cause that somebody can do something about at once.
    let refused = failures.iter().find(|e| e.status() == CRI_E_PERMISSION);
    let reported = refused.or_else(|| failures.iter().rfind(|e| e.os_code() != Some(libc::ENOENT)));
    let it = Error::new(reported.map_or(CRI_E_CONNECT, Error::status), message);
    it.with_os_code(reported.or(failures.first()).and_then(Error::os_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_permission_stands_out_among_absent_sockets() {
        let absent = Error::new(CRI_E_CONNECT, "connect unix:///a: no such socket").with_os_code(Some(libc::ENOENT));
        let refused =
            Error::new(CRI_E_PERMISSION, "connect unix:///b: permission denied").with_os_code(Some(libc::EACCES));
        let all = none_answers(&[absent.clone(), refused, absent.clone()]);
        assert_eq!((all.status(), all.os_code()), (CRI_E_PERMISSION, Some(libc::EACCES)));
        assert_eq!(all.message().lines().count(), 4);
        assert_eq!(none_answers(&[absent]).status(), CRI_E_CONNECT);
    }
}
