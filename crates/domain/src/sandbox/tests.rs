use proptest::prelude::*;

use super::*;

fn refused(asked: SandboxSettings) -> String {
    Sandbox::try_from(asked).unwrap_err().to_string()
}

#[test]
fn the_defaults_make_a_sandbox() {
    let sandbox = Sandbox::try_from(SandboxSettings::default()).unwrap();
    assert_eq!(sandbox, Sandbox::default());
    assert_eq!(sandbox.ids(), None);
    assert!(!sandbox.needs_cgroup() && !sandbox.settings().best_effort);
}

#[test]
fn a_group_that_is_not_named_has_the_users_number() {
    let with = |group| Sandbox(SandboxSettings { user: Some(7), group, ..SandboxSettings::default() }).ids();
    assert_eq!((with(None), with(Some(8))), (Some((7, 7)), Some((7, 8))));
}

#[test]
fn each_mistake_has_its_sentence() {
    let all = SandboxSettings::default;
    let list = |path: &str| vec![path.to_owned()];
    let cases = [
        (SandboxSettings { user: Some(0), ..all() }, "user 0 cannot be"),
        (SandboxSettings { user: Some(1), group: Some(u32::MAX), ..all() }, "group 4294967295 cannot be"),
        (SandboxSettings { group: Some(9), ..all() }, "group needs user"),
        (SandboxSettings { processes: 99, ..all() }, "processes needs user"),
        (
            SandboxSettings { open_files: 3, ..all() },
            "open_files is 3: it has to be 0, for no limit, or at least 32",
        ),
        (SandboxSettings { cpu_nanos: 1000, ..all() }, "cpu_nanos is 1000"),
        (SandboxSettings { cgroup_parent: "/a/../b".to_owned(), ..all() }, "cgroup_parent \"/a/../b\""),
        (SandboxSettings { read_paths: list("etc"), ..all() }, "read_paths has \"etc\""),
        (SandboxSettings { execute_paths: list("/a//b"), ..all() }, "execute_paths has \"/a//b\""),
        (SandboxSettings { write_paths: list("/"), ..all() }, "write_paths cannot have /"),
        (
            SandboxSettings { write_paths: list("/a"), filesystem: false, ..all() },
            "write_paths needs filesystem",
        ),
        (SandboxSettings { environment: Some(list("A=b")), ..all() }, "environment has \"A=b\""),
        (SandboxSettings { read_paths: vec!["/a".to_owned(); 65], ..all() }, "read_paths has 65 entries"),
    ];
    for (asked, sentence) in cases {
        let said = refused(asked);
        assert!(said.starts_with(sentence), "{said}");
    }
}

proptest! {
    #[test]
    fn what_was_taken_reads_back_and_nothing_else_does(
        user in proptest::option::of(any::<u32>()),
        group in proptest::option::of(any::<u32>()),
        amounts in proptest::array::uniform4(0_u64..1 << 34),
        paths in proptest::collection::vec("(/|[a-c.]){0,6}", 0..4),
        names in proptest::option::of(proptest::collection::vec("[A-Z=]{0,3}", 0..3)),
        filesystem: bool,
    ) {
        let [data_bytes, open_files, processes, cpu_nanos] = amounts;
        let asked = SandboxSettings {
            user, group, data_bytes, open_files, processes, cpu_nanos, filesystem,
            read_paths: paths, environment: names, ..SandboxSettings::default()
        };
        let stored = serde_json::to_string(&asked).unwrap();
        match Sandbox::try_from(asked) {
            Ok(sandbox) => {
                prop_assert!(sandbox.ids().is_none_or(|(user, group)| user > 0 && group > 0));
                prop_assert!(sandbox.settings().read_paths.iter().all(|path| !path.contains("//")));
                prop_assert_eq!(serde_json::from_str::<Sandbox>(&stored).unwrap(), sandbox);
            }
            Err(_) => prop_assert!(serde_json::from_str::<Sandbox>(&stored).is_err()),
        }
    }
}
