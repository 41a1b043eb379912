use std::{fs, path::Path, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_otlp::{
    RetryPolicy, SpanExporter, WithExportConfig, WithTonicConfig,
    tonic_types::{
        metadata::MetadataMap,
        transport::{Certificate, ClientTlsConfig},
    },
};

use super::{
    Error,
    settings::{Settings, Variables},
};

/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(5);

/// What speaks to the collector; none: there is none. It connects when it has something to say.
pub(super) fn exporter(settings: &Settings, variables: &Variables) -> Result<Option<SpanExporter>, Error> {
    let endpoint = variables.endpoint.as_ref().or(settings.endpoint.as_ref());
    let Some(endpoint) = endpoint.filter(|_| !variables.off) else { return Ok(None) };
    variables.check()?;
    let mut builder = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(PATIENCE)
        // Whoever hands over the batches tries again, and counts what is lost.
        .with_retry_policy(RetryPolicy::disabled());
    if let Some(file) = &settings.headers_file {
        builder = builder.with_metadata(MetadataMap::from_headers(headers(file)?));
    }
    if endpoint.starts_with("https:") {
        let ca_file = variables.ca_file.as_ref().or(settings.ca_file.as_ref());
        builder = builder.with_tls_config(trust(ca_file.map(AsRef::as_ref))?);
    }
    Ok(Some(builder.build()?))
}

fn trust(ca_file: Option<&Path>) -> Result<ClientTlsConfig, Error> {
    let tls = ClientTlsConfig::new();
    Ok(match ca_file {
        Some(path) => tls.ca_certificate(Certificate::from_pem(read(path)?)),
        None => tls.with_native_roots(),
    })
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// One a line. What they hold may let somebody in, so it is never shown.
fn headers(path: &Path) -> Result<HeaderMap, Error> {
    let text = read(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| header(line).ok_or_else(|| Error::Header { path: path.to_owned(), line: at + 1 }))
        .collect()
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::try_from(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::try_from(name.trim()).ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &'static [(&'static str, &'static str)]) -> Variables {
        Variables::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()))
    }

    fn settings(endpoint: &str) -> Settings {
        Settings { endpoint: Some(endpoint.to_owned()), ..Settings::default() }
    }

    #[tokio::test]
    async fn nothing_is_sent_unless_somebody_says_where() {
        let none = variables(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]);
        assert!(exporter(&Settings::default(), &none).unwrap().is_none());
        assert!(exporter(&settings("http://127.0.0.1:4317"), &none).unwrap().is_some());
        let general = variables(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")]);
        assert!(exporter(&Settings::default(), &general).unwrap().is_some());
    }

    #[tokio::test]
    async fn variables_win_over_what_is_configured() {
        let wrong = settings("not an address");
        assert!(exporter(&wrong, &variables(&[])).is_err());
        let both = &[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4317"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address"),
        ];
        assert!(exporter(&wrong, &variables(both)).unwrap().is_some());
        for off in [&[("OTEL_SDK_DISABLED", "TRUE")], &[("OTEL_TRACES_EXPORTER", "none")]] {
            assert!(exporter(&wrong, &variables(off)).unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn a_way_that_is_not_spoken_is_refused() {
        let http = variables(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]);
        let refused = exporter(&settings("http://127.0.0.1:4317"), &http).unwrap_err().to_string();
        assert_eq!(refused, "OTEL_EXPORTER_OTLP_PROTOCOL is \"http/protobuf\"; allowed: \"grpc\"");
    }

    #[test]
    fn headers_are_one_a_line_and_a_wrong_one_is_told_by_its_line_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "x-api-key: s3cret\n\nAuthorization: Bearer a:b\n").unwrap();
        let good = headers(file.path()).unwrap();
        assert_eq!((&good["x-api-key"] == "s3cret", &good["authorization"] == "Bearer a:b"), (true, true));
        assert!(!format!("{good:?}").contains("s3cret"));
        fs::write(file.path(), "x-api-key: a\ns3cret").unwrap();
        let refused = headers(file.path()).unwrap_err().to_string();
        assert!(refused.starts_with("line 2 of ") && !refused.contains("s3cret"), "{refused}");
    }
}
