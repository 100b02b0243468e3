//! The page that is committed: a section for each part. What was not measured this time stays as it was.

use crate::args::Part;
use crate::section::Section;

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench --write`; numbers of one machine, worth comparing with each other and with nothing else. Each figure
stands beside a reference from the same run; where it says so, the reference is the gateway itself under easier conditions.
";

/// How the line about the machine begins: it stands above all sections, and again in those of an earlier run.
const MACHINE: &str = "Machine: ";

/// The page of `before` with another section; `machine` is what the new one was measured on.
pub(crate) fn with(before: &str, machine: &str, new: &Section) -> String {
    let machine = format!("{MACHINE}{machine}");
    let earlier = before_next(before).lines().find(|line| line.starts_with(MACHINE)).unwrap_or(&machine);
    let mut page = format!("{HEAD}\n{machine}\n");
    for part in Part::ALL {
        let heading = format!("\n## {}\n", part.title());
        let text = if part.title() == new.title() {
            Some(format!("\n{}", new.text()))
        } else {
            before.split_once(&heading).map(|(_, rest)| kept(before_next(rest), earlier, &machine))
        };
        if let Some(text) = text {
            page += &heading;
            page += &text;
        }
    }
    page
}

/// A section of an earlier run says itself on which machine it was measured, where that is not said above any more.
fn kept(text: &str, earlier: &str, machine: &str) -> String {
    let says_so = text.trim_start().starts_with(MACHINE);
    if says_so || earlier == machine { text.to_owned() } else { format!("\n{earlier}\n{text}") }
}

/// What stands before the next section.
fn before_next(rest: &str) -> &str {
    rest.split_once("\n## ").map_or(rest, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_were_not_measured_stay_and_say_of_which_machine_they_are() {
        let one = Section::without(Part::Calls, "one");
        let two = Section::without(Part::Files, "two");
        let begun = with("", "M", &two);
        let page = with(&begun, "M", &one);
        assert_eq!(page.matches("Machine: M").count(), 1, "{page}");
        assert!(page.ends_with("\n\nNot measured: two.\n"), "{page}");
        let later = with(&page, "N", &one);
        assert!(later.starts_with(&format!("{HEAD}\nMachine: N\n\n## ")), "{later}");
        assert!(later.ends_with("\n\nMachine: M\n\nNot measured: two.\n"), "{later}");
        let once_more = with(&later, "O", &one);
        assert_eq!(once_more, later.replace("Machine: N", "Machine: O"));
        let all_new = with(&once_more, "O", &two);
        assert_eq!(all_new, page.replace("Machine: M", "Machine: O"));
    }
}
