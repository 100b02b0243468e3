//! Child processes: run to the end, run while watching the output, or keep running and stop in order.
//!
//! A kept child sits in a process group of its own, so that Ctrl-C reaches only us and we stop children by id: TERM
//! first, KILL when the grace is over. Dropping a [`Kept`] stops it, so no path leaves a gateway behind.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

static STOP: AtomicBool = AtomicBool::new(false);
const LOOK: Duration = Duration::from_millis(20);

/// Runs to the end with our own input and output; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {}", shown(command)))?;
    if status.success() { Ok(()) } else { bail!("{} ended with {status}", shown(command)) }
}

/// Which stream of a child is watched; the other one is ours.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// Runs to the end, showing one stream as it comes and handing each line of it to `line`.
pub(crate) fn watch(command: &mut Command, stream: Stream, line: &mut dyn FnMut(&str)) -> Result<ExitStatus> {
    match stream {
        Stream::Out => command.stdout(Stdio::piped()),
        Stream::Err => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("starting {}", shown(command)))?;
    let piped: Option<Box<dyn Read>> = match stream {
        Stream::Out => child.stdout.take().map(|out| Box::new(out) as Box<dyn Read>),
        Stream::Err => child.stderr.take().map(|err| Box::new(err) as Box<dyn Read>),
    };
    if let Some(piped) = piped {
        let mut lines = BufReader::new(piped);
        let mut bytes = Vec::new();
        while lines.read_until(b'\n', &mut bytes).context("reading a child's output")? > 0 {
            let text = String::from_utf8_lossy(&bytes);
            anstream::print!("{text}");
            line(text.trim_end());
            bytes.clear();
        }
    }
    child.wait().context("waiting for a child")
}

/// Asks Ctrl-C and TERM to set [`stopping`] instead of ending us.
pub(crate) fn catch_stop() -> Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst)).context("catching Ctrl-C")
}

/// Whether a person asked us to stop.
pub(crate) fn stopping() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// Waits, but not once a person asked to stop.
pub(crate) fn pause(time: Duration) {
    let until = Instant::now() + time;
    while !stopping() && Instant::now() < until {
        thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
    }
}

/// A child that runs beside us until it is dropped.
pub(crate) struct Kept {
    child: Child,
    grace: Duration,
}

impl Kept {
    /// Starts the child in a process group of its own.
    pub(crate) fn start(command: &mut Command, grace: Duration) -> Result<Kept> {
        own_group(command);
        let child = command.spawn().with_context(|| format!("starting {}", shown(command)))?;
        Ok(Kept { child, grace })
    }

    /// Its standard output, when that was asked to be piped; once.
    pub(crate) fn output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The exit status, once there is one.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("looking after a child")
    }

    /// TERM, then KILL after the grace. The status tells which it took.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        terminate(&self.child);
        let until = Instant::now() + self.grace;
        while Instant::now() < until {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        self.child.kill().context("ending a child that did not stop")?;
        self.child.wait().context("waiting for a child")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            crate::screen::failure(&format!("{error:#}"));
        }
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

#[cfg(unix)]
fn terminate(child: &Child) {
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    // A child that ended in this moment is no error: the caller looks at its status next.
    if let Some(id) = id {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn terminate(_child: &Child) {}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_kept_child_is_stopped_by_term() {
        let mut command = Command::new("sleep");
        let mut kept = Kept::start(command.arg("600"), Duration::from_secs(10)).unwrap();
        assert!(kept.ended().unwrap().is_none());
        let status = kept.stop().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
    }

    #[test]
    fn watched_lines_arrive_whole_and_the_status_is_kept() {
        let mut seen = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let status = watch(&mut command, Stream::Err, &mut |line| seen.push(line.to_owned())).unwrap();
        assert_eq!((seen, status.code()), (vec!["two".to_owned()], Some(3)));
    }

    #[test]
    fn a_bad_exit_names_the_command() {
        let error = run(Command::new("sh").args(["-c", "exit 4"])).unwrap_err();
        assert!(error.to_string().contains("sh -c exit 4"), "{error}");
    }
}
