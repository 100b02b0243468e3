//! Who gets an order. A person's data: in clear only between a connector and the seal, masked everywhere else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A receiver. A connector gives it as the platform told it; entities and events hold [`Receiver::masked`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Receiver {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mobile phone; it may be a virtual number with extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// Landline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Street and house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the buyer wrote; people write phone numbers into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer_message: Option<String>,
    /// What the seller wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller_memo: Option<String>,
    /// Province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// City; absent for some municipalities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// District.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    /// Town or street office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub town: Option<String>,
    /// Country, where the platform says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// The platform's token for the receiver, to be opened there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oaid: Option<String>,
    /// Whether the platform gave it encrypted or masked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encrypted: bool,
    /// The whole of it, sealed under the order's own key, base64. Set by the gateway; never in an entity or event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

impl Receiver {
    /// What everybody may see: region and token as they are, the first character of the name, the last four digits of a
    /// phone, and nothing of the address and what people wrote.
    ///
    /// ```
    /// use qudao_model::Receiver;
    /// let receiver = Receiver { name: Some("韩测评".into()), mobile: Some("10019545127".into()), address: Some("示例路503号".into()),
    ///     city: Some("杭州市".into()), ..Receiver::default() };
    /// let masked = receiver.masked();
    /// assert_eq!(masked.name.as_deref(), Some("韩**"));
    /// assert_eq!(masked.mobile.as_deref(), Some("*******5127"));
    /// assert_eq!((masked.address.as_deref(), masked.city.as_deref()), (Some("***"), Some("杭州市")));
    /// assert_eq!(masked.masked(), masked);
    /// ```
    #[must_use]
    pub fn masked(&self) -> Receiver {
        let stars = |text: &Option<String>| text.as_ref().map(|_| "***".to_owned());
        Receiver {
            name: self.name.as_deref().map(name),
            mobile: self.mobile.as_deref().map(phone),
            phone: self.phone.as_deref().map(phone),
            address: stars(&self.address),
            buyer_message: stars(&self.buyer_message),
            seller_memo: stars(&self.seller_memo),
            sealed: None,
            ..self.clone()
        }
    }

    /// Whether it holds anything that must be sealed.
    pub fn is_personal(&self) -> bool {
        *self != self.masked()
    }
}

fn name(name: &str) -> String {
    name.chars().next().map_or_else(String::new, |first| format!("{first}**"))
}

/// Seven stars and the last four digits; a short number shows nothing. What comes masked stays as it is.
fn phone(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let tail: String = digits.iter().skip(digits.len().saturating_sub(4)).collect();
    // Masked already, by us or by the platform.
    if number.contains('*') && digits.len() <= 4 {
        return number.to_owned();
    }
    if digits.len() < 7 { "***".to_owned() } else { format!("*******{tail}") }
}
