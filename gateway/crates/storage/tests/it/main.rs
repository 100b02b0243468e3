//! Storage as its callers see it, on real files.

#[cfg(test)]
mod commit;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod property;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod trouble;
