//! Server-sent events, as the server's streams have them.

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub name: String,
    pub data: String,
}

/// Puts events together out of what arrives, wherever it was cut.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    event: Event,
}

impl Events {
    /// Takes what came, and gives the events that end in it.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut ended = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            ended.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches('\r')));
        }
        ended
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // Numbers are in the data, too; a line that begins with a colon only keeps the connection open.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str =
        ": hello\n\nid: 1\nevent: plugin\ndata: {\"a\":1}\n\nevent: log\r\ndata: x\r\ndata: y\r\n\r\n";

    #[test]
    fn events_end_with_an_empty_line() {
        let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
        assert_eq!(
            Events::default().feed(SAMPLE.as_bytes()),
            [event("plugin", "{\"a\":1}"), event("log", "x\ny")]
        );
        assert_eq!(Events::default().feed(b"data: half\n"), []);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_they_are_cut(cuts in proptest::collection::vec(1usize..9, 1..40)) {
            let mut events = Events::default();
            let (mut rest, mut found) = (SAMPLE.as_bytes(), Vec::new());
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                found.extend(events.feed(piece));
                rest = after;
            }
            found.extend(events.feed(rest));
            prop_assert_eq!(found, Events::default().feed(SAMPLE.as_bytes()));
        }
    }
}
