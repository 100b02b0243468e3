//! Tables of rejects as files. What somebody else made is never overwritten: a slip of the finger in `--rejects stores.csv` would
//! otherwise cost the store directory.

use super::lang::said;
use crate::error::Error;
use qudao_pipeline::sentences::rejects_csv_head;
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// Writes a table of rejects where there is no file, an empty one, or an older table of rejects.
pub(super) fn table(path: &Path, text: &str) -> Result<(), Error> {
    if !may_be_replaced(path).map_err(Error::file("read", path))? {
        return Err(Error::refused(match super::lang::spoken() {
            qudao_pipeline::sentences::Lang::En => {
                format!("{} is there already and is no table of rejects; nothing was written", path.display())
            }
            qudao_pipeline::sentences::Lang::Zh => {
                format!("{} 已经存在，而且不是被拒行的表格；没有写入任何内容", path.display())
            }
        })
        .hint(said("name another file", "请换一个文件名")));
    }
    fs::write(path, text).map_err(Error::file("write", path))
}

fn may_be_replaced(path: &Path) -> io::Result<bool> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    // A pipe or a device keeps nothing that could be lost.
    if !about.is_file() || about.len() == 0 {
        return Ok(true);
    }
    let head = rejects_csv_head().trim_end().as_bytes();
    let mut found = Vec::new();
    File::open(path)?.take(head.len() as u64).read_to_end(&mut found)?;
    Ok(found == head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_table_of_rejects_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.csv");
        let text = format!("{}1\r\n", rejects_csv_head());
        for _ in 0..2 {
            table(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        for mine in ["code,name\n0012,x\n", "x"] {
            fs::write(&path, mine).unwrap();
            assert!(table(&path, &text).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), mine);
        }
    }
}
