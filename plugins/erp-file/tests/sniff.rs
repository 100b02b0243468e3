//! The sniffer: how much of a mapping it finds by itself, what it asks, what it says of its own accord.

#[cfg(test)]
mod sniff {
    mod asks;
    mod look;
    mod says;
    mod scores;
}
