//! What part of an order's discounts each line bears. JD gives no amount per line, so this is a convention: a promotion of a
//! single item goes to the lines of its SKU, the seller's other discounts are spread over what is left, then the platform's
//! over what is left after that; always by largest remainder, so that shares add up to the fen.

use crate::wire::CouponDetail;
use qudao_sdk::money::apportion;

/// Promotion of a single item.
const ITEM_PROMOTION: u32 = 30;
/// Types that the seller pays: suite, flash group, group, single item, mobile red packet, full reduction, shop promotion.
const SELLER: [u32; 7] = [20, 28, 29, ITEM_PROMOTION, 34, 35, 100];
/// A means of payment, not a discount; how it enters the order's amounts is not known.
const GIFT_CARD: u32 = 52;

/// Discounts of an order and of its lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// What the seller bears, by line.
    pub(crate) seller: Vec<i64>,
    /// What the platform bears, by line.
    pub(crate) platform: Vec<i64>,
    pub(crate) seller_fen: i64,
    pub(crate) platform_fen: i64,
    /// Sum of the seller's discounts in the list, where the order says another sum.
    pub(crate) listed_fen: Option<i64>,
    /// Paid with gift cards.
    pub(crate) gift_cards_fen: i64,
}

/// `lines`: SKU and gross amount. `seller_fen`: what the order itself says, which counts.
pub(crate) fn shares(lines: &[(&str, i64)], coupons: &[CouponDetail], seller_fen: Option<i64>) -> Shares {
    let fen = |of: &dyn Fn(u32) -> bool| -> i64 {
        let of_kind = coupons.iter().filter(|coupon| of(coupon.coupon_type.0.unwrap_or_default()));
        of_kind.map(|coupon| coupon.coupon_price.or_zero()).sum()
    };
    let listed = fen(&|kind| SELLER.contains(&kind));
    let platform_fen = fen(&|kind| !SELLER.contains(&kind) && kind != GIFT_CARD);
    let seller_fen = seller_fen.unwrap_or(listed);

    let gross: Vec<i64> = lines.iter().map(|(_, gross)| *gross).collect();
    let mut promotion = promotions(lines, coupons);
    if promotion.iter().sum::<i64>() > seller_fen {
        promotion = apportion(seller_fen, &promotion);
    }
    let left = minus(&gross, &promotion);
    let spread = apportion(seller_fen - promotion.iter().sum::<i64>(), &left);
    let platform = apportion(platform_fen, &minus(&left, &spread));
    Shares {
        seller: promotion.iter().zip(&spread).map(|(promotion, spread)| promotion + spread).collect(),
        platform,
        seller_fen,
        platform_fen,
        listed_fen: (listed != seller_fen).then_some(listed),
        gift_cards_fen: fen(&|kind| kind == GIFT_CARD),
    }
}

/// Promotions of single items by line; what exceeds the lines of its SKU is left for all.
fn promotions(lines: &[(&str, i64)], coupons: &[CouponDetail]) -> Vec<i64> {
    let mut given = vec![0; lines.len()];
    for coupon in coupons.iter().filter(|coupon| coupon.coupon_type.0 == Some(ITEM_PROMOTION)) {
        let left = |((sku, gross), given): (&(&str, i64), &i64)| {
            if coupon.sku_id.0.as_deref() == Some(*sku) { gross - given } else { 0 }
        };
        let weights: Vec<i64> = lines.iter().zip(&given).map(left).collect();
        let parts = apportion(coupon.coupon_price.or_zero().min(weights.iter().sum()), &weights);
        given = given.iter().zip(parts).map(|(given, part)| given + part).collect();
    }
    given
}

fn minus(all: &[i64], part: &[i64]) -> Vec<i64> {
    all.iter().zip(part).map(|(all, part)| all - part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Label, Yuan};
    use qudao_sdk::json::Id;

    fn coupon((kind, fen, sku): (u32, i64, &str)) -> CouponDetail {
        let sku_id = Id(Some(sku.to_owned()).filter(|sku| !sku.is_empty()));
        CouponDetail { coupon_type: Label(Some(kind)), coupon_price: Yuan(Some(fen)), sku_id }
    }

    #[track_caller]
    fn check(
        coupons: &[(u32, i64, &str)],
        seller_fen: Option<i64>,
        expect: ([i64; 3], [i64; 3], Option<i64>),
    ) {
        let coupons: Vec<CouponDetail> = coupons.iter().copied().map(coupon).collect();
        let got = shares(&[("a", 6_000), ("b", 3_000), ("a", 1_000)], &coupons, seller_fen);
        assert_eq!(
            (got.seller.as_slice(), got.platform.as_slice(), got.listed_fen),
            (&expect.0[..], &expect.1[..], expect.2)
        );
        assert_eq!(got.seller.iter().sum::<i64>(), got.seller_fen);
        assert_eq!(got.platform.iter().sum::<i64>(), got.platform_fen);
    }

    #[test]
    fn discounts_by_line() {
        check(&[], None, ([0; 3], [0; 3], None));
        // One SKU in two lines shares its promotion; one of no line is everybody's.
        check(&[(30, 700, "a")], Some(700), ([600, 0, 100], [0; 3], None));
        check(&[(30, 1_000, "x")], Some(1_000), ([600, 300, 100], [0; 3], None));
        // More than the line costs: the rest is everybody's.
        check(&[(30, 4_400, "b")], Some(4_400), ([1_200, 3_000, 200], [0; 3], None));
        // The order's own sum counts, whether it is above or below the list's.
        check(&[(35, 900, "")], Some(1_000), ([600, 300, 100], [0; 3], Some(900)));
        check(&[(30, 700, "a")], Some(350), ([300, 0, 50], [0; 3], Some(700)));
        check(&[(35, 1_000, "")], None, ([600, 300, 100], [0; 3], None));
        // The platform's go over what is left; a gift card is no discount.
        check(
            &[(100, 1_000, ""), (41, 900, ""), (52, 500, "")],
            Some(1_000),
            ([600, 300, 100], [540, 270, 90], None),
        );
    }
}
