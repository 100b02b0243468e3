//! Words of closed sets, as they are typed.

/// The one of `all` whose name is `word`.
pub(super) fn of<T: Copy>(word: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, String> {
    let found = all.iter().copied().find(|one| name(*one) == word);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        format!("is none of {}", names.join(", "))
    })
}
