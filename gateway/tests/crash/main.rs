//! Fifty kills of the real program under load; `cargo xtask crash --cycles 1000` does the same for as long as one likes.

#[cfg(test)]
mod tests {
    use qudao_crash::{Options, Report, run};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    /// A development build, on a machine that runs all other tests meanwhile: this finds what hangs or grows. The aim of a
    /// second is held by `cargo xtask crash`, which builds for release.
    const MEDIAN_MAX: Duration = Duration::from_secs(5);

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
            answer_within: Some(MEDIAN_MAX),
        }
    }

    #[test]
    fn fifty_kills_lose_nothing_and_leave_nothing_half() {
        let report = killed(&Options { cycles: 50, ..options("kills", 20_260_121) });
        assert_eq!(report.cycles, 50);
        // It was under load, in all ways.
        assert!(report.counts.acknowledged > 500, "{report:?}");
        assert!(report.counts.unanswered > 0 && report.counts.repeated > 0, "{report:?}");
        assert_eq!(report.kills.len(), 5, "{report:?}");
        assert!(report.kept.imports > 2 && report.kept.orders > 100, "{report:?}");
    }

    #[test]
    fn a_killed_migration_goes_on_where_it_was() {
        let report = killed(&Options { migrations: 3, ..options("migrations", 7) });
        assert_eq!(report.migrations.count, 3);
    }
}
