//! Meanings of columns that have no heading: by what stands in them and beside them.

use super::goods;
use super::stores::Known;
use super::table::Column;

/// Score of a meaning that only the values tell.
const BY_VALUES: u32 = 82;

/// Gives columns without a heading their meanings.
pub(crate) fn meanings(columns: &mut [Column], known: &Known) {
    let words: Vec<Option<&'static str>> = columns.iter().map(|column| alone(column, known)).collect();
    let sized = words.contains(&Some("size"));
    let mut prices = 0;
    for place in 0..columns.len() {
        let next = words.get(place + 1).copied().flatten();
        let own = words.get(place).copied().flatten();
        let Some(column) = columns.get_mut(place).filter(|column| column.meanings.is_empty()) else {
            continue;
        };
        let meaning = match own {
            Some("code") if sized => Some("style"),
            Some("code") => Some("sku"),
            Some("price") => {
                prices += 1;
                if prices == 1 { Some("unit_price_fen") } else { Some("amount_fen") }
            }
            Some("quantity") if next == Some("size") => Some("color"),
            other => other,
        };
        column.meanings = meaning.map(|meaning| (meaning, BY_VALUES)).into_iter().collect();
    }
}

/// What a column looks like without its neighbours.
fn alone(column: &Column, known: &Known) -> Option<&'static str> {
    let profile = &column.profile;
    let share = |part: usize| profile.share(part);
    if profile.filled == 0 {
        return None;
    }
    if !known.names.is_empty() && share(known.codes(profile)) >= 80 {
        return Some("store_code");
    }
    if share(profile.dates().read) >= 80 {
        return Some("occurred_at");
    }
    if share(profile.gtins) >= 80 {
        return Some("barcode");
    }
    let count = |fits: &dyn Fn(&str) -> bool| -> usize {
        profile.distinct.iter().filter(|(text, _)| fits(text)).map(|(_, count)| count).sum()
    };
    let clock = |text: &str| text.len() == 6 && super::dates::read("%H%M%S", text).is_some();
    if share(count(&clock)) >= 90 && profile.filled >= 3 {
        return Some(".clock");
    }
    if share(count(&goods::is_code)) >= 80 {
        return Some("code");
    }
    if share(profile.hanzi) >= 50 {
        return Some(".name");
    }
    let letters = count(&|text: &str| text.bytes().any(|byte| byte.is_ascii_alphabetic()));
    if share(profile.sizes) >= 80 && (letters > 0 || profile.median() >= 22 * super::numbers::ONE) {
        return Some("size");
    }
    if share(profile.numbers) < 80 {
        return None;
    }
    let wide = profile.leading_zero * 2 > profile.numbers && profile.lengths.1 >= 6;
    let dear = profile.median() >= 500 * super::numbers::ONE;
    if profile.points * 2 > profile.numbers || wide || dear { Some("price") } else { Some("quantity") }
}
