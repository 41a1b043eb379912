//! What other programs make of what is printed for them: shells, readers of manual pages, and a terminal.

use std::{
    fs,
    process::{Command, Output},
};

use testkit::{Options, Server, go_plugin, mortise};

use super::Shell;

fn completions(shell: &str) -> String {
    String::from_utf8(mortise().args(["completions", shell]).output().unwrap().stdout).unwrap()
}

/// Runs a shell without anybody's settings.
fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn told(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn shells_complete_commands_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, script) in [
        (
            "bash",
            "source FILE; COMP_WORDS=(mortise plugin ro); COMP_CWORD=2; _mortise mortise ro plugin; echo \"${COMPREPLY[@]}\"; \
             COMP_WORDS=(mortise kv get --mo); COMP_CWORD=3; _mortise mortise --mo get; echo \"${COMPREPLY[@]}\"",
        ),
        (
            "zsh",
            "autoload -U compinit; compinit -u -D; source FILE; whence -w _mortise; print ${(k)functions[(I)_mortise__*plugin*rollback*]}; \
             print ${functions[_mortise]} | grep -o -- --mount | head -1",
        ),
        ("fish", "source FILE; complete -C 'mortise plugin ro'; complete -C 'mortise kv get --mo'"),
    ] {
        let file = folder.path().join(shell);
        fs::write(&file, completions(shell)).unwrap();
        told(&run(shell, &["-n", file.to_str().unwrap()]));
        let script = script.replace("FILE", file.to_str().unwrap());
        let no_settings = match shell {
            "bash" => "--norc",
            "zsh" => "-f",
            _ => "--no-config",
        };
        let completed = told(&run(shell, &[no_settings, "-c", &script]));
        assert!(completed.contains("rollback") && completed.contains("--mount"), "{shell}: {completed}");
    }
}

#[test]
fn manual_pages_are_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    told(&mortise().args(["man", folder.path().to_str().unwrap()]).output().unwrap());
    let mut pages: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() > 100);
    let linted = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).args(&pages).output().unwrap();
    let complaints = String::from_utf8_lossy(&linted.stdout).into_owned();
    assert_eq!(complaints, "");
    let page = folder.path().join("mortise-kv-get.1");
    let read = told(&run("mandoc", &["-T", "ascii", page.to_str().unwrap()]));
    assert!(read.contains("Read a secret"), "{read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_long_is_shown_on_a_terminal_and_nowhere_else() {
    let extra = "plugin_upload = true".to_owned();
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    let (shell, plugin) = (Shell::of(&server.api()), go_plugin("kv"));
    let words = |name: &str| format!("plugin apply -name={name} {}", plugin.path.display());
    let program = shell.command(&[]).get_program().to_string_lossy().into_owned();
    let on_terminal = |words: &str| {
        let line = format!("stty cols 100; {program} {words}");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
        script.env("VAULT_ADDR", server.api().address()).env("VAULT_TOKEN", server.api().token());
        told(&script.env("HOME", shell.path("")).current_dir(shell.path("")).output().unwrap())
    };
    let seen = on_terminal(&words("first"));
    assert!(seen.contains("first-v0.0.1-") && seen.contains("MiB"), "{seen:?}");
    assert!(seen.contains("starting the candidate") && seen.contains("registered"), "{seen:?}");
    let seen = on_terminal("debug -duration=1s -output=told");
    assert!(seen.contains("watching the server"), "{seen:?}");
    let unseen = shell.run(&words("second"));
    assert_eq!((unseen.code, unseen.err.as_str()), (0, ""), "{unseen:?}");
}
