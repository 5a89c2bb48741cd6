//! The images of the containers: each is kept once, however many containers are made from it.

use std::collections::HashSet;

use crate::model::Image;

/// With fewer images than this, a search for unused ones is not worth it.
const FEW: usize = 64;

/// The known images. Those that no container uses any more are forgotten.
#[derive(Debug, Default)]
pub(super) struct Images {
    known: HashSet<Image>,
    /// How many images there may be before a search for unused ones.
    limit: usize,
}

impl Images {
    /// Returns the known image that equals this one, so that containers share it.
    pub fn shared(&mut self, image: &Image) -> Image {
        if let Some(known) = self.known.get(image) {
            return known.clone();
        }
        if self.known.len() >= self.limit.max(FEW) {
            self.known.retain(|known| !known.is_unshared());
            self.limit = 2 * self.known.len();
        }
        self.known.insert(image.clone());
        image.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: usize) -> Image {
        let mut image = Image::default();
        image.name = name.to_string().into();
        image
    }

    #[test]
    fn like_images_are_one_and_unused_ones_are_forgotten() {
        let mut images = Images::default();
        let kept: Vec<Image> = (0..100).map(|n| images.shared(&image(n))).collect();
        for (n, kept) in kept.iter().enumerate() {
            assert!(std::ptr::eq(&**kept, &*images.shared(&image(n))), "{n}");
        }
        (1_000..10_000).for_each(|n| drop(images.shared(&image(n))));
        assert!(images.known.len() < 400, "{}", images.known.len());
        assert!(std::ptr::eq(&*kept[7], &*images.shared(&image(7))), "what is used stays");
    }
}
