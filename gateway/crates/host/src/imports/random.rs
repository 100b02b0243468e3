//! `random`: the system's generator, or a stream that a seed fixes for fixtures and replay.

use crate::{
    Reason,
    bindings::imported::random,
    limits::RANDOM_BYTES,
    sandbox::{Denied, State},
};
use sha2::{Digest, Sha256};

/// Where random bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The system.
    System,
    /// SHA-256 of seed and counter, block by block.
    Seeded { seed: u64, block: u64 },
}

impl Source {
    pub(crate) fn new(seed: Option<u64>) -> Source {
        seed.map_or(Source::System, |seed| Source::Seeded { seed, block: 0 })
    }

    fn bytes(&mut self, count: usize) -> wasmtime::Result<Vec<u8>> {
        match self {
            Source::System => qudao_keys::random_bytes(count).map_err(wasmtime::Error::new),
            Source::Seeded { seed, block } => {
                let mut bytes = Vec::with_capacity(count + 32);
                while bytes.len() < count {
                    let digest =
                        Sha256::new().chain_update(seed.to_le_bytes()).chain_update(block.to_le_bytes());
                    bytes.extend_from_slice(&digest.finalize());
                    *block += 1;
                }
                bytes.truncate(count);
                Ok(bytes)
            }
        }
    }
}

impl random::Host for State {
    fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        self.host_call()?;
        if count > RANDOM_BYTES {
            let explain = format!("{count} random bytes asked for, at most {RANDOM_BYTES} a call");
            return Err(Denied::because(Reason::LimitResult, explain));
        }
        self.random.bytes(count as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_the_stream_and_the_system_does_not() {
        let mut once = Source::new(Some(7));
        let first = (once.bytes(40).unwrap(), once.bytes(8).unwrap());
        let mut again = Source::new(Some(7));
        assert_eq!((again.bytes(40).unwrap(), again.bytes(8).unwrap()), first);
        assert_ne!(Source::new(Some(8)).bytes(40).unwrap(), first.0);
        assert_ne!(Source::new(None).bytes(32).unwrap(), Source::new(None).bytes(32).unwrap());
        assert_eq!(Source::new(Some(7)).bytes(0).unwrap(), b"");
    }
}
