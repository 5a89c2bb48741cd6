//! The images that containers were made from, and their tags. An image may have several tags, or none any more.

use std::collections::BTreeMap;

use super::{Store, repository};
use crate::rng::digest;

#[derive(Debug, Default)]
pub struct Images(BTreeMap<String, Image>);

#[derive(Debug)]
struct Image {
    /// Its first name.
    first: String,
    tags: Vec<String>,
}

impl Images {
    /// The id of the image with this tag or id. An unknown name makes a new image.
    pub fn of(&mut self, name: &str) -> String {
        if let Some(id) = self.find(name) {
            return id;
        }
        let id = digest(name);
        self.0.insert(id.clone(), Image { first: name.to_owned(), tags: vec![name.to_owned()] });
        id
    }

    fn find(&self, name: &str) -> Option<String> {
        let is_it = |(id, image): &(&String, &Image)| *id == name || image.tags.iter().any(|tag| tag == name);
        self.0.iter().find(is_it).map(|(id, _)| id.clone())
    }

    pub fn first_tag(&self, id: &str) -> Option<&str> {
        self.0.get(id)?.tags.first().map(String::as_str)
    }

    /// The reference with the digest of its manifest.
    pub fn reference(&self, id: &str) -> String {
        let first = self.0.get(id).map_or("", |image| image.first.as_str());
        format!("{}@{}", repository(first), digest(&format!("{first}@repo")))
    }
}

impl Store {
    /// Gives the image another tag, and returns the image's id.
    pub fn tag(&mut self, tag: &str, image: &str) -> String {
        let id = self.images.of(image);
        if let Some(image) = self.images.0.get_mut(&id) {
            image.tags.push(tag.to_owned());
        }
        self.name_images();
        id
    }

    /// Removes a tag; the image and its containers stay. `None`: there is no such tag.
    pub fn untag(&mut self, tag: &str) -> Option<String> {
        let id = self.images.find(tag).filter(|id| id != tag)?;
        self.images.0.get_mut(&id)?.tags.retain(|t| t != tag);
        self.name_images();
        Some(id)
    }

    /// Updates the names that statuses show for the containers' images.
    fn name_images(&mut self) {
        for container in self.containers.values_mut() {
            container.tag = self.images.first_tag(&container.image_id).map(str::to_owned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_and_go() {
        let mut store = Store::default();
        let id = store.tag("app:2", "app:1");
        assert_eq!((store.images.of("app:2"), store.images.of(&id)), (id.clone(), id.clone()));
        assert_eq!(store.images.first_tag(&id), Some("app:1"));
        assert_eq!(store.untag("app:1"), Some(id.clone()));
        assert_eq!(store.images.first_tag(&id), Some("app:2"));
        assert_eq!(store.untag("app:1"), None);
    }
}
