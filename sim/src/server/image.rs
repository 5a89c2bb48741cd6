//! ImageService: it shows the images that containers use or that were pulled, with invented content.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tonic::codegen::async_trait;
use tonic::{Request, Response, Status};

use crate::engine::Engine;
use crate::pb::{self, image_service_server::ImageService};
use crate::rng::digest;
use crate::store::repository;

type Reply<T> = std::result::Result<Response<T>, Status>;

pub struct Images {
    engine: Arc<Engine>,
    pulled: Mutex<BTreeSet<String>>,
}

impl Images {
    pub fn new(engine: Arc<Engine>) -> Self {
        Images { engine, pulled: Mutex::default() }
    }

    fn all(&self) -> Vec<pb::Image> {
        let mut names = self.pulled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let store = self.engine.store();
        names.extend(store.containers.values().filter_map(|c| c.config.image.as_ref()).map(|i| i.image.clone()));
        names.iter().map(|name| image(name)).collect()
    }
}

/// The image with this name. As in `image_id` and `image_ref` of containers, two names are two images.
fn image(name: &str) -> pb::Image {
    pb::Image {
        id: digest(name),
        repo_tags: vec![name.to_owned()],
        repo_digests: vec![repo_digest(name)],
        size: 1_000_000 + name.len() as u64,
        ..Default::default()
    }
}

fn repo_digest(name: &str) -> String {
    format!("{}@{}", repository(name), digest(&format!("{name}@repo")))
}

/// Finds an image by its name, its id or its repo digest.
fn is_called(image: &pb::Image, name: &str) -> bool {
    image.id == name || image.repo_tags.iter().chain(&image.repo_digests).any(|n| n == name)
}

#[async_trait]
impl ImageService for Images {
    async fn list_images(&self, request: Request<pb::ListImagesRequest>) -> Reply<pb::ListImagesResponse> {
        let wanted = request.into_inner().filter.and_then(|f| f.image).map(|i| i.image).unwrap_or_default();
        let images = self.all().into_iter().filter(|i| wanted.is_empty() || is_called(i, &wanted)).collect();
        Ok(Response::new(pb::ListImagesResponse { images }))
    }

    /// The status of an image. For an unknown one, the answer is empty, and no error.
    async fn image_status(&self, request: Request<pb::ImageStatusRequest>) -> Reply<pb::ImageStatusResponse> {
        let wanted = request.into_inner().image.unwrap_or_default().image;
        let image = self.all().into_iter().find(|i| is_called(i, &wanted));
        Ok(Response::new(pb::ImageStatusResponse { image, ..Default::default() }))
    }

    async fn pull_image(&self, request: Request<pb::PullImageRequest>) -> Reply<pb::PullImageResponse> {
        let name = request.into_inner().image.unwrap_or_default().image;
        if name.is_empty() {
            return Err(Status::unknown("failed to parse image reference \"\": invalid reference format"));
        }
        let image_ref = digest(&name);
        self.pulled.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        Ok(Response::new(pb::PullImageResponse { image_ref }))
    }

    async fn image_fs_info(&self, _: Request<pb::ImageFsInfoRequest>) -> Reply<pb::ImageFsInfoResponse> {
        let used: u64 = self.all().iter().map(|i| i.size).sum();
        let usage = pb::FilesystemUsage {
            timestamp: self.engine.now(),
            fs_id: Some(pb::FilesystemIdentifier { mountpoint: "/var/lib/containerd/snapshots".into() }),
            used_bytes: Some(pb::UInt64Value { value: used }),
            inodes_used: Some(pb::UInt64Value { value: self.all().len() as u64 }),
        };
        Ok(Response::new(pb::ImageFsInfoResponse {
            image_filesystems: vec![usage.clone()],
            container_filesystems: vec![usage],
        }))
    }
}
