//! What a plugin writes to stderr, line by line: Go's structured log as JSON, prefixed text, panics, and anything else.

use serde_json::{Map, Value};
use tracing::Level;

/// A longer line is passed on in pieces of this many bytes, unread.
pub const LINE_LIMIT: usize = 64 << 10;

/// One line of a plugin's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// How grave it is; `DEBUG` where the line does not say.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// What it says beside that, `caller` and `timestamp` included.
    pub fields: Vec<(String, Value)>,
    /// The plugin's own name for the part that speaks.
    pub module: Option<String>,
}

impl LogLine {
    fn plain(level: Level, line: &[u8]) -> Self {
        let message = String::from_utf8_lossy(line).into_owned();
        Self { level, message, fields: Vec::new(), module: None }
    }
}

/// Reads one line, without its end.
pub fn parse(line: &[u8]) -> LogLine {
    read(line).unwrap_or_else(|| {
        let level = if is_panic(line) { Level::ERROR } else { Level::DEBUG };
        LogLine::plain(level, line)
    })
}

/// Makes lines of pieces of output, however they are cut.
#[derive(Debug, Default)]
pub struct Parser {
    partial: Vec<u8>,
    /// Inside a line of which pieces have been passed on already.
    overlong: bool,
    /// A panic is the last thing a program says, and it has many lines.
    panicking: bool,
}

impl Parser {
    /// A parser at the beginning of a plugin's output.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of output, and shows every line that is complete.
    pub fn push(&mut self, mut output: &[u8], mut sink: impl FnMut(LogLine)) {
        while let Some(end) = output.iter().position(|byte| *byte == b'\n') {
            self.extend(&output[..end], &mut sink);
            self.end_line(&mut sink);
            output = &output[end + 1..];
        }
        self.extend(output, &mut sink);
    }

    /// The output has ended, perhaps within a line.
    pub fn finish(mut self, mut sink: impl FnMut(LogLine)) {
        self.end_line(&mut sink);
    }

    fn extend(&mut self, mut output: &[u8], sink: &mut impl FnMut(LogLine)) {
        while self.partial.len() + output.len() > LINE_LIMIT {
            let (piece, rest) = output.split_at(LINE_LIMIT - self.partial.len());
            self.partial.extend_from_slice(piece);
            sink(LogLine::plain(Level::DEBUG, &self.partial));
            self.partial.clear();
            self.overlong = true;
            output = rest;
        }
        self.partial.extend_from_slice(output);
    }

    fn end_line(&mut self, sink: &mut impl FnMut(LogLine)) {
        let line = self.partial.trim_ascii_end();
        if self.overlong {
            sink(LogLine::plain(Level::DEBUG, line));
        } else if !line.is_empty() {
            self.panicking |= is_panic(line);
            sink(match self.panicking {
                true => read(line).unwrap_or_else(|| LogLine::plain(Level::ERROR, line)),
                false => parse(line),
            });
        }
        self.partial.clear();
        self.overlong = false;
    }
}

/// A line that says its level itself, or JSON that does not.
fn read(line: &[u8]) -> Option<LogLine> {
    if line.first() == Some(&b'{')
        && let Ok(members) = serde_json::from_slice(line)
    {
        return Some(structured(members).unwrap_or_else(|| LogLine::plain(Level::DEBUG, line)));
    }
    prefixed(line).map(|level| LogLine::plain(level, line))
}

/// A line of Go's structured log. One without a known level or with an odd time is taken for foreign JSON.
fn structured(mut members: Map<String, Value>) -> Option<LogLine> {
    let level = level(members.remove("@level")?.as_str()?)?;
    let message = match members.remove("@message") {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let module = members.remove("@module").and_then(|name| name.as_str().map(str::to_owned));
    if !members.get("@timestamp").is_none_or(|time| time.as_str().is_some_and(is_timestamp)) {
        return None;
    }
    let bare = |name: String| name.strip_prefix('@').map(str::to_owned).unwrap_or(name);
    let fields = members.into_iter().map(|(name, value)| (bare(name), value)).collect();
    Some(LogLine { level, message, fields, module })
}

fn level(word: &str) -> Option<Level> {
    match word.trim().to_ascii_lowercase().as_str() {
        "trace" => Some(Level::TRACE),
        "debug" => Some(Level::DEBUG),
        "info" => Some(Level::INFO),
        "warn" => Some(Level::WARN),
        "error" => Some(Level::ERROR),
        _ => None,
    }
}

/// `2024-05-06T07:08:09.123456Z`, or with an offset such as `+02:00`.
fn is_timestamp(text: &str) -> bool {
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b'+' => matches!(byte, b'+' | b'-'),
                _ => byte == form,
            })
    };
    shape(text, "0000-00-00T00:00:00.000000Z") || shape(text, "0000-00-00T00:00:00.000000+00:00")
}

fn prefixed(line: &[u8]) -> Option<Level> {
    let word = line.strip_prefix(b"[")?;
    let end = word.iter().take(6).position(|byte| *byte == b']')?;
    match &word[..end] {
        b"TRACE" => Some(Level::TRACE),
        b"DEBUG" => Some(Level::DEBUG),
        b"INFO" => Some(Level::INFO),
        b"WARN" => Some(Level::WARN),
        b"ERROR" => Some(Level::ERROR),
        _ => None,
    }
}

/// The last words of a Go program, or of a Rust one.
fn is_panic(line: &[u8]) -> bool {
    let rust = || line.starts_with(b"thread '") && line.windows(12).any(|text| text == b" panicked at");
    line.starts_with(b"panic: ") || line.starts_with(b"fatal error: ") || rust()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(pieces: &[&[u8]]) -> Vec<LogLine> {
        let (mut lines, mut parser) = (Vec::new(), Parser::new());
        for piece in pieces {
            parser.push(piece, |line| lines.push(line));
        }
        parser.finish(|line| lines.push(line));
        lines
    }

    #[test]
    fn a_structured_line_keeps_all_its_parts() {
        let line = parse(
            br#"{"@level":" Warn ","@message":"slow","@module":"kv","@caller":"a.go:1","@timestamp":"2024-05-06T07:08:09.123456+02:00","ms":12}"#,
        );
        assert_eq!(
            (line.level, line.message.as_str(), line.module.as_deref()),
            (Level::WARN, "slow", Some("kv"))
        );
        let names: Vec<&str> = line.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["caller", "timestamp", "ms"]);
    }

    #[test]
    fn every_other_line_is_shown_whole() {
        let cases: [(&[u8], Level); 10] = [
            (b"[WARN]  low", Level::WARN),
            (b"[TRACE]x", Level::TRACE),
            (b"[ERR] known to nobody", Level::DEBUG),
            (b"[ERROR", Level::DEBUG),
            (br#"{"@level":"fatal","@message":"x"}"#, Level::DEBUG),
            (br#"{"@message":"x"}"#, Level::DEBUG),
            (br#"{"@level":"error","@timestamp":"2024-05-06T07:08:09.123Z"}"#, Level::DEBUG),
            (br#"{"@level":"error","#, Level::DEBUG),
            (b"panic: oh", Level::ERROR),
            (b"thread 'main' (7) panicked at src/main.rs:1:2:", Level::ERROR),
        ];
        for (text, level) in cases {
            assert_eq!(parse(text), LogLine::plain(level, text));
        }
    }

    #[test]
    fn a_panic_colours_all_that_follows_but_what_speaks_for_itself() {
        let lines = parsed(&[b"hello\npanic: oh\n\ngoroutine 1:\n[INFO] still here\n\tmain.go:1\r\n"]);
        let levels: Vec<Level> = lines.iter().map(|line| line.level).collect();
        assert_eq!(levels, [Level::DEBUG, Level::ERROR, Level::ERROR, Level::INFO, Level::ERROR]);
    }

    #[test]
    fn a_line_beyond_the_limit_comes_in_pieces() {
        let mut long = br#"{"@level":"error","@message":""#.to_vec();
        long.resize(LINE_LIMIT * 2 + 10, b'x');
        let lines = parsed(&[&long, b"\n[INFO] next\n"]);
        let lengths: Vec<usize> = lines.iter().map(|line| line.message.len()).collect();
        assert_eq!(lengths, [LINE_LIMIT, LINE_LIMIT, 10, 11]);
        assert!(lines[..3].iter().all(|line| line.level == Level::DEBUG));
    }

    proptest! {
        #[test]
        fn how_output_is_cut_makes_no_difference(
            output in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'{'), any::<u8>()], 0..400),
            size in 1_usize..50,
        ) {
            let pieces: Vec<&[u8]> = output.chunks(size).collect();
            prop_assert_eq!(parsed(&pieces), parsed(&[&output]));
        }

        #[test]
        fn no_text_is_lost(lines in prop::collection::vec("[a-z\\[\\]{}:\", ]{0,40}[a-z]", 0..20)) {
            let output = lines.join("\n");
            let shown: Vec<String> = parsed(&[output.as_bytes()]).into_iter().map(|line| line.message).collect();
            prop_assert_eq!(shown, lines);
        }
    }
}
