//! Typed CRI clients, for what the watcher itself does not offer.

use tonic::transport::Channel;

use super::Watcher;
use crate::cri::proto::image_service_client::ImageServiceClient;
use crate::cri::proto::runtime_service_client::RuntimeServiceClient;
use crate::cri::{Client, connect};
use crate::error::Result;

/// Clients for the engine's own RPCs. Their types (`criwatch::cri::proto`) come from the CRI and tonic, and are not
/// part of this crate's stable API. The clients can also call RPCs that change things. Each has its own connection, so
/// it outlives the watcher.
impl Watcher {
    /// A client of the engine's RuntimeService. Call it inside a tokio runtime: the connection runs on it.
    ///
    /// ```no_run
    /// # async fn version() -> Result<(), Box<dyn std::error::Error>> {
    /// use criwatch::cri::proto::VersionRequest;
    /// use criwatch::{config::Config, watcher::Watcher};
    ///
    /// let watcher = Watcher::new(Some("/run/containerd/containerd.sock"), Config::default())?;
    /// let mut runtime = watcher.runtime_service().await?;
    /// let version = runtime.version(VersionRequest::default()).await?.into_inner();
    /// println!("{} {}", version.runtime_name, version.runtime_version);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn runtime_service(&self) -> Result<RuntimeServiceClient<Channel>> {
        Ok(self.client().await?.runtime())
    }

    /// A client of the engine's ImageService. Call it inside a tokio runtime: the connection runs on it.
    pub async fn image_service(&self) -> Result<ImageServiceClient<Channel>> {
        Ok(self.client().await?.images())
    }

    async fn client(&self) -> Result<Client> {
        self.check_fork()?;
        Ok(connect(self.endpoint.as_ref(), &self.config, self.shared.meter(), &|_| ()).await?.client)
    }
}
