//! The path of a delivery: receive, fold, commit, answer.
