//! `qudao init`: a folder to start from. It never overwrites: what is there stays, and is named.

use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::Args;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Folder to write to; made where it is missing
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// Folders of a new project and what they are for.
const FOLDERS: [(&str, &str); 2] = [
    ("plugins", "Connectors: `plugins/NAME.wasm` is what `connector: NAME` in connectors.yaml means.\n"),
    (
        "secrets",
        "Keys that connectors.yaml names with `{file: secrets/NAME}`. Keep them out of version control.\n",
    ),
];

/// What version control should not see.
const IGNORED: &str = "/data/\n/secrets/*\n!/secrets/README.md\n";

impl Init {
    pub(super) fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let config = self.path("connectors.yaml");
        if config.exists() {
            return Err(Error::refused(format!(
                "{} is there already; nothing was written",
                config.display()
            ))
            .hint("name another folder: qudao init DIR"));
        }
        fs::create_dir_all(&self.dir).map_err(Error::file("make the folder", &self.dir))?;
        self.write(printer, "connectors.yaml", qudao_config::TEMPLATE)?;
        let schema = serde_json::to_string_pretty(&qudao_config::schema()).unwrap_or_default();
        self.write(printer, "connectors.schema.json", &schema)?;
        self.write(printer, ".gitignore", IGNORED)?;
        for (folder, readme) in FOLDERS {
            let path = self.dir.join(folder);
            fs::create_dir_all(&path).map_err(Error::file("make the folder", &path))?;
            self.write(printer, &format!("{folder}/README.md"), readme)?;
        }
        self.next_steps(printer)
    }

    /// A file of the new folder, without a `./` that nobody types.
    fn path(&self, name: &str) -> PathBuf {
        let path = self.dir.join(name);
        path.strip_prefix(".").map_or(path.clone(), Path::to_owned)
    }

    fn write(&self, printer: &mut Printer, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path(name);
        if create(&path, text).map_err(Error::file("write", &path))? {
            printer.line(format_args!("wrote {}", path.display()))
        } else {
            printer.line(format_args!("kept  {}, which was there already", path.display()))
        }
    }

    fn next_steps(&self, printer: &mut Printer) -> Result<Exit, Error> {
        let config = self.path("connectors.yaml");
        let option = super::config_option(&config);
        printer.next(format_args!(
            "\nNext: write your channels into {}, then\n  qudao check{option}\n  qudao serve{option}",
            config.display()
        ))?;
        Ok(Exit::Done)
    }
}

/// Writes a file that is not there yet; false where it is.
fn create(path: &Path, text: &str) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
