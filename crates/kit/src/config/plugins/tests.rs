use super::*;
use crate::config::{Error, read_texts};

const SHA256: &str = "9fdd8be7947e4a4caf7cce4f0e02695081b6c85178aa912df5d37be97363144c";

fn read_as(name: &str, text: String) -> Result<Plugins, Vec<String>> {
    match read_texts(&[(name.into(), text)], Vec::new()) {
        Ok((config, warnings)) => {
            assert_eq!(warnings, []);
            Ok(config.plugins)
        }
        Err(Error::Invalid(problems)) => Err(problems.iter().map(ToString::to_string).collect()),
        Err(other) => panic!("{other}"),
    }
}

fn read(text: &str) -> Result<Plugins, Vec<String>> {
    read_as("a.hcl", text.replace("SHA256", &format!("\"{SHA256}\"")))
}

#[test]
fn plugins_are_declared_in_hcl_and_in_json() {
    let hcl = read(
        "plugin_auto_download = true\nplugin_auto_register = true\nplugin_download_behavior = \"continue\"\n\
         plugin_download_max_size = 1024\nplugin_download_networks = [\"10.0.0.0/8\"]\n\
         plugin_download_plain_http = [\"10.0.0.1:5000\"]\n\
         plugin \"secret\" \"aws\" {\n image = \"ghcr.io/org/aws\"\n version = \"v1.0.0\"\n sha256sum = SHA256\n}\n\
         plugin \"secret\" \"aws\" {\n image = \"ghcr.io/org/aws\"\n version = \"1.1\"\n sha256sum = SHA256\n \
         binary_name = \"/bin/aws\"\n}\n\
         plugin \"auth\" \"own\" {\n command = \"own\"\n version = \"v2\"\n sha256sum = SHA256\n \
         args = [\"-x\"]\n env = [\"A=b\"]\n}",
    )
    .unwrap();
    let json = format!(
        r#"{{"plugin_auto_download": true, "plugin_auto_register": "true", "plugin_download_behavior": "warn",
          "plugin_download_max_size": 1024, "plugin_download_networks": ["10.0.0.0/8"],
          "plugin_download_plain_http": ["10.0.0.1:5000"],
          "plugin": [
            {{"secret": {{"aws": [
              {{"image": "ghcr.io/org/aws", "version": "v1.0.0", "sha256sum": "{SHA256}"}},
              {{"image": "ghcr.io/org/aws", "version": "1.1", "sha256sum": "{SHA256}", "binary_name": "/bin/aws"}}
            ]}}}},
            {{"auth": {{"own": {{"command": "own", "version": "v2", "sha256sum": "{SHA256}", "args": ["-x"],
              "env": ["A=b"]}}}}}}]}}"#
    );
    assert_eq!(read_as("a.json", json), Ok(hcl.clone()));
    assert!(hcl.auto_register && hcl.auto_download && hcl.may_be_missing);
    assert_eq!((hcl.downloads.largest, hcl.downloads.plain_http.len()), (1024, 1));
    let commands: Vec<_> = hcl.declared.iter().map(DeclaredPlugin::command).collect();
    assert_eq!(commands, ["secret-aws-v1.0.0", "secret-aws-1.1", "own"]);
    assert_eq!(hcl.declared[1].version.to_string(), "v1.1.0");
    assert_eq!(read("").unwrap(), Plugins::default());
}

#[test]
fn each_mistake_has_its_line_and_its_sentence() {
    let whole = "image = \"r.example/kv\"\nversion = \"v1\"\nsha256sum = SHA256";
    let block = |lines: &str| format!("plugin \"secret\" \"kv\" {{\n{lines}\n}}");
    for (text, said) in [
        (
            block("version = \"v1\"\nsha256sum = SHA256"),
            "a.hcl:1: `plugin` needs an `image`, or the `command`",
        ),
        (
            block(&format!("{whole}\ncommand = \"kv\"")),
            "a.hcl:1: `plugin` has an `image` or a `command`, not both",
        ),
        (
            block("image = \"r.example/kv\"\nsha256sum = SHA256"),
            "a.hcl:1: `plugin` needs `version`: a semantic version",
        ),
        (
            block(&whole.replace("\"v1\"", "\"latest\"")),
            "a.hcl:3: `version` is \"latest\"; allowed: a semantic version",
        ),
        (block(&whole.replace("\"v1\"", "\"v1.0.0+builtin\"")), "a.hcl:3: `version` is"),
        (block(&whole.replace("SHA256", "\"abc\"")), "a.hcl:4: `sha256sum` is \"abc\"; allowed: the SHA256"),
        (
            block("image = \"r.example/kv\"\nversion = \"v1\""),
            "a.hcl:1: `plugin` needs `sha256sum`: the SHA256",
        ),
        (
            block(&whole.replace("r.example/kv", "R EXAMPLE")),
            "a.hcl:1: `image` and `version` of `plugin` do not name",
        ),
        (
            block(&format!("{whole}\nbinary_name = \"../kv\"")),
            "a.hcl:1: `binary_name` of `plugin` is a path inside",
        ),
        (
            block(&format!("{whole}\nenv = [\"canary\"]")),
            "a.hcl:1: each variable in `env` of `plugin` is written",
        ),
        (
            block(whole).replace("\"kv\" {", "\"a/kv\" {"),
            "a.hcl:1: the name of a plugin from an image has no slash",
        ),
        (block(whole).replace("secret", "kms"), "a.hcl:1: \"kms\" is not a supported plugin type"),
        (format!("plugin \"secret\" {{\n{whole}\n}}"), "a.hcl:2: `plugin` needs a type and a name"),
        (
            format!("{}\n{}", block(whole), block(whole)),
            "a.hcl:6: secret plugin \"kv\" has this version twice",
        ),
        (
            "plugin_download_behavior = \"ignore\"".to_owned(),
            "a.hcl:1: `plugin_download_behavior` is \"ignore\"; allowed: \"fail\" or",
        ),
        (
            "plugin_download_networks = [\"10.0.0.1/99\"]".to_owned(),
            "a.hcl:1: `plugin_download_networks` is a list; allowed: a list of networks",
        ),
    ] {
        let problems = read(&text).unwrap_err();
        assert!(problems[0].starts_with(said), "{text}\n{problems:?}");
        assert!(!problems.concat().contains("canary"), "{problems:?}");
    }
}
