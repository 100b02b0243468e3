//! A reader of the feed that is down at times, and dies between reading and writing down how far it got.

use qudao_feed::{Feed, FeedQuery};
use qudao_model::CloudEvent;
use std::collections::BTreeMap;

/// What it has, durably, and what it ever saw.
#[derive(Default)]
pub(crate) struct Reader {
    kept: Vec<CloudEvent>,
    seen: BTreeMap<u64, CloudEvent>,
}

impl Reader {
    /// Reads a page; `dies` before it has kept it.
    pub(crate) async fn read(&mut self, feed: &Feed, (limit, dies): (u32, bool)) {
        let after = self.kept.last().map_or(0, |event| event.seq);
        let query = FeedQuery { after, limit, ..FeedQuery::default() };
        // A disk that fails may fail a read.
        let Ok(page) = feed.page(&query).await else { return };
        for event in &page {
            if let Some(then) = self.seen.insert(event.seq, event.clone()) {
                assert_eq!(&then, event, "event {} is not what it was", event.seq);
            }
        }
        if !dies {
            self.kept.extend(page);
        }
    }

    /// Reads all that is left, and holds it against the whole feed.
    pub(crate) async fn finish(&mut self, feed: &Feed, whole: &[CloudEvent]) {
        while self.kept.len() < whole.len() {
            let had = self.kept.len();
            self.read(feed, (100, false)).await;
            assert!(self.kept.len() > had, "the feed ends at {had} of {}", whole.len());
        }
        assert_eq!(self.kept, whole, "the reader has other events than the feed");
        let beyond = self.seen.keys().find(|seq| **seq > whole.len() as u64);
        assert_eq!(beyond, None, "an event that was read is gone");
    }
}
