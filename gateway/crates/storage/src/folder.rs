//! Folders that are there after a loss of power: a name is durable only once the folder that holds it is flushed.

use std::{
    fs::{DirBuilder, File},
    io,
    path::Path,
};

/// Makes a folder with all that it lies in, where they are missing, and flushes their names.
///
/// What partners send concerns buyers: a new folder is for its owner alone.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let made: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    made.into_iter().try_for_each(sync_name)
}

/// Flushes the name of a file or folder, which stands in the folder that it lies in.
pub fn sync_name(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn new_folders_are_for_their_owner_and_old_ones_stay_as_they_are() {
        use std::fs::{Permissions, metadata, set_permissions};
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |folder: &Path| metadata(folder).unwrap().permissions().mode() & 0o777;
        let home = tempfile::tempdir().unwrap();
        set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
        let inner = home.path().join("a/b/c");
        for _ in 0..2 {
            make_folder(&inner).unwrap();
            assert_eq!(
                (mode(&inner), mode(&home.path().join("a")), mode(home.path())),
                (0o700, 0o700, 0o755)
            );
        }
    }

    #[test]
    fn a_file_in_the_way_is_said() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(make_folder(&file).is_err());
        assert!(make_folder(&file.join("inner")).is_err());
        sync_name(&file).unwrap();
        assert!(sync_name(&home.path().join("none/file")).is_err());
    }
}
