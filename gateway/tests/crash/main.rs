//! Fifty kills of the real program under load; `cargo xtask crash --cycles 1000` does the same for as long as one likes.

#[cfg(test)]
mod tests {
    use qudao_crash::{Options, Report, run};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    /// For 95 of 100 restarts. A development build, on a machine that runs all other tests meanwhile: this finds what hangs or
    /// grows. The aim of a second is held by `cargo xtask crash`, which builds for release.
    const ANSWER_WITHIN: Duration = Duration::from_secs(10);

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
    }

    /// `cargo xtask test` has built the components and says so.
    fn components() {
        if std::env::var_os("QUDAO_COMPONENTS_BUILT").is_some() {
            return;
        }
        let toolchain = qudao_build::target::ensure(&mut |_| {}).unwrap();
        for name in ["wechat-pay", "alipay", "jd", "erp-file"] {
            let (source, out) = (root().join("plugins").join(name), root().join("target/plugins"));
            qudao_build::component(&source, Some(&out), toolchain, &mut |_| {}).unwrap();
        }
    }

    fn killed(options: &Options) -> Report {
        components();
        let report = run(options, &mut |_| {}).unwrap();
        let Options { seed, folder, .. } = options;
        let missing = report.missing.join("\n");
        assert!(
            report.missing.is_empty(),
            "after cycle {} of seed {seed}, in {}:\n{missing}",
            report.cycles,
            folder.display()
        );
        report
    }

    fn options(name: &str, seed: u64) -> Options {
        Options {
            gateway: env!("CARGO_BIN_EXE_qudao").into(),
            root: root(),
            folder: root().join("target/crash-tests").join(name),
            cache: Some(root().join("target/crash-cache")),
            cycles: 0,
            seed,
            rate: 100,
            events: 0,
            migrations: 0,
            answer_within: Some(ANSWER_WITHIN),
        }
    }

    #[test]
    fn fifty_kills_lose_nothing_and_leave_nothing_half() {
        let report = killed(&Options { cycles: 50, ..options("kills", 20_260_121) });
        assert!(report.cycles >= 50, "{report:?}");
        // It was under load, in all ways, and kills struck where they were aimed.
        assert!(report.counts.acknowledged > 500, "{report:?}");
        assert!(report.counts.unanswered > 0 && report.counts.repeated > 0, "{report:?}");
        assert_eq!(report.kills.len(), 6, "{report:?}");
        assert!(report.hit.len() == 6 && report.hit.values().all(|hit| *hit > 0), "{report:?}");
        assert!(report.copies.started_over > 10, "{report:?}");
        assert!(report.kept.imports > 2 && report.kept.orders > 100, "{report:?}");
    }

    /// A long past does not make a start slow, and nothing of it gets lost.
    #[test]
    fn kills_with_a_hundred_thousand_events_behind_them() {
        let report = killed(&Options { cycles: 3, events: 100_000, ..options("past", 11) });
        assert_eq!(report.cycles, 3);
        assert!(report.kept.events > 100_000, "{report:?}");
    }

    #[test]
    fn a_killed_migration_goes_on_where_it_was() {
        // The newest versions first, and of each of them once at least.
        let report = killed(&Options { migrations: 4, ..options("migrations", 7) });
        assert_eq!(report.migrations.count, 4);
        assert!(report.hit.get("migration").is_some_and(|hit| *hit >= 4), "{report:?}");
    }
}
