//! Watched folders.

use super::kit::{Desk, ERP, snapshot, write};
use crate::imports::Watcher;
use qudao_config::Status;
use qudao_storage::{ImportFilter, ImportRow};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, FileTimes},
    io::Write as _,
    path::PathBuf,
    sync::Arc,
};

struct Folder {
    desk: Desk,
    watcher: Watcher,
    path: PathBuf,
}

impl Folder {
    async fn with(settings: Value) -> Folder {
        let desk = Desk::with(settings).await;
        let (watcher, path) = (Watcher::new(desk.imports.clone()), desk.folder.path().join("inbox"));
        fs::create_dir_all(&path).unwrap();
        Folder { desk, watcher, path }
    }

    async fn new() -> Folder {
        Folder::with(json!({"watch": "inbox", "settle": "30s"})).await
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.path.join(name), text);
    }

    /// Looks after so many seconds; names of all imports, oldest first.
    async fn look(&mut self, seconds: u64) -> Vec<String> {
        self.desk.turn(seconds);
        self.watcher.look().await;
        self.imports().await.into_iter().map(|row| row.name).collect()
    }

    async fn imports(&self) -> Vec<ImportRow> {
        let filter = ImportFilter { channel: Some(ERP.to_owned()), ..ImportFilter::default() };
        let mut rows = self.desk.storage.imports(&filter).await.unwrap().items;
        rows.reverse();
        rows
    }
}

#[tokio::test]
async fn a_file_is_taken_once_it_has_come_to_rest() {
    let mut folder = Folder::new().await;
    folder.write("stock.csv", &snapshot(1, "a X 1"));
    assert_eq!(folder.look(0).await, [""; 0]);
    assert_eq!(folder.look(29).await, [""; 0]);
    assert_eq!(folder.look(1).await, ["stock.csv"]);
    assert_eq!(folder.look(100).await, ["stock.csv"]);
    assert!(folder.path.join("stock.csv").exists(), "it stays where it is");
    folder.desk.run().await;
    assert_eq!(folder.imports().await[0].reason.as_deref(), Some("first_snapshot"));
}

#[tokio::test]
async fn a_file_that_grows_is_waited_for() {
    let mut folder = Folder::new().await;
    let text = snapshot(1, "a X 1; a Y 2");
    let (first, rest) = text.split_at(60);
    folder.write("stock.csv", first);
    folder.look(0).await;
    let mut file = fs::OpenOptions::new().append(true).open(folder.path.join("stock.csv")).unwrap();
    file.write_all(rest.as_bytes()).unwrap();
    assert_eq!(folder.look(30).await, [""; 0]);
    assert_eq!(folder.look(30).await, ["stock.csv"]);
    assert_eq!(folder.imports().await[0].size, text.len() as u64);
}

#[tokio::test]
async fn a_file_that_is_overwritten_with_its_old_time_is_noticed() {
    let mut folder = Folder::new().await;
    folder.write("stock.csv", &snapshot(1, "a X 1"));
    folder.look(0).await;
    folder.look(30).await;
    let path = folder.path.join("stock.csv");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    // As long as before, and as old.
    folder.write("stock.csv", &snapshot(2, "a X 2"));
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(modified))
        .unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
    folder.look(1).await;
    assert_eq!(folder.look(30).await.len(), 2);
}

#[tokio::test]
async fn the_same_content_under_another_name_or_after_a_restart_is_known() {
    let mut folder = Folder::new().await;
    folder.write("1.csv", &snapshot(1, "a X 1"));
    folder.look(0).await;
    folder.look(30).await;
    folder.write("2.csv", &snapshot(1, "a X 1"));
    folder.look(1).await;
    assert_eq!(folder.look(30).await, ["1.csv"]);
    // Not even a new mapping brings back what lies there.
    let Folder { desk, path, .. } = folder;
    let desk = desk.restarted();
    desk.maps_by("2");
    let mut folder = Folder { watcher: Watcher::new(desk.imports.clone()), desk, path };
    folder.look(0).await;
    assert_eq!(folder.look(30).await, ["1.csv"]);
}

#[tokio::test]
async fn what_is_not_complete_or_no_file_is_left_alone() {
    let mut folder = Folder::new().await;
    for name in ["stock.csv.part", ".hidden.csv", "~$stock.xlsx", "x.TMP"] {
        folder.write(name, "x");
    }
    fs::create_dir(folder.path.join("folder.csv")).unwrap();
    write(&folder.desk.folder.path().join("secret.csv"), &snapshot(1, "a X 1"));
    std::os::unix::fs::symlink(folder.desk.folder.path().join("secret.csv"), folder.path.join("link.csv"))
        .unwrap();
    folder.look(0).await;
    assert_eq!(folder.look(60).await, [""; 0]);
}

#[tokio::test]
async fn a_marker_says_that_a_file_is_complete() {
    let mut folder = Folder::with(json!({"watch": "inbox", "marker": ".ok"})).await;
    folder.write("stock.csv", &snapshot(1, "a X 1"));
    assert_eq!(folder.look(100).await, [""; 0]);
    folder.write("stock.csv.ok", "");
    assert_eq!(folder.look(0).await, ["stock.csv"]);
}

#[tokio::test]
async fn strange_names_and_empty_files_are_files() {
    let mut folder = Folder::new().await;
    folder.write("库存 ?&#%\n.csv", &snapshot(1, "a X 1"));
    folder.write("nothing.csv", "");
    folder.look(0).await;
    let mut names = folder.look(30).await;
    names.sort();
    assert_eq!(names, ["nothing.csv", "库存 ?&#%_.csv"]);
}

#[tokio::test]
async fn a_folder_that_is_missing_is_waited_for() {
    let mut folder = Folder::new().await;
    fs::remove_dir(&folder.path).unwrap();
    assert_eq!(folder.look(0).await, [""; 0]);
    folder.write("stock.csv", &snapshot(1, "a X 1"));
    folder.look(1).await;
    assert_eq!(folder.look(30).await, ["stock.csv"]);
}

#[tokio::test]
async fn two_channels_that_look_into_one_folder_both_take_its_files() {
    let mut folder = Folder::new().await;
    let first = folder.desk.reader("1", Status::Live);
    let mut second = first.under((String::new(), (*first.files.settings).clone()), "1");
    second.name = "second".to_owned();
    let both = [(ERP.to_owned(), first), ("second".to_owned(), Arc::new(second))];
    folder.desk.imports.set(BTreeMap::from(both));
    folder.write("stock.csv", &snapshot(1, "a X 1"));
    folder.look(0).await;
    folder.look(30).await;
    let all = folder.desk.storage.imports(&ImportFilter::default()).await.unwrap().items;
    let channels: BTreeSet<String> = all.into_iter().map(|row| row.channel).collect();
    assert_eq!(channels, BTreeSet::from([ERP.to_owned(), "second".to_owned()]));
}
