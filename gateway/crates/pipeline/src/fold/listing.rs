//! Facts to a listing. Once somebody said which SKU it is, a late "nobody said" changes nothing.

use super::family::{Family, count};
use qudao_model::{EntityKind, Listing, ListingState, Timestamp};

/// The listing, if the family is one.
pub(super) fn fold(family: &Family<'_>) -> Option<Listing> {
    let (first, last) = (family.listings.first()?, family.listings.last()?);
    let mapped = family.listings.iter().rev().find(|one| one.facts.state == ListingState::Mapped);
    let latest = |text: fn(&qudao_model::ListingFacts) -> &Option<String>| {
        family.listings.iter().rev().find_map(|one| text(one.facts).clone())
    };
    Some(Listing {
        id: EntityKind::Listing.id(family.channel, &[&first.facts.channel_sku]),
        channel: family.channel.to_owned(),
        channel_sku: first.facts.channel_sku.clone(),
        state: mapped.map_or(ListingState::Missing, |_| ListingState::Mapped),
        channel_item: latest(|facts| &facts.channel_item),
        title: latest(|facts| &facts.title),
        order_no: family.listings.iter().find_map(|one| one.facts.order_no.clone()),
        sku: mapped.and_then(|one| one.facts.sku.clone()),
        version: count(family.listings.len()),
        updated_at: family.listings.iter().map(|one| one.at).fold(last.at, Timestamp::max),
        anomalies: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Folding;
    use qudao_model::{Entity, ListingFacts, ListingState, Observation, Timestamp};
    use qudao_storage::{Fold as _, Known};

    fn told(second: i64, state: ListingState, sku: Option<&str>) -> Known {
        let facts = ListingFacts {
            channel_sku: "C1".into(),
            state,
            channel_item: None,
            title: Some(format!("shirt {second}")),
            order_no: (state == ListingState::Missing).then(|| format!("A{second}")),
            sku: sku.map(str::to_owned),
        };
        let at = Timestamp::from_second(1_766_000_000 + second).unwrap();
        Known { observation: Observation::listing(at, facts), dedupe_key: String::new() }
    }

    #[test]
    fn is_missed_once_and_mapped_for_good() {
        let all = [
            told(2, ListingState::Missing, None),
            told(1, ListingState::Missing, None),
            told(0, ListingState::Mapped, Some("S1")),
            told(3, ListingState::Missing, None),
            told(4, ListingState::Mapped, Some("S2")),
        ];
        let (mut events, mut before) = (Vec::new(), None);
        for many in 1..=all.len() {
            let after = Folding::default().fold("shop-main", &all[..many]).remove(0);
            let drafts = Folding::default().events(before.as_ref(), &after);
            events.extend(drafts.iter().map(|draft| format!("{many} {}", draft.event_type())));
            before = Some(after);
        }
        let expected =
            ["1 qudao.listing.missing.v1", "3 qudao.listing.changed.v1", "5 qudao.listing.changed.v1"];
        assert_eq!(events, expected);
        let Some(Entity::Listing(listing)) = before else { panic!("a listing") };
        assert_eq!((listing.state, listing.sku.as_deref()), (ListingState::Mapped, Some("S2")));
        assert_eq!((listing.order_no.as_deref(), listing.title.as_deref()), (Some("A1"), Some("shirt 4")));
        assert_eq!(listing.version, 5);
    }
}
