use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn rows(piles: &Piles) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for store in piles.stores() {
        let mut rows = Vec::new();
        let row = |bytes: &[u8]| {
            rows.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(())
        };
        piles.each(store, row).unwrap();
        all.insert(store.to_owned(), rows);
    }
    all
}

fn put(spool: &mut Spool, store: &str, text: &str) {
    spool.push(store, |to| to.extend_from_slice(text.as_bytes())).unwrap();
}

#[test]
fn amendments_count_and_the_last_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(folder.path());
    put(&mut spool, "b", "0");
    put(&mut spool, "a", "1");
    put(&mut spool, "b", "2");
    spool.replace(0, "b", |to| to.extend_from_slice(b"0'")).unwrap();
    spool.replace(0, "b", |to| to.extend_from_slice(b"0''")).unwrap();
    spool.take_back(1).unwrap();
    spool.take_back(1).unwrap();
    assert_eq!(spool.rows(), 2);
    assert!(matches!(spool.take_back(3), Err(Fault::Connector(_))));
    let piles = spool.finish();
    assert_eq!(format!("{:?}", rows(&piles)), r#"{"a": [], "b": ["2", "0''"]}"#);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "small files stay in memory");
}

#[test]
fn what_a_taken_back_row_became_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(folder.path());
    put(&mut spool, "a", "0");
    spool.replace(0, "a", |to| to.push(b'x')).unwrap();
    spool.take_back(0).unwrap();
    assert_eq!((spool.rows(), rows(&spool.finish())["a"].len()), (0, 0));
}

#[test]
fn a_full_disk_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(folder.path());
    let row = "x".repeat(PILE_BYTES / 2);
    put(&mut spool, "a", &row);
    // It takes no byte, as a disk without room.
    spool.file = Some(OpenOptions::new().read(true).write(true).open("/dev/full").unwrap());
    let refused = (0..3).map(|_| spool.push("a", |to| to.extend_from_slice(row.as_bytes())));
    let refused: Vec<_> = refused.filter_map(Result::err).collect();
    assert!(!refused.is_empty());
    for fault in refused {
        assert!(
            matches!(&fault, Fault::Disk(error) if error.kind() == io::ErrorKind::StorageFull),
            "{fault:?}"
        );
    }
}

#[test]
fn large_files_go_to_a_file_without_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(folder.path());
    let long = "x".repeat(1000);
    for at in 0..60_000_u32 {
        // One store has most; the others are flushed by the total.
        let store = if at % 2 == 0 { "big".to_owned() } else { format!("s{}", at % 999) };
        put(&mut spool, &store, &format!("{at}{long}"));
        assert!(spool.buffered <= BUFFERED_BYTES + PILE_BYTES);
    }
    assert!(spool.file.is_some());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let rows = rows(&spool.finish());
    assert_eq!(rows.values().map(Vec::len).sum::<usize>(), 60_000);
    let big: Vec<u32> = rows["big"].iter().map(|row| row.trim_end_matches('x').parse().unwrap()).collect();
    assert!(big.is_sorted() && big.len() == 30_000);
}

#[test]
fn a_file_of_nothing_but_stores_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(folder.path());
    for at in 0..STORES_MAX {
        put(&mut spool, &at.to_string(), "");
    }
    assert!(matches!(spool.push("one more", |_| ()), Err(Fault::Connector(_))));
}

#[test]
fn a_pile_that_went_to_disk_reserves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(folder.path());
    let row = vec![7; PILE_BYTES];
    for store in 0..50 {
        spool.push(&store.to_string(), |to| to.extend_from_slice(&row)).unwrap();
    }
    let reserved: usize = spool.piles.iter().map(|pile| pile.buffer.capacity()).sum();
    assert_eq!((spool.buffered, reserved), (0, 0));
}

proptest! {
    /// Against a plain list.
    #[test]
    fn is_what_a_list_would_be(steps in prop::collection::vec((0_u8..3, 0_u64..20, 0_u8..3), 0..80)) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        let mut list: Vec<Option<(String, String)>> = Vec::new();
        for (at, (what, ordinal, store)) in steps.into_iter().enumerate() {
            let (store, text) = (store.to_string(), at.to_string());
            let place = usize::try_from(ordinal).unwrap();
            match what {
                0 => {
                    put(&mut spool, &store, &text);
                    list.push(Some((store, text)));
                }
                1 => {
                    prop_assert_eq!(spool.take_back(ordinal).is_ok(), place < list.len());
                    if let Some(one) = list.get_mut(place) { *one = None; }
                }
                _ => {
                    let done = spool.replace(ordinal, &store, |to| to.extend_from_slice(text.as_bytes()));
                    prop_assert_eq!(done.is_ok(), place < list.len());
                    if let Some(one) = list.get_mut(place) { *one = Some((store, text)); }
                }
            }
        }
        let mut expect: Vec<(String, String)> = list.into_iter().flatten().collect();
        expect.sort();
        prop_assert_eq!(spool.rows(), expect.len() as u64);
        let piles = spool.finish();
        let mut got: Vec<_> = rows(&piles)
            .into_iter()
            .flat_map(|(store, rows)| rows.into_iter().map(move |row| (store.clone(), row)))
            .collect();
        got.sort();
        prop_assert_eq!(got, expect);
    }
}
