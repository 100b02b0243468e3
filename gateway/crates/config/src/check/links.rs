//! Rules of `links`: channels that exist, two of them, and names of their own.

use super::Check;
use crate::suggest::{either, nearest};
use crate::tree::Node;

impl Check<'_> {
    pub(super) fn links(&mut self, root: &Node) {
        let rules = root.get("links").map(Node::items).unwrap_or_default();
        let mut names: Vec<&str> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let pointer = format!("/links/{index}");
            let text = |key: &str| rule.get(key).and_then(Node::text).filter(|text| !text.is_empty());
            for key in ["orders", "payments"] {
                if let Some(channel) = text(key) {
                    self.known_channel(&format!("{pointer}/{key}"), key, channel);
                }
            }
            if let (Some(orders), Some(payments)) = (text("orders"), text("payments"))
                && orders == payments
            {
                let said = format!("`orders` and `payments` are both `{orders}`");
                let finding = self.at(&format!("{pointer}/payments"), "link", said);
                self.add(finding.hint(
                    "name the channel that is told of the payment; a platform links its own by itself",
                ));
            }
            match text("name") {
                Some(name) if names.contains(&name) => {
                    let finding = self.at(
                        &format!("{pointer}/name"),
                        "link",
                        format!("two rules have the name `{name}`"),
                    );
                    self.add(
                        finding.hint("give each a name of its own; it is shown on what the rule linked"),
                    );
                }
                Some(name) => names.push(name),
                None => {}
            }
        }
    }

    fn known_channel(&mut self, pointer: &str, key: &str, written: &str) {
        let known = self.channel_names();
        if !known.contains(&written) {
            let hint = other_channel(written, &known);
            let finding = self.at(pointer, "link", format!("`{key}` names no channel: `{written}`"));
            self.add(finding.hint(hint));
        }
    }

    /// As the file has them.
    pub(super) fn channel_names(&self) -> Vec<&str> {
        let channels = self.document.root.get("channels").into_iter().flat_map(Node::entries);
        channels.map(|entry| entry.key.as_str()).collect()
    }
}

/// Which channel was probably meant.
pub(super) fn other_channel(written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are no channels in this configuration".to_owned(),
        None => format!("there is {}", either(known)),
    }
}
