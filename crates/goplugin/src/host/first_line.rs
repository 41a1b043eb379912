use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::Excerpt;
use crate::host::StartError;

/// Several times the longest handshake, whose certificate takes most of it.
const LIMIT: usize = 8 << 10;
/// What is thrown away at a time.
const CHUNK: usize = 8 << 10;

/// A plugin's stdout after the handshake. It has to be read until its end, or the plugin blocks or dies at a write.
#[derive(Debug)]
pub struct Rest<R> {
    read: BytesMut,
    stdout: R,
}

impl<R: AsyncRead + Unpin> Rest<R> {
    /// Reads to the end and throws everything away.
    pub async fn drain(self) {
        self.drain_into(|_| ()).await;
    }

    /// Reads to the end and shows each piece, lines or not.
    pub async fn drain_into(mut self, mut sink: impl FnMut(&[u8])) {
        if !self.read.is_empty() {
            sink(&self.read);
        }
        self.read.clear();
        self.read.reserve(CHUNK);
        while matches!(self.stdout.read_buf(&mut self.read).await, Ok(1..)) {
            sink(&self.read);
            self.read.clear();
        }
    }
}

/// The first line of `stdout`. A line may also end with the output itself.
pub(crate) async fn first_line<R: AsyncRead + Unpin>(
    mut stdout: R,
    deadline: Instant,
) -> Result<(BytesMut, Rest<R>), StartError> {
    let mut read = BytesMut::with_capacity(LIMIT);
    loop {
        let before = read.len();
        let more = timeout_at(deadline, stdout.read_buf(&mut read)).await;
        let count = match more {
            Ok(result) => result.map_err(StartError::Read)?,
            Err(_) => return Err(StartError::Timeout { printed: Excerpt::new(&read) }),
        };
        if let Some(end) = read[before..].iter().position(|byte| *byte == b'\n') {
            let line = read.split_to(before + end);
            read.advance(1);
            return Ok((line, Rest { read, stdout }));
        }
        match count {
            0 if read.is_empty() => return Err(StartError::Silent),
            0 => return Ok((read, Rest { read: BytesMut::new(), stdout })),
            _ if read.len() >= LIMIT => return Err(StartError::TooLong { printed: Excerpt::new(&read) }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn only_the_first_line_counts_and_the_rest_is_kept() {
        let (line, rest) = first_line(&b"one\ntwo\nthree"[..], soon()).await.unwrap();
        assert_eq!(line, "one");
        let mut seen = Vec::new();
        rest.drain_into(|piece| seen.extend_from_slice(piece)).await;
        assert_eq!(seen, b"two\nthree");
    }

    #[tokio::test]
    async fn the_end_of_output_ends_a_line() {
        let (line, _) = first_line(&b"one"[..], soon()).await.unwrap();
        assert_eq!(line, "one");
        assert!(matches!(first_line(&b""[..], soon()).await, Err(StartError::Silent)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_without_an_end_is_quoted_when_time_is_up() {
        let (mut plugin, host) = tokio::io::duplex(64);
        plugin.write_all(b"hello\x07").await.unwrap();
        let error = first_line(host, soon()).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            r#"the program printed no handshake in time; it printed "hello\u{7}", without an end of line"#
        );
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_timeout_too() {
        let (_plugin, host) = tokio::io::duplex(64);
        let error = first_line(host, soon()).await.err().unwrap();
        assert_eq!(error.to_string(), "the program printed no handshake in time");
    }

    #[tokio::test]
    async fn l6_a_flood_without_lines_is_cut_short() {
        let flood = tokio::io::repeat(b'x');
        assert!(matches!(first_line(flood, soon()).await, Err(StartError::TooLong { .. })));
    }
}
