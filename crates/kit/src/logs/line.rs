//! What every line of the log has at its end, whoever wrote it.

use std::fmt;

use spans::Place;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};
use wire::RequestId;

use super::Format;

/// Lines as another one writes them, and the request and the trace that they belong to. Nothing is asked before a line
/// is written.
pub(super) struct Line<F> {
    pub(super) format: Format,
    pub(super) text: F,
}

impl<S, N, F> FormatEvent<S, N> for Line<F>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (request, place) = (RequestId::at_hand(), Place::at_hand());
        if request.is_none() && place.is_none() {
            return self.text.format_event(context, to, event);
        }
        let mut line = String::new();
        self.text.format_event(context, Writer::new(&mut line), event)?;
        let names = [
            ("request_id", request.map(|request| request.to_string())),
            ("trace_id", place.map(|place| place.to_string())),
        ];
        let names = names.into_iter().filter_map(|(key, name)| Some((key, name?)));
        ended(self.format, &line, names, &mut to)
    }
}

/// Writes a line with names at its end, which need no escaping in either format.
fn ended(
    format: Format,
    line: &str,
    mut names: impl Iterator<Item = (&'static str, String)>,
    to: &mut impl fmt::Write,
) -> fmt::Result {
    let line = line.trim_end_matches('\n');
    match (format, line.strip_suffix('}')) {
        (Format::Json, Some(members)) => {
            to.write_str(members)?;
            names.try_for_each(|(key, name)| write!(to, ",\"{key}\":\"{name}\""))?;
            writeln!(to, "}}")
        }
        _ => {
            to.write_str(line)?;
            names.try_for_each(|(key, name)| write!(to, " {key}={name}"))?;
            writeln!(to)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::Value;
    use tracing::subscriber::with_default;
    use tracing_subscriber::{Registry, layer::SubscriberExt};
    use wire::Belonging;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of one line within a request, and one without.
    async fn lines(format: Format) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = super::super::written::<Registry, _>(format, move || writer.clone());
        let log = Arc::new(tracing_subscriber::registry().with(layer));
        let say = async || with_default(log.clone(), || tracing::info!(odd = "a}\n", "said"));
        say().belonging_to(RequestId::new("an-id")).await;
        say().await;
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn lines_of_json_say_which_request_they_belong_to() {
        let lines = lines(Format::Json).await;
        let ids = lines.iter().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!((&line["message"], &line["odd"]), (&"said".into(), &"a}\n".into()));
            line["request_id"].clone()
        });
        assert_eq!(ids.collect::<Vec<_>>(), [Value::from("an-id"), Value::Null]);
    }

    #[tokio::test]
    async fn lines_of_text_say_which_request_they_belong_to() {
        let lines = lines(Format::Standard).await;
        assert!(lines[0].ends_with(" request_id=an-id"), "{lines:?}");
        assert!(lines[1].contains("said") && !lines[1].contains("request_id"), "{lines:?}");
    }
}
