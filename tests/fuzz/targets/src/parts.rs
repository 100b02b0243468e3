//! How one input holds several things: lines that begin with `=== ` name the parts, so that a person can read and write
//! inputs and a fuzzer can exchange parts between them.

/// Parts of one input are some; more are not looked at.
const PARTS_MAX: usize = 64;

/// An input, taken apart.
///
/// ```
/// use qudao_fuzz::parts::Parts;
/// let parts = Parts::of(b"main 17\n=== request\nPOST /a\n\nbody\n=== plain\n{}");
/// assert_eq!((parts.head, parts.get("plain")), (&b"main 17"[..], Some(&b"{}"[..])));
/// assert_eq!(Parts::of(b"x\n=== file\na\n=== b\n").rest("file"), Some(&b"a\n=== b\n"[..]));
/// ```
#[derive(Debug)]
pub struct Parts<'a> {
    data: &'a [u8],
    /// What stands before the first part.
    pub head: &'a [u8],
    named: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Parts<'a> {
    /// Takes it apart. What is no name is part of the part before.
    pub fn of(data: &'a [u8]) -> Parts<'a> {
        let mut marks: Vec<usize> = memchr::memmem::find_iter(data, b"\n=== ").take(PARTS_MAX).collect();
        let first = marks.first().copied().unwrap_or(data.len());
        marks.push(data.len());
        let named = marks.windows(2).filter_map(|pair| {
            let part = &data[(pair[0] + 5).min(pair[1])..pair[1]];
            let end = memchr::memchr(b'\n', part).unwrap_or(part.len());
            let name = std::str::from_utf8(&part[..end]).ok()?;
            Some((name.trim(), part.get(end + 1..).unwrap_or_default()))
        });
        Parts { data, head: &data[..first], named: named.collect() }
    }

    /// The first part of this name.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.named.iter().find(|(at, _)| *at == name).map(|(_, part)| *part)
    }

    /// Everything behind the line that begins this part, other parts included: for bytes of any kind.
    pub fn rest(&self, name: &str) -> Option<&'a [u8]> {
        let mark = format!("\n=== {name}\n");
        memchr::memmem::find(self.data, mark.as_bytes()).map(|at| &self.data[at + mark.len()..])
    }

    /// Parts whose names begin with this word, with what stands behind it.
    pub fn all<'p>(&'p self, word: &'p str) -> impl Iterator<Item = (&'a str, &'a [u8])> + 'p {
        self.named.iter().filter_map(move |(name, part)| {
            let (first, behind) = name.split_once(' ').unwrap_or((name, ""));
            (first == word).then_some((behind, *part))
        })
    }
}

/// Puts an input together.
pub fn join<'a>(head: &[u8], parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut whole = head.to_vec();
    for (name, part) in parts {
        whole.extend_from_slice(b"\n=== ");
        whole.extend_from_slice(name.as_bytes());
        whole.push(b'\n');
        whole.extend_from_slice(part);
    }
    whole
}

/// Headers, an empty line, a body: the first line apart where there is one.
#[derive(Debug, Default)]
pub struct Message<'a> {
    /// Before the headers.
    pub first: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Behind the empty line.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads one, as forgivingly as possible.
    pub fn of(bytes: &'a [u8]) -> Message<'a> {
        let mut message = Message::default();
        let mut rest = bytes;
        let line = |rest: &mut &'a [u8]| -> String {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let text = String::from_utf8_lossy(&rest[..end]).into_owned();
            *rest = rest.get(end + 1..).unwrap_or_default();
            text
        };
        message.first = line(&mut rest);
        while !rest.is_empty() {
            let header = line(&mut rest);
            if header.is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(": ") {
                message.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        message.body = rest;
        message
    }

    /// Writes one.
    pub fn write(first: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
        let mut text = format!("{first}\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        [text.as_bytes(), body].concat()
    }
}
