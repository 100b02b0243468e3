//! Before a file is read: whether there is one, and whether there is a store directory for its codes.

use super::connector::Reader;
use crate::{
    cli::lang::{said, spoken},
    error::Error,
    output::{
        Printer,
        style::{CARE, HINT},
    },
};
use qudao_model::file::RowReject;
use qudao_pipeline::{FileSettings, sentences::Lang};
use std::{fs, io, path::Path};

/// The word for a store that nobody knows.
pub(super) const UNKNOWN_STORE: &str = "unknown_store";

/// Refuses what is no file, with what it is.
pub(crate) fn readable(path: &Path) -> Result<(), Error> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(Error::refused(match spoken() {
            Lang::En => format!("{shown} is a folder, not a file"),
            Lang::Zh => format!("{shown} 是文件夹，不是文件"),
        })
        .hint(said("name the files in it, such as DIR/*.csv", "请写出里面的文件，例如 文件夹/*.csv"))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::refused(match spoken() {
            Lang::En => format!("there is no file {shown}"),
            Lang::Zh => format!("没有文件 {shown}"),
        })
        .hint(said("is the name spelt as in the folder?", "请核对文件名和所在的文件夹"))),
        Err(error) => Err(Error::file("open", path)(error)),
    }
}

/// Says once that no store is known at all, where rows were refused for that.
pub(super) fn no_stores<'a>(
    printer: &mut Printer,
    lang: Lang,
    (reader, settings): (&Reader, &FileSettings),
    mut rejects: impl Iterator<Item = &'a RowReject>,
) -> Result<(), Error> {
    if !rejects.any(|reject| reject.kind == UNKNOWN_STORE) || !reader.names(settings).is_empty() {
        return Ok(());
    }
    let config = reader.config.display();
    let text = match (lang, reader.config.exists()) {
        (Lang::En, false) => {
            format!(
                "no store directory was found: looked for {config}, which is not there, so every store is unknown"
            )
        }
        (Lang::En, true) => {
            format!(
                "no store directory was found: {config} names no `stores:` file with stores in it, so every store is unknown"
            )
        }
        (Lang::Zh, false) => format!("没有找到门店目录：没有 {config}，因此所有门店都不认识"),
        (Lang::Zh, true) => format!("没有找到门店目录：{config} 里没有写 `stores:`，因此所有门店都不认识"),
    };
    let how = match lang {
        Lang::En => {
            "write stores.csv (code,name,region,ownership) and `stores: stores.csv` into connectors.yaml, which `qudao init` makes; \
             or give `stores: {\"0012\": NAME}` in the mapping"
        }
        Lang::Zh => {
            "请写一份 stores.csv（code,name,region,ownership），并在 connectors.yaml（可用 `qudao init` 生成）里加 `stores: stores.csv`；\
             或在映射里写 `stores: {\"0012\": 店名}`"
        }
    };
    let (warning, hint) = (lang.pick("warning:", "注意："), lang.pick("hint:", "提示："));
    printer.note(format_args!("{CARE}{warning}{CARE:#} {text}\n{HINT}{hint}{HINT:#} {how}\n"))
}
