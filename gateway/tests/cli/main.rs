//! The command line as people and scripts meet it: the real program in a temporary folder, its output, its exit codes.

#[cfg(test)]
mod asks;
#[cfg(test)]
mod check;
#[cfg(test)]
mod help;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod onboard;
#[cfg(test)]
mod onboard_odd;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod plugin;
#[cfg(test)]
mod program;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod webhooks;
