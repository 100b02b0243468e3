//! The page that is committed: a section for each part. What was not measured this time stays as it was.

use crate::args::Part;
use crate::section::Section;

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench --write`; numbers of one machine, worth comparing with each other and with nothing else. Each figure
stands beside a reference from the same run; where it says so, the reference is the gateway itself under easier conditions.
";

/// The page of `before` with another section; `machine` is said in it.
pub(crate) fn with(before: &str, machine: &str, new: &Section) -> String {
    let mut page = HEAD.to_owned();
    for part in Part::ALL {
        let heading = format!("\n## {}\n", part.title());
        let text = if part.title() == new.title() {
            Some(format!("\n{machine}\n\n{}", new.text()))
        } else {
            before.split_once(&heading).map(|(_, rest)| before_next(rest).to_owned())
        };
        if let Some(text) = text {
            page += &heading;
            page += &text;
        }
    }
    page
}

/// What stands before the next section.
fn before_next(rest: &str) -> &str {
    rest.split_once("\n## ").map_or(rest, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_were_not_measured_stay() {
        let one = Section::without(Part::Calls, "one");
        let two = Section::without(Part::Files, "two");
        let page = with(&with("", "M", &two), "M", &one);
        let again = with(&page, "N", &one);
        assert!(again.contains("N\n\nNot measured: one."), "{again}");
        assert!(again.ends_with("\n\nM\n\nNot measured: two.\n"), "{again}");
        assert_eq!(page.replace("\nM\n\nNot measured: one", "\nN\n\nNot measured: one"), again);
    }
}
