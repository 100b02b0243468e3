//! What somebody orders.

use crate::dice::Dice;
use serde::{Deserialize, Serialize};

/// An order before it is one. What is left out, the platform makes up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Basket {
    /// The platform's number; made up where absent.
    pub order_no: Option<String>,
    /// Lines; one made-up line where there is none.
    pub items: Vec<Item>,
    /// Freight.
    pub freight_fen: i64,
    /// Discount of the shop on the whole order.
    pub seller_off_fen: i64,
    /// Discount that the platform pays. Tmall does not tell who pays, so there it counts as the shop's.
    pub platform_off_fen: i64,
    /// Tax and services.
    pub service_fen: i64,
    /// How it is paid.
    pub pay: Pay,
    /// The platform's kind of order, such as `fixed` or `eticket` on Tmall; the usual one where absent.
    pub kind: Option<String>,
    /// Store that hands it out, by the shop's own code.
    pub store_code: Option<String>,
    /// Order that the platform split this one from.
    pub parent_order_no: Option<String>,
    /// What the buyer wrote.
    pub message: Option<String>,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Item {
    /// The shop's own code; an empty text stands for a line without one.
    pub sku: Option<String>,
    /// The platform's SKU.
    pub channel_sku: Option<String>,
    /// The platform's item.
    pub channel_item: Option<String>,
    /// What the buyer reads.
    pub title: Option<String>,
    /// Pieces; 0 counts as 1.
    pub qty: i64,
    /// Price of a piece; made up where absent.
    pub price_fen: Option<i64>,
    /// Discount on this line alone.
    pub off_fen: i64,
    /// Given on top; costs nothing.
    pub gift: bool,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pay {
    /// At once.
    #[default]
    Online,
    /// To the rider.
    Cod,
    /// A deposit first.
    Presale {
        /// The deposit.
        deposit_fen: i64,
    },
}

/// Code, what it is, price in fen.
const GOODS: &[(&str, &str, i64)] = &[
    ("TX", "2026春季新款纯棉圆领T恤", 9_900),
    ("KS", "2026春季新款针织开衫", 32_900),
    ("YR", "2026春季新款防风轻羽绒服", 59_900),
    ("WJ", "2026春季新款羊绒围巾", 25_900),
    ("WZ", "2026春季新款棉袜三双装", 3_999),
    ("XZ", "2026春季新款亚麻西装外套", 79_900),
];
const COLOURS: &[(&str, &str)] = &[("BK", "经典黑"), ("OT", "燕麦色"), ("BL", "雾霾蓝"), ("IV", "米白")];
const SIZES: &[&str] = &["S", "M", "L", "XL"];

impl Basket {
    /// One line of one piece.
    pub fn of(sku: &str, price_fen: i64) -> Basket {
        Basket { items: vec![Item::of(sku, 1, price_fen)], ..Basket::default() }
    }

    /// One to four lines with discounts and freight, as they come.
    pub fn thrown(dice: &mut Dice) -> Basket {
        let count = dice.pick(&[1, 1, 1, 1, 2, 2, 3, 4]);
        let mut items: Vec<Item> = (0..count).map(|_| Item::thrown(dice)).collect();
        // Twice the same would be one line of two.
        items.sort_by(|one, other| one.sku.cmp(&other.sku));
        items.dedup_by(|one, other| one.sku == other.sku);
        let goods: i64 = items.iter().map(|item| item.price_fen.unwrap_or(0) * item.qty - item.off_fen).sum();
        Basket {
            freight_fen: dice.pick(&[0, 0, 0, 600, 1_000]),
            seller_off_fen: if dice.below(3) == 0 { (goods * dice.between(1, 15)) / 100 } else { 0 },
            items,
            message: (dice.below(8) == 0).then(|| "请尽快发货，谢谢😀".to_owned()),
            ..Basket::default()
        }
    }
}

impl Item {
    /// A line.
    pub fn of(sku: &str, qty: i64, price_fen: i64) -> Item {
        Item { sku: Some(sku.to_owned()), qty, price_fen: Some(price_fen), ..Item::default() }
    }

    fn thrown(dice: &mut Dice) -> Item {
        let mut item = Item { qty: dice.pick(&[1, 1, 1, 2, 3]), ..Item::default() };
        item.complete(dice);
        let gross = item.price_fen.unwrap_or(0) * item.qty;
        item.off_fen = if dice.below(4) == 0 { gross * dice.between(1, 20) / 100 } else { 0 };
        item
    }

    /// Makes up what is absent. A SKU has the same platform numbers wherever it is sold.
    pub(crate) fn complete(&mut self, dice: &mut Dice) {
        let (code, title, price) = dice.pick(GOODS);
        let (colour_code, colour) = dice.pick(COLOURS);
        let size = dice.pick(SIZES);
        let style = 100 + dice.below(8);
        let sku = self.sku.get_or_insert_with(|| format!("{code}26S{style}-{colour_code}-{size}"));
        let mut own = Dice::new(sku.bytes().fold(17, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte)));
        self.channel_sku.get_or_insert_with(|| format!("4{}", own.digits(10)));
        self.channel_item.get_or_insert_with(|| format!("6{}", own.digits(10)));
        self.title.get_or_insert_with(|| format!("{title} {colour} {size}"));
        self.qty = self.qty.max(1);
        if self.gift {
            self.price_fen = Some(0);
        }
        self.price_fen.get_or_insert(price);
    }
}

/// A made-up buyer and where the goods go.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) family: &'static str,
    pub(crate) given: &'static str,
    pub(crate) mobile: String,
    pub(crate) province: &'static str,
    pub(crate) city: &'static str,
    pub(crate) district: &'static str,
    pub(crate) street: String,
    /// Pseudonym of the buyer.
    pub(crate) open_id: String,
    /// Pseudonym of the address.
    pub(crate) address_id: String,
}

const PLACES: &[(&str, &str, &str)] = &[
    ("江苏省", "南京市", "鼓楼区"),
    ("浙江省", "杭州市", "余杭区"),
    ("上海", "上海市", "徐汇区"),
    ("四川省", "成都市", "锦江区"),
];

pub(crate) fn receiver(dice: &mut Dice) -> Receiver {
    let (province, city, district) = dice.pick(PLACES);
    Receiver {
        family: dice.pick(&["周", "郑", "褚", "沈", "韩"]),
        given: dice.pick(&["样本", "假名", "范文", "测评"]),
        // Numbers that no carrier gives out.
        mobile: format!("100{}", dice.digits(8)),
        province,
        city,
        district,
        street: format!(
            "示例路{}号{}幢{}室",
            dice.between(1, 900),
            dice.between(1, 30),
            dice.between(101, 2_000)
        ),
        open_id: format!("AAH{}", dice.text(24, "0123456789abcdef")),
        address_id: format!("1{}", dice.text(48, "0123456789abcdef")),
    }
}
