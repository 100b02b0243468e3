//! Every container: by the vectors, by texts made for one trap each, and by files that are damaged or hostile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod containers {
    mod damaged;
    mod hostile;
    mod kit;
    mod text;
    mod trees;
    mod vectors;
}
