//! The fuzzer that needs no nightly toolchain: changes what there is, without looking at coverage.
//!
//! A finding is a panic, or an input that takes longer than [`SLOW`]. What ends the process takes the input with it: so the
//! one that runs stands in a file, where whoever started the process finds it. An input that never comes back ends the
//! process, too.

use crate::mutate::{Chance, mutate};
use crate::{Reached, Target};
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// An input that takes longer is a finding.
pub const SLOW: Duration = Duration::from_secs(10);
/// One that takes longer is not waited for: the process ends.
const ENDLESS: Duration = Duration::from_mins(1);
/// For making a finding smaller: each try of a slow one takes longer than [`SLOW`].
const SMALLER: Duration = Duration::from_secs(2);
const SMALLER_SLOW: Duration = Duration::from_mins(2);

/// What is wrong with an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The target panics.
    Panic,
    /// It comes back too late.
    Slow,
}

/// Runs inputs of one target.
pub struct Runner {
    run: fn(&[u8]) -> Reached,
    slow: Duration,
    last: Option<Last>,
    watch: Arc<Watch>,
}

/// The file that has the input that runs.
struct Last {
    file: File,
    path: PathBuf,
}

/// What a thread beside it looks at.
#[derive(Default)]
struct Watch {
    runs: AtomicU64,
    running: AtomicBool,
}

/// What became of a run of many inputs.
pub struct Ran {
    /// How many.
    pub runs: u64,
    /// What was worth being changed further, seeds included.
    pub corpus: usize,
    /// An input with something wrong, made smaller.
    pub found: Option<Vec<u8>>,
}

impl Runner {
    /// Of a target; the input that runs stands in `last`.
    pub fn new(target: &Target, last: Option<&Path>) -> io::Result<Runner> {
        let open =
            |path: &Path| Ok::<_, io::Error>(Last { file: File::create(path)?, path: path.to_owned() });
        let last = last.map(open).transpose()?;
        Ok(Runner { run: target.run, slow: SLOW, last, watch: Arc::default() })
    }

    /// Ends the process where an input does not come back.
    #[must_use]
    pub fn watched(self) -> Runner {
        let watch = Arc::clone(&self.watch);
        drop(thread::spawn(move || {
            let (mut seen, mut since) = (0, Instant::now());
            loop {
                thread::sleep(Duration::from_secs(1));
                let runs = watch.runs.load(Ordering::Relaxed);
                if runs != seen || !watch.running.load(Ordering::Relaxed) {
                    (seen, since) = (runs, Instant::now());
                } else if since.elapsed() > ENDLESS {
                    process::abort();
                }
            }
        }));
        self
    }

    /// Runs one input.
    pub fn run(&mut self, input: &[u8]) -> io::Result<Result<Reached, Fault>> {
        if let Some(Last { file, .. }) = &mut self.last {
            // No sync: the process may end, the machine does not.
            file.seek(SeekFrom::Start(0))?;
            file.write_all(input)?;
            file.set_len(input.len() as u64)?;
        }
        self.watch.runs.fetch_add(1, Ordering::Relaxed);
        self.watch.running.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        let told = catch_unwind(AssertUnwindSafe(|| (self.run)(input)));
        self.watch.running.store(false, Ordering::Relaxed);
        Ok(match told {
            Err(_) => Err(Fault::Panic),
            Ok(_) if begun.elapsed() > self.slow => Err(Fault::Slow),
            Ok(reached) => Ok(reached),
        })
    }

    /// Runs what there is and changes to it, until time is over or something is found.
    pub fn fuzz(
        &mut self,
        seeds: Vec<Vec<u8>>,
        until: Duration,
        seed: u64,
        max_len: usize,
    ) -> io::Result<Ran> {
        let (begun, mut chance, fresh) = (Instant::now(), Chance::new(seed), seeds.len());
        let mut pool = seeds;
        let mut runs = 0;
        while begun.elapsed() < until && !pool.is_empty() {
            let next = usize::try_from(runs).ok().and_then(|at| pool.get(at).filter(|_| at < fresh).cloned());
            let input = next.unwrap_or_else(|| {
                let from = chance.below(pool.len());
                mutate(&pool[from], &pool, &mut chance, max_len)
            });
            runs += 1;
            match self.run(&input)? {
                Err(fault) => {
                    let found = Some(self.smaller(&input, fault)?);
                    return Ok(Ran { runs, corpus: pool.len(), found });
                }
                // What gets through is worth changing further.
                Ok(Reached::Understood) if chance.below(8) == 0 => {
                    pool.push(input);
                    if pool.len() > 4 * fresh + 256 {
                        pool.swap_remove(fresh);
                    }
                }
                Ok(_) => {}
            }
        }
        Ok(Ran { runs, corpus: pool.len(), found: None })
    }

    /// The input with as much taken out as leaves the finding there, for a while.
    fn smaller(&mut self, input: &[u8], fault: Fault) -> io::Result<Vec<u8>> {
        let (begun, most) = (Instant::now(), if fault == Fault::Slow { SMALLER_SLOW } else { SMALLER });
        let mut small = input.to_vec();
        let mut piece = small.len() / 2;
        while piece > 0 && begun.elapsed() < most {
            let mut at = 0;
            while at < small.len() && begun.elapsed() < most {
                let end = (at + piece).min(small.len());
                let without = [&small[..at], &small[end..]].concat();
                if self.run(&without)? == Err(fault) { small = without } else { at = end }
            }
            piece /= 2;
        }
        Ok(small)
    }

    /// The process comes to its end, so no input was lost.
    pub fn end(self) -> io::Result<()> {
        self.last.map_or(Ok(()), |Last { path, .. }| fs::remove_file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    thread_local! {
        static LAST: RefCell<PathBuf> = RefCell::default();
    }

    fn runner(run: fn(&[u8]) -> Reached, slow: Duration) -> Runner {
        Runner { run, slow, last: None, watch: Arc::default() }
    }

    #[test]
    fn the_input_that_runs_stands_in_a_file_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last");
        LAST.set(path.clone());
        let run = |input: &[u8]| {
            assert_eq!(LAST.with_borrow(|last| fs::read(last)).unwrap(), input);
            Reached::Understood
        };
        let target = Target { name: "", about: "", run, seeds: Vec::new, max_len: 64 };
        let mut runner = Runner::new(&target, Some(&path)).unwrap();
        for input in [&b"a long one"[..], b"short", b""] {
            assert_eq!(runner.run(input).unwrap(), Ok(Reached::Understood));
        }
        let ran = runner.fuzz(vec![b"{\"a\":1}".to_vec()], Duration::from_millis(20), 1, 64).unwrap();
        assert!(ran.found.is_none() && ran.runs > 10, "{} runs", ran.runs);
        runner.end().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_panics_and_what_is_slow_is_found_and_made_smaller() {
        let bad = |input: &[u8]| input.windows(2).any(|two| two == b"-1");
        let smaller = |run: fn(&[u8]) -> Reached, slow: Duration, fault: Fault| {
            let found =
                runner(run, slow).fuzz(vec![b"aaaaaaaa-1bbbbbbbb".to_vec()], SLOW, 1, 64).unwrap().found;
            let found = found.unwrap();
            assert!(bad(&found) && found.len() < 6, "{fault:?}: {found:?}");
        };
        let panics = |input: &[u8]| {
            assert!(!input.windows(2).any(|two| two == b"-1"), "found");
            Reached::Understood
        };
        smaller(panics, SLOW, Fault::Panic);
        // Whatever has it takes a hundred times what others take.
        let waits = |input: &[u8]| {
            let until = Instant::now() + Duration::from_millis(50);
            while input.windows(2).any(|two| two == b"-1") && Instant::now() < until {
                std::hint::spin_loop();
            }
            Reached::Understood
        };
        smaller(waits, Duration::from_millis(40), Fault::Slow);
    }
}
