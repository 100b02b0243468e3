//! What a caller of Qimen says.

use super::Document;
use super::document::{Node, text};
use crate::dice::Dice;
use crate::local_time::local;
use crate::market::yuan_text;
use serde::{Deserialize, Serialize};

/// Goods of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Goods {
    /// The shop's code.
    pub sku: String,
    /// Pieces; in a stock change the signed difference, in a return what came.
    pub qty: i64,
    /// Pieces that were announced; a return may bring fewer.
    pub planned: Option<i64>,
    /// `ZP` sound, `CC` defective …; sound where empty.
    pub condition: String,
    /// Price of a piece before discounts.
    pub price_fen: i64,
    /// Discount on a piece.
    pub off_fen: i64,
}

impl Goods {
    /// Sound goods.
    pub fn of(sku: &str, qty: i64) -> Goods {
        Goods { sku: sku.to_owned(), qty, ..Goods::default() }
    }

    fn condition(&self) -> Node {
        text(if self.condition.is_empty() { "ZP" } else { &self.condition })
    }
}

/// A document before it is written. `{"kind": "shipped", "lines": [{"sku": "…", "qty": 1}]}` by hand; what is left out is made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Report {
    /// `deliveryorder.confirm`: goods of a delivery order left.
    Shipped {
        #[serde(default)]
        order_code: String,
        #[serde(default)]
        carrier: String,
        #[serde(default)]
        waybill: String,
        lines: Vec<Goods>,
        /// Whether more comes under the same order.
        #[serde(default)]
        interim: bool,
    },
    /// `orderprocess.report`: how far the work is.
    Progress {
        #[serde(default)]
        order_code: String,
        /// `ACCEPT`, `PICK`, `PACKAGE` …
        status: String,
        #[serde(default)]
        info: String,
    },
    /// `stockchange.report`: stock changed by itself.
    StockChanged {
        #[serde(default)]
        order_code: String,
        lines: Vec<Goods>,
    },
    /// `returnorder.confirm`: returned goods came.
    Returned {
        #[serde(default)]
        order_code: String,
        #[serde(default)]
        waybill: String,
        lines: Vec<Goods>,
    },
    /// `deliveryorder.create`: an ERP asks a warehouse, or a store, to ship.
    Create {
        #[serde(default)]
        order_code: String,
        /// Number at the marketplace.
        #[serde(default)]
        source_order_no: String,
        /// The warehouse or store.
        #[serde(default)]
        warehouse: String,
        #[serde(default)]
        freight_fen: i64,
        lines: Vec<Goods>,
    },
    /// `order.cancel`: stop it.
    Cancel {
        order_code: String,
        #[serde(default)]
        reason: String,
    },
}

impl Report {
    /// Full name of the method.
    pub fn method(&self) -> &'static str {
        match self {
            Report::Shipped { .. } => "taobao.qimen.deliveryorder.confirm",
            Report::Progress { .. } => "taobao.qimen.orderprocess.report",
            Report::StockChanged { .. } => "taobao.qimen.stockchange.report",
            Report::Returned { .. } => "taobao.qimen.returnorder.confirm",
            Report::Create { .. } => "taobao.qimen.deliveryorder.create",
            Report::Cancel { .. } => "taobao.qimen.order.cancel",
        }
    }

    /// The document it is about.
    pub fn order_code(&self) -> &str {
        match self {
            Report::Shipped { order_code, .. }
            | Report::Progress { order_code, .. }
            | Report::StockChanged { order_code, .. }
            | Report::Returned { order_code, .. }
            | Report::Create { order_code, .. }
            | Report::Cancel { order_code, .. } => order_code,
        }
    }

    /// Makes up what is empty.
    pub(super) fn complete(&mut self, dice: &mut Dice) {
        let mut fill = |field: &mut String, start: &str| {
            if field.is_empty() {
                *field = format!("{start}{}", dice.digits(10));
            }
        };
        match self {
            Report::Shipped { order_code, carrier, waybill, .. } => {
                fill(order_code, "DO");
                fill(waybill, "SF");
                if carrier.is_empty() {
                    "SF".clone_into(carrier);
                }
            }
            Report::Progress { order_code, .. } => fill(order_code, "DO"),
            Report::StockChanged { order_code, .. } => fill(order_code, "PD"),
            Report::Returned { order_code, waybill, .. } => {
                fill(order_code, "TH");
                fill(waybill, "TH");
            }
            Report::Create { order_code, source_order_no, warehouse, .. } => {
                fill(order_code, "DO");
                fill(source_order_no, "203952767");
                if warehouse.is_empty() {
                    "S0007".clone_into(warehouse);
                }
            }
            Report::Cancel { .. } => {}
        }
    }
}

const WAREHOUSE: &str = "WH01";

/// The document's content.
pub(super) fn write(document: &Document, owner: &str) -> Node {
    let at = local(document.at);
    match &document.report {
        Report::Shipped { carrier, waybill, lines, interim, .. } => {
            shipped(document, (carrier, waybill), lines, *interim)
        }
        Report::Progress { order_code, status, info } => Node::Group(vec![
            (
                "order",
                Node::Group(vec![
                    ("orderCode", text(order_code)),
                    ("orderType", text("JYCK")),
                    ("warehouseCode", text(WAREHOUSE)),
                ]),
            ),
            (
                "process",
                Node::Group(vec![
                    ("processStatus", text(status)),
                    ("operatorName", text("仓管员·样")),
                    ("operateTime", text(at)),
                    ("operateInfo", text(info)),
                ]),
            ),
        ]),
        Report::StockChanged { order_code, lines } => {
            let row = |(place, goods): (usize, &Goods)| {
                Node::Group(vec![
                    ("ownerCode", text(owner)),
                    ("warehouseCode", text(WAREHOUSE)),
                    ("orderCode", text(order_code)),
                    ("orderType", text(if goods.qty < 0 { "PKCK" } else { "PYRK" })),
                    ("outBizCode", text(format!("{}-{place}", document.out_biz_code))),
                    ("itemCode", text(&goods.sku)),
                    ("inventoryType", goods.condition()),
                    ("quantity", Node::Number(goods.qty)),
                    ("changeTime", text(&at)),
                ])
            };
            Node::Group(vec![("items", Node::List("item", lines.iter().enumerate().map(row).collect()))])
        }
        Report::Returned { order_code, waybill, lines } => returned(document, (order_code, waybill), lines),
        Report::Create { .. } => created(document, owner),
        Report::Cancel { order_code, reason } => Node::Group(vec![
            ("orderCode", text(order_code)),
            ("orderType", text("JYCK")),
            ("warehouseCode", text(WAREHOUSE)),
            ("cancelReason", text(reason)),
        ]),
    }
}

fn shipped(document: &Document, (carrier, waybill): (&str, &str), lines: &[Goods], interim: bool) -> Node {
    let head = Node::Group(vec![
        ("deliveryOrderCode", text(&document.order_code)),
        ("deliveryOrderId", text(format!("W{}", document.order_code))),
        ("warehouseCode", text(WAREHOUSE)),
        ("orderType", text("JYCK")),
        ("status", text(if interim { "PARTDELIVERED" } else { "DELIVERED" })),
        ("outBizCode", text(&document.out_biz_code)),
        ("confirmType", Node::Number(i64::from(interim))),
        ("orderConfirmTime", text(local(document.at))),
    ]);
    let item = |goods: &Goods| {
        Node::Group(vec![("itemCode", text(&goods.sku)), ("quantity", Node::Number(goods.qty))])
    };
    let package = Node::Group(vec![
        ("logisticsCode", text(carrier)),
        ("logisticsName", text("示例速运")),
        ("expressCode", text(waybill)),
        ("items", Node::List("item", lines.iter().map(item).collect())),
    ]);
    let line = |(goods, no): (&Goods, i64)| {
        Node::Group(vec![
            ("orderLineNo", text(no.to_string())),
            ("itemCode", text(&goods.sku)),
            ("inventoryType", goods.condition()),
            ("actualQty", Node::Number(goods.qty)),
        ])
    };
    Node::Group(vec![
        ("deliveryOrder", head),
        ("packages", Node::List("package", vec![package])),
        ("orderLines", Node::List("orderLine", lines.iter().zip(1..).map(line).collect())),
    ])
}

fn returned(document: &Document, (order_code, waybill): (&str, &str), lines: &[Goods]) -> Node {
    let head = Node::Group(vec![
        ("returnOrderCode", text(order_code)),
        ("warehouseCode", text(WAREHOUSE)),
        ("orderType", text("THRK")),
        ("outBizCode", text(&document.out_biz_code)),
        ("orderConfirmTime", text(local(document.at))),
        ("expressCode", text(waybill)),
    ]);
    let line = |goods: &Goods| {
        Node::Group(vec![
            ("itemCode", text(&goods.sku)),
            ("inventoryType", goods.condition()),
            ("planQty", Node::Number(goods.planned.unwrap_or(goods.qty))),
            ("actualQty", Node::Number(goods.qty)),
        ])
    };
    let lines = Node::List("orderLine", lines.iter().map(line).collect());
    Node::Group(vec![("returnOrder", head), ("orderLines", lines)])
}

fn created(document: &Document, owner: &str) -> Node {
    let Report::Create { source_order_no, warehouse, freight_fen, lines, .. } = &document.report else {
        return Node::Group(Vec::new());
    };
    let at = || text(local(document.at));
    let yuan = |fen: i64| text(yuan_text(fen));
    let goods: i64 = lines.iter().map(|goods| goods.price_fen * goods.qty).sum();
    let off: i64 = lines.iter().map(|goods| goods.off_fen * goods.qty).sum();
    let total = goods - off + freight_fen;
    let receiver = Node::Group(vec![
        ("name", text("吴范文")),
        ("mobile", text("10026691801")),
        ("province", text("广东省")),
        ("city", text("广州市")),
        ("area", text("天河区")),
        ("detailAddress", text("示例路350号20幢2858室")),
    ]);
    let head = Node::Group(vec![
        ("deliveryOrderCode", text(&document.order_code)),
        ("orderType", text("JYCK")),
        ("warehouseCode", text(warehouse)),
        ("sourcePlatformCode", text("TM")),
        ("createTime", at()),
        ("placeOrderTime", at()),
        ("payTime", at()),
        ("shopNick", text("样例服饰旗舰店")),
        ("totalAmount", yuan(total)),
        ("itemAmount", yuan(goods)),
        ("discountAmount", yuan(off)),
        ("freight", yuan(*freight_fen)),
        ("arAmount", yuan(0)),
        ("gotAmount", yuan(total)),
        ("logisticsCode", text("SF")),
        ("receiverInfo", receiver),
    ]);
    let line = |(goods, no): (&Goods, i64)| {
        Node::Group(vec![
            ("orderLineNo", text(no.to_string())),
            ("sourceOrderCode", text(source_order_no)),
            ("ownerCode", text(owner)),
            ("itemCode", text(&goods.sku)),
            ("inventoryType", goods.condition()),
            ("planQty", Node::Number(goods.qty)),
            ("retailPrice", yuan(goods.price_fen)),
            ("actualPrice", yuan(goods.price_fen - goods.off_fen)),
            ("discountAmount", yuan(goods.off_fen)),
        ])
    };
    let lines = Node::List("orderLine", lines.iter().zip(1..).map(line).collect());
    Node::Group(vec![("deliveryOrder", head), ("orderLines", lines)])
}
