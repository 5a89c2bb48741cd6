//! A user's program: the containers of the engine at the address that is its argument.

use criwatch::{config::Config, watcher::Watcher};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args().nth(1);
    let watcher = Watcher::new(endpoint.as_deref(), Config::default())?;
    watcher.resync(Some(std::time::Duration::from_secs(60)))?;
    for container in watcher.containers()? {
        println!("{} {}", container.id, container.path());
    }
    Ok(())
}
