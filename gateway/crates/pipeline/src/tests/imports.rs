//! Imports with a connector that reads JSON lines, without a sandbox.

mod crash;
mod decisions;
mod disk;
mod folders;
mod kit;
mod moves;
mod replays;
mod slips;
mod snapshots;
mod stops;
mod terms;
mod tries;
mod vectors;
