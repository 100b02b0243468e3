//! Taking a file: its bytes become durable first, then the import is on the list, and only then anybody is told so.

use super::{Imports, Reader};
use crate::Error;
use futures_util::{Stream, StreamExt as _, pin_mut};
use qudao_config::Status;
use qudao_storage::{ImportRow, NewImport, PutImport, Stored};
use std::sync::Arc;
use tracing::info;

/// Bytes of a name. File systems take no more.
const NAME_BYTES_MAX: usize = 255;

/// A file that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its import.
    pub import: ImportRow,
    /// Whether it is new. The same bytes under the same mapping were imported before otherwise, and nothing else happens.
    pub new: bool,
}

impl Imports {
    /// Takes a file whose bytes come in pieces.
    pub(crate) async fn take<S, B, E>(&self, channel: &str, name: &str, body: S) -> Result<Taken, Error>
    where
        S: Stream<Item = Result<B, E>> + Send,
        B: AsRef<[u8]> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let reader = self.taking(channel)?;
        let mut file = self.storage().new_file().await?;
        let mut size = 0_u64;
        pin_mut!(body);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| Error::FileCut { source: error.into() })?;
            let piece = piece.as_ref();
            size = size.saturating_add(piece.len() as u64);
            if size > reader.bytes_max {
                return Err(Error::FileTooLarge { limit: reader.bytes_max });
            }
            file.write(piece).await?;
        }
        self.put(&reader, name, file.finish().await?).await
    }

    /// Puts a stored file on the list.
    pub(crate) async fn put(&self, reader: &Reader, name: &str, stored: Stored) -> Result<Taken, Error> {
        let new = NewImport {
            channel: reader.name.clone(),
            name: plain(name),
            sha256: stored.sha256,
            size: stored.size,
            mapping: reader.files.digest.clone(),
            connector: reader.connector.label(),
            received_at: self.now(),
        };
        let (import, new) = match self.storage().put_import(new).await? {
            PutImport::New(row) => (row, true),
            PutImport::Same(row) => (row, false),
        };
        let (id, name, channel) = (&import.id, &import.name, &import.channel);
        if new {
            info!(
                import.id = id,
                channel.name = channel,
                file.bytes = import.size,
                "`{name}` taken on `{channel}`: `{id}`"
            );
            self.0.wake.notify_one();
        } else {
            info!(
                import.id = id,
                channel.name = channel,
                "`{name}` was imported before on `{channel}`: `{id}`"
            );
        }
        Ok(Taken { import, new })
    }

    /// Channels that are not retired take files; a paused one reads them when it is live again.
    pub(crate) fn taking(&self, channel: &str) -> Result<Arc<Reader>, Error> {
        if self.stopped() {
            return Err(Error::Draining);
        }
        let reader = self.reader(channel)?;
        match reader.status {
            Status::Retired => Err(Error::Retired { channel: channel.to_owned() }),
            Status::Live | Status::Shadow | Status::Paused => Ok(reader),
        }
    }
}

/// A name without folders and without what would change a line of a log, a URL or a terminal.
pub(crate) fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut plain = String::new();
    for character in last.chars().map(|one| if one.is_control() || is_invisible(one) { '_' } else { one }) {
        if plain.len() + character.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        plain.push(character);
    }
    let plain = plain.trim().to_owned();
    if plain.is_empty() || plain.chars().all(|one| one == '.') { "file".to_owned() } else { plain }
}

/// Marks of direction and the like: they make a name look like another.
fn is_invisible(one: char) -> bool {
    matches!(one, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_plain() {
        let check = |name: &str, expect: &str| assert_eq!(plain(name), expect, "{name:?}");
        check("库存 2013-01-05.csv", "库存 2013-01-05.csv");
        check("../../etc/passwd", "passwd");
        check(r"C:\export\STK_0012.xls", "STK_0012.xls");
        check("a\nb\u{202E}vsc.exe", "a_b_vsc.exe");
        check("..", "file");
        check("x/", "file");
        check(&"库".repeat(100), &"库".repeat(85));
    }
}
