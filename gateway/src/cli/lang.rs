//! The language of what franchisees see: English, or Chinese with `--lang zh` or a Chinese environment.

use clap::{Args, Command};
use qudao_config::Environment;
use qudao_pipeline::sentences::Lang;
use std::{ffi::OsString, sync::OnceLock};

/// The language that this process was called in, for what is said where no argument is at hand: errors and their hints.
static SPOKEN: OnceLock<Lang> = OnceLock::new();

/// Sets the language of errors; only the first call counts.
pub(crate) fn speak(lang: Lang) {
    SPOKEN.get_or_init(|| lang);
}

/// The language of errors.
pub(crate) fn spoken() -> Lang {
    SPOKEN.get().copied().unwrap_or_default()
}

/// The text in the language of errors.
pub(crate) fn said<'a>(en: &'a str, zh: &'a str) -> &'a str {
    spoken().pick(en, zh)
}

/// In which language.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Speech {
    /// Language of the answer: en, zh [default: as LANG says]
    #[arg(long, value_name = "LANG", value_parser = parse)]
    lang: Option<Lang>,
}

impl Speech {
    /// The language.
    pub(crate) fn lang(self, environment: &dyn Environment) -> Lang {
        self.lang.unwrap_or_else(|| of_environment(environment))
    }
}

fn parse(word: &str) -> Result<Lang, String> {
    match word.to_ascii_lowercase().as_str() {
        "en" => Ok(Lang::En),
        word if word == "zh" || word.starts_with("zh_") || word.starts_with("zh-") => Ok(Lang::Zh),
        _ => Err("is neither en nor zh".to_owned()),
    }
}

/// As POSIX has it: `LC_ALL` before `LC_MESSAGES` before `LANG`; one that is empty does not count.
fn of_environment(environment: &dyn Environment) -> Lang {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| environment.var(name).filter(|value| !value.is_empty()));
    match said {
        Some(locale) if locale.starts_with("zh") => Lang::Zh,
        Some(_) | None => Lang::En,
    }
}

/// The language of help, which has to be known before the arguments are understood.
pub(crate) fn of_arguments(arguments: &[OsString], environment: &dyn Environment) -> Lang {
    let texts = || arguments.iter().filter_map(|argument| argument.to_str());
    let apart = texts().zip(texts().skip(1)).find(|(name, _)| *name == "--lang").map(|(_, value)| value);
    let joined = texts().find_map(|argument| argument.strip_prefix("--lang="));
    match apart.or(joined).map(parse) {
        Some(Ok(lang)) => lang,
        Some(Err(_)) | None => of_environment(environment),
    }
}

/// Help in Chinese for what franchisees use; other commands stay as they are.
pub(crate) fn chinese(command: Command) -> Command {
    super::zh::PAGES.iter().fold(command, |command, (path, about, arguments)| {
        at(command, path, &|command| page(command, about, arguments))
    })
}

/// Changes the command at the end of `path`.
fn at(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    match path.split_first() {
        None => change(command),
        Some((name, rest)) => {
            let known = command.get_subcommands().any(|sub| sub.get_name() == *name);
            if known { command.mut_subcommand(*name, |sub| at(sub, rest, change)) } else { command }
        }
    }
}

const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法: {usage}\n\n{all-args}{after-help}";

fn page(
    command: Command,
    (about, after): &(&'static str, &'static str),
    arguments: &[(&'static str, &'static str)],
) -> Command {
    let names: Vec<(String, bool)> = command
        .get_arguments()
        .map(|argument| (argument.get_id().to_string(), argument.is_positional()))
        .collect();
    let command = command
        .about(*about)
        .long_about(None::<&str>)
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令");
    let command = if after.is_empty() { command } else { command.after_help(*after) };
    let command = names.into_iter().fold(command, |command, (id, positional)| {
        let text = arguments.iter().find(|(name, _)| *name == id).map(|(_, text)| *text);
        command.mut_arg(&id, |argument| {
            let argument = argument.help_heading(if positional { "参数" } else { "选项" });
            match text {
                Some(text) => argument.help(text).long_help(None::<&str>),
                None => argument,
            }
        })
    });
    let help = clap::Arg::new("help").short('h').long("help").action(clap::ArgAction::Help);
    command.disable_help_flag(true).arg(help.help("显示帮助").help_heading("选项"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[track_caller]
    fn check(arguments: &[&str], environment: &[(&str, &str)], expect: Lang) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let environment: BTreeMap<String, String> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(of_arguments(&arguments, &environment), expect);
    }

    #[test]
    fn the_option_goes_before_the_environment() {
        check(&["qudao", "onboard"], &[], Lang::En);
        check(&["qudao", "onboard", "--lang", "zh"], &[], Lang::Zh);
        check(&["qudao", "onboard", "--lang=zh_CN"], &[("LANG", "en_US.UTF-8")], Lang::Zh);
        check(&["qudao", "onboard", "--lang", "en"], &[("LANG", "zh_CN.UTF-8")], Lang::En);
        check(&["qudao", "onboard", "--lang"], &[("LANG", "zh_CN.UTF-8")], Lang::Zh);
        check(&["qudao"], &[("LANG", "zh_CN.GB18030")], Lang::Zh);
        check(&["qudao"], &[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], Lang::En);
        check(&["qudao"], &[("LANG", "zh_TW.UTF-8"), ("LC_ALL", "")], Lang::Zh);
    }
}
