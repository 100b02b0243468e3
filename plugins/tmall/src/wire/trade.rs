//! A trade, as `taobao.trade.fullinfo.get` tells it.

use super::{Flag, Listed, Time, Yuan};
use qudao_sdk::json::{Id, Text};
use serde::Deserialize;

/// What to ask for. The token of the receiver comes only where receiver's name, address, both phones and `created` are asked for.
pub(crate) const FIELDS: &str = "tid,tid_str,status,type,seller_nick,buyer_open_uid,ouid,created,modified,pay_time,\
    consign_time,end_time,payment,total_fee,post_fee,discount_fee,adjust_fee,received_payment,cod_fee,num,alipay_no,\
    step_trade_status,step_paid_fee,shipping_type,buyer_message,seller_memo,receiver_name,receiver_mobile,receiver_phone,\
    receiver_address,receiver_state,receiver_city,receiver_district,receiver_town,receiver_zip,receiver_country,oaid,\
    rt_omni_send_type,rt_omni_store_id,rt_omni_outer_store_id,shop_pick,o2o,o2o_shop_id,o2o_guide_id,o2o_delivery,\
    o2o_out_trade_id,forbid_consign,top_hold,team_buy_hold,promotion_details,orders";

#[derive(Debug, Deserialize)]
pub(crate) struct TradeAnswer {
    pub(crate) trade: Trade,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Trade {
    pub(crate) tid: Id,
    pub(crate) tid_str: Text,
    pub(crate) status: Text,
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) seller_nick: Text,
    pub(crate) buyer_open_uid: Text,
    pub(crate) ouid: Text,
    pub(crate) created: Time,
    pub(crate) modified: Time,
    pub(crate) pay_time: Time,
    pub(crate) consign_time: Time,
    pub(crate) end_time: Time,
    pub(crate) payment: Yuan,
    pub(crate) total_fee: Yuan,
    pub(crate) post_fee: Yuan,
    pub(crate) discount_fee: Yuan,
    pub(crate) received_payment: Yuan,
    pub(crate) cod_fee: Yuan,
    pub(crate) alipay_no: Text,
    pub(crate) step_trade_status: Text,
    pub(crate) step_paid_fee: Yuan,
    pub(crate) shipping_type: Text,
    pub(crate) buyer_message: Text,
    pub(crate) seller_memo: Text,
    pub(crate) receiver_name: Text,
    pub(crate) receiver_mobile: Text,
    pub(crate) receiver_phone: Text,
    pub(crate) receiver_address: Text,
    pub(crate) receiver_state: Text,
    pub(crate) receiver_city: Text,
    pub(crate) receiver_district: Text,
    pub(crate) receiver_town: Text,
    pub(crate) receiver_zip: Text,
    pub(crate) receiver_country: Text,
    pub(crate) oaid: Text,
    pub(crate) rt_omni_send_type: Text,
    pub(crate) rt_omni_store_id: Id,
    pub(crate) rt_omni_outer_store_id: Id,
    #[serde(default)]
    pub(crate) shop_pick: Flag,
    pub(crate) o2o: Text,
    pub(crate) o2o_shop_id: Id,
    pub(crate) o2o_guide_id: Id,
    pub(crate) o2o_delivery: Text,
    pub(crate) o2o_out_trade_id: Id,
    #[serde(default)]
    pub(crate) forbid_consign: Flag,
    #[serde(default)]
    pub(crate) top_hold: Flag,
    #[serde(default)]
    pub(crate) team_buy_hold: Flag,
    #[serde(default)]
    pub(crate) promotion_details: Listed<Promotion>,
    #[serde(default)]
    pub(crate) orders: Listed<SubOrder>,
}

/// A line.
#[derive(Debug, Deserialize)]
pub(crate) struct SubOrder {
    pub(crate) oid: Id,
    pub(crate) oid_str: Text,
    pub(crate) num_iid: Id,
    pub(crate) sku_id: Id,
    pub(crate) outer_iid: Text,
    pub(crate) outer_sku_id: Text,
    pub(crate) title: Text,
    pub(crate) num: Option<i64>,
    pub(crate) price: Yuan,
    pub(crate) total_fee: Yuan,
    pub(crate) discount_fee: Yuan,
    pub(crate) adjust_fee: Yuan,
    pub(crate) part_mjz_discount: Yuan,
    pub(crate) divide_order_fee: Yuan,
    pub(crate) status: Text,
    pub(crate) refund_status: Text,
    pub(crate) consign_time: Time,
    pub(crate) logistics_company: Text,
    pub(crate) invoice_no: Text,
    #[serde(default)]
    pub(crate) is_free_gift: Flag,
}

/// A promotion; some give a gift that is no line.
#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the platform's names")]
pub(crate) struct Promotion {
    pub(crate) promotion_id: Text,
    pub(crate) gift_item_id: Id,
    pub(crate) gift_item_name: Text,
    pub(crate) gift_item_num: Id,
}
