//! Storage as its callers see it, on real files.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod commit;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod property;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod seals;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod stock;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod trouble;
