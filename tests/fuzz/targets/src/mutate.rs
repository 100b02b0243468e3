//! Changes to an input, from a seed: what a fuzzer does without looking at coverage.

/// A generator of numbers (splitmix64): the same seed gives the same run on every machine.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % (end.max(1) as u64)).unwrap_or_default()
    }
}

/// Texts at which parsers stumble.
const ODD: [&[u8]; 40] = [
    b"-1",
    b"0",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"1e999",
    b"0.1",
    b"00",
    b"\"\"",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[[[[[[[[[[[[[[[[",
    b"\\ud800",
    b"\\u0000",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x98\x80",
    b"\xe4\xb8\xad",
    b"\xd6\xd0",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"&amp;",
    b"<![CDATA[",
    b"<!DOCTYPE a>",
    b"</a>",
    b"%00",
    b"%zz",
    b"+",
    b"&",
    b"=",
    b"\"",
    b"'",
    b",",
    b"9999-12-31 23:59:59",
    b"1969-12-31T23:59:59.999999999Z",
];

/// Changes an input in one to eight places; `others` lend parts of theirs.
pub fn mutate(input: &[u8], others: &[Vec<u8>], chance: &mut Chance, max_len: usize) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=chance.below(8) {
        change(&mut bytes, others, chance);
    }
    bytes.truncate(max_len);
    bytes
}

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let length = match chance.below(4) {
        0 => chance.below(bytes.len() - at + 1),
        _ => chance.below(17).min(bytes.len() - at),
    };
    let end = at + length;
    match chance.below(8) {
        0 => drop(bytes.drain(at..end)),
        1 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        2 => {
            let byte = u8::try_from(chance.below(256)).unwrap_or_default();
            bytes[at..end].fill(byte);
        }
        3 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        4 => {
            let odd = ODD[chance.below(ODD.len())];
            bytes.splice(at..end, odd.iter().copied());
        }
        5 => number(bytes, at, chance),
        6 if !others.is_empty() => {
            let other = &others[chance.below(others.len())];
            let from = chance.below(other.len() + 1);
            let to = from + chance.below((other.len() - from).min(256) + 1);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => value(bytes, at, chance),
    }
}

/// Another number in the place of the next one.
fn number(bytes: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit).map(|from| at + from) else { return };
    let digits = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let shown = match chance.below(3) {
        0 => chance.number().to_string(),
        1 => chance.below(100).to_string(),
        _ => (1_u128 << chance.below(70)).to_string(),
    };
    bytes.splice(from..from + digits, shown.into_bytes());
}

/// Something odd in the place of the next quoted text.
fn value(bytes: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    let quote = |from: usize| bytes.get(from..)?.iter().position(|byte| *byte == b'"').map(|to| from + to);
    let Some((from, to)) = quote(at).and_then(|from| Some((from + 1, quote(from + 1)?))) else { return };
    let odd = match chance.below(3) {
        0 => vec![b'x'; 1 << chance.below(13)],
        1 => Vec::new(),
        _ => ODD[chance.below(ODD.len())].to_vec(),
    };
    bytes.splice(from..to, odd);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_run() {
        let others = vec![b"{\"a\":1}".to_vec(), b"b=2&c=3".to_vec()];
        let run = |seed| -> Vec<Vec<u8>> {
            let mut chance = Chance::new(seed);
            (0..100).map(|_| mutate(&others[0], &others, &mut chance, 64)).collect()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert!(run(7).iter().all(|bytes| bytes.len() <= 64));
        assert!(run(7).iter().filter(|bytes| **bytes != others[0]).count() > 90);
    }
}
