use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;

const SUBJECT: UsernameSubject<'_> = UsernameSubject { display_name: "token-ops", role_name: "read-only" };

/// 2021-05-07 08:09:10.123 UTC, a Friday.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_620_374_950_123)
}

/// Bytes that count up.
fn counting() -> impl FnMut(&mut [u8]) -> Result<(), NoRandomness> {
    let mut next = 0_u8;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
        Ok(())
    }
}

fn name(template: &str) -> String {
    template.parse::<UsernameTemplate>().unwrap().generate(&SUBJECT, now(), counting()).unwrap()
}

fn refusal(template: &str) -> String {
    template.parse::<UsernameTemplate>().unwrap_err().to_string()
}

#[test]
fn postgresqls_own_template_makes_the_names_that_operators_know() {
    let template = r#"{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}"#;
    assert_eq!(name(template), "v-token-op-read-onl-0123456789ABCDEFGHIJ-1620374950");
}

#[test]
fn every_function_does_what_vault_says_of_it() {
    for (template, expected) in [
        ("{{.DisplayName}}_{{.RoleName}}", "token-ops_read-only"),
        ("{{random 5}}", "01234"),
        ("{{random 0}}|", "|"),
        ("{{.RoleName | truncate 4}}", "read"),
        ("{{truncate 400 .RoleName}}", "read-only"),
        ("{{truncate_sha256 12 \"read-only-for-ever\"}}", "read5905482e"),
        ("{{truncate_sha256 9 .RoleName}}", "read-only"),
        ("{{.RoleName | uppercase}}{{uppercase \"a\" | lowercase}}", "READ-ONLYa"),
        ("{{.RoleName | replace \"-\" \"_\"}}", "read_only"),
        ("{{sha256 \"abc\" | truncate 16}}", "ba7816bf8f01cfea"),
        ("{{base64 \"hello?\"}}", "aGVsbG8/"),
        ("{{unix_time}} {{unix_time_millis}}", "1620374950 1620374950123"),
        ("{{uuid}}", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (
            "{{printf \"%s|%5s|%-5s|%.2s|%d|%05d|%x|%X|%%|%v\" \"a\" \"b\" \"c\" \"def\" 7 -8 \"hi\" 255 `raw`}}",
            "a|    b|c    |de|7|-0008|6869|FF|%|raw",
        ),
        ("a {{- /* nothing */ -}} b {{- \" c\" -}} d", "ab cd"),
        ("{{\"\\\"{{\"}}", "\"{{"),
        ("{{ (.RoleName) | printf \"%s%s\" (random 1) }}", "0read-only"),
        ("{{ 12 }}", "12"),
        ("no action at all }}", "no action at all }}"),
    ] {
        assert_eq!(name(template), expected, "{template}");
    }
}

#[test]
fn times_are_written_after_gos_layouts() {
    for (layout, expected) in [
        ("2006-01-02T15:04:05Z07:00", "2021-05-07T08:09:10Z"),
        ("Mon, 2 Jan 06 3:4:5PM MST", "Fri, 7 May 21 8:9:10AM UTC"),
        ("Monday January 002 03pm", "Friday May 127 08am"),
        ("15:04:05.000 05.999999 05,00", "08:09:10.123 10.123 10,12"),
        ("20060102150405-0700", "20210507080910+0000"),
    ] {
        assert_eq!(name(&format!("{{{{timestamp \"{layout}\"}}}}")), expected, "{layout}");
    }
}

#[test]
fn what_is_wrong_with_a_template_is_said_when_it_is_read() {
    for (template, expected) in [
        ("{{.RoleName", "not closed by }}"),
        ("{{.Role}}", ".DisplayName and .RoleName"),
        ("{{.}}", ".DisplayName and .RoleName"),
        ("{{foo}}", "function \"foo\" not defined"),
        ("{{if .RoleName}}x{{end}}", "know no \"if\""),
        ("{{$x := 1}}", "know no \"$\""),
        ("{{random}}", "wrong arguments for random"),
        ("{{random \"8\"}}", "wrong arguments for random"),
        ("{{random -1}}", "must be > -1"),
        ("{{random 1000000000}}", "more than 4096 bytes"),
        ("{{truncate 0 .RoleName}}", "must be > 0"),
        ("{{truncate_sha256 8 .RoleName}}", "must be > 8"),
        ("{{printf \"%s\"}}", "asks for more"),
        ("{{printf \"x\" .RoleName}}", "more is given"),
        ("{{printf \"%d\" .RoleName}}", "not for a text"),
        ("{{printf \"%99999s\" .RoleName}}", "larger than 4096"),
        ("{{(.RoleName}}", "not closed"),
        ("{{.RoleName)}}", "was not opened"),
        ("{{.RoleName | \"x\"}}", "no function"),
        ("{{.RoleName \"x\"}}", "no function"),
        ("{{}}", "a value is missing"),
        ("{{\"x}}", "no end"),
        ("{{/* x}}", "no end"),
        (&format!("{{{{{}1}}}}", "(".repeat(100)), "too deeply"),
    ] {
        assert!(refusal(template).contains(expected), "{template}: {}", refusal(template));
    }
}

#[test]
fn without_random_bytes_there_is_no_name() {
    let template: UsernameTemplate = "{{random 1}}".parse().unwrap();
    assert_eq!(template.generate(&SUBJECT, now(), |_| Err(NoRandomness)), Err(NoRandomness));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in ".{0,80}") {
        let _ = text.parse::<UsernameTemplate>();
        let _ = format!("{{{{{text}}}}}").parse::<UsernameTemplate>();
    }

    #[test]
    fn a_template_that_was_taken_makes_names_for_everybody(
        words in prop::collection::vec(
            prop_oneof![
                Just("random 3"), Just(".DisplayName"), Just("truncate 3"), Just("truncate_sha256 9"), Just("|"),
                Just("uppercase"), Just("printf \"%s\""), Just("("), Just(")"), Just("unix_time"), Just("7"),
                Just("timestamp \"Jan\""), Just("replace \"a\" \"b\""), Just("}}x{{"),
            ],
            0..8,
        ),
        display_name in ".*",
        role_name in ".*",
    ) {
        let text = format!("{{{{{}}}}}", words.join(" "));
        if let Ok(template) = text.parse::<UsernameTemplate>() {
            let subject = UsernameSubject { display_name: &display_name, role_name: &role_name };
            prop_assert!(template.generate(&subject, now(), counting()).is_ok());
        }
    }

    #[test]
    fn text_without_actions_is_its_own_name(text in "[^{]*") {
        prop_assert_eq!(name(&text), text);
    }

    #[test]
    fn cutting_keeps_within_the_length_and_what_was_cut_off_still_counts(
        display_name in ".{0,60}",
        other in ".{0,60}",
        length in 9_usize..40,
    ) {
        let cut: UsernameTemplate = format!("{{{{.DisplayName | truncate {length}}}}}").parse().unwrap();
        let hashed: UsernameTemplate = format!("{{{{.DisplayName | truncate_sha256 {length}}}}}").parse().unwrap();
        let of = |template: &UsernameTemplate, display_name: &str| {
            template.generate(&UsernameSubject { display_name, role_name: "" }, now(), counting()).unwrap()
        };
        prop_assert!(of(&cut, &display_name).len() <= length);
        prop_assert!(display_name.starts_with(&of(&cut, &display_name)));
        prop_assert!(of(&hashed, &display_name).len() <= length);
        if display_name != other {
            prop_assert_ne!(of(&hashed, &display_name), of(&hashed, &other));
        }
    }
}
