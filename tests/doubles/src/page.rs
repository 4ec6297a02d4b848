//! Pages of lists.

/// The page of a list that a token asks for, and the token of the next page: empty at the end.
pub fn page<T: Clone>(all: &[T], token: &str, size: usize) -> (Vec<T>, String) {
    let from: usize = token.parse().unwrap_or_default();
    let page: Vec<T> = all.iter().skip(from).take(size).cloned().collect();
    let next = from + page.len();
    (page, if next < all.len() { next.to_string() } else { String::new() })
}
