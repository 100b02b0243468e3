//! "did you mean …": the nearest known word, where one is near.

use strsim::osa_distance;

/// The known word that was most likely meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', ' ', '.'], "-");
    let wanted = plain(written);
    let allowed = (wanted.chars().count() / 3).clamp(1, 3);
    let near = known.into_iter().filter_map(|word| {
        let distance = osa_distance(&wanted, &plain(word));
        let begins = wanted.len() >= 3 && plain(word).starts_with(&wanted);
        (distance <= allowed || begins).then_some((distance, word))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// `a`, `b` or `c`.
pub(crate) fn either<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{either, nearest};

    #[test]
    fn the_nearest_word_is_proposed_and_a_far_one_is_not() {
        let known = ["connector", "status", "settings", "secrets"];
        for (written, expect) in [
            ("secret", Some("secrets")),
            ("Setings", Some("settings")),
            ("conector", Some("connector")),
            ("conn", Some("connector")),
            ("staus", Some("status")),
            ("webhook", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, known), expect, "{written}");
        }
    }

    #[test]
    fn words_are_joined_as_people_do() {
        assert_eq!(either(&["a"]), "`a`");
        assert_eq!(either(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
