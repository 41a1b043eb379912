//! The server's half of SOCKS 5 (RFC 1928 and 1929), as far as one client of ours needs it.

use std::{io, net::Ipv4Addr, net::Ipv6Addr};

use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const VERSION: u8 = 5;
const WITH_PASSWORD: u8 = 2;
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// What a client is told about the connection that it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Connected = 0,
    NotAllowed = 2,
    Unreachable = 4,
}

/// Where a client wants to be connected to. An address is written as a host, too.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Lets in who knows the password, and hears where it wants to go.
pub(super) async fn greet(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    password: &str,
) -> io::Result<Target> {
    expect(client, VERSION).await?;
    if !block(client).await?.contains(&WITH_PASSWORD) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    client.write_all(&[VERSION, WITH_PASSWORD]).await?;
    expect(client, PASSWORD_VERSION).await?;
    let (_name, given) = (block(client).await?, block(client).await?);
    let right = bool::from(given.ct_eq(password.as_bytes()));
    client.write_all(&[PASSWORD_VERSION, u8::from(!right)]).await?;
    if !right {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    for byte in [VERSION, CONNECT, 0] {
        expect(client, byte).await?;
    }
    Ok(Target { host: host(client).await?, port: client.read_u16().await? })
}

/// Says what became of it.
pub(super) async fn answer(client: &mut (impl AsyncWrite + Unpin), reply: Reply) -> io::Result<()> {
    client.write_all(&[VERSION, reply as u8, 0, IPV4, 0, 0, 0, 0, 0, 0]).await
}

async fn host(client: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    match client.read_u8().await? {
        IPV4 => Ok(Ipv4Addr::from_bits(client.read_u32().await?).to_string()),
        IPV6 => Ok(Ipv6Addr::from_bits(client.read_u128().await?).to_string()),
        NAME => String::from_utf8(block(client).await?).map_err(|_| io::ErrorKind::InvalidData.into()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Bytes with their number before them.
async fn block(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn expect(client: &mut (impl AsyncRead + Unpin), byte: u8) -> io::Result<()> {
    if client.read_u8().await? == byte { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn greeted(said: &[u8]) -> (io::Result<Target>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        theirs.write_all(said).await.unwrap();
        theirs.shutdown().await.unwrap();
        let target = greet(&mut ours, "word").await;
        drop(ours);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
        (target, heard)
    }

    #[tokio::test]
    async fn names_and_addresses_are_targets() {
        let hello = b"\x05\x02\x00\x02\x01\x02me\x04word";
        for (wish, host) in [
            (b"\x05\x01\x00\x03\x05r.exa\x01\xbb".as_slice(), "r.exa"),
            (b"\x05\x01\x00\x01\x7f\x00\x00\x01\x01\xbb", "127.0.0.1"),
            (b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb", "::1"),
        ] {
            let (target, heard) = greeted(&[hello, wish].concat()).await;
            assert_eq!(target.unwrap(), Target { host: host.to_owned(), port: 443 });
            assert_eq!(heard, [5, 2, 1, 0]);
        }
    }

    #[tokio::test]
    async fn nobody_else_gets_in_and_nothing_else_is_understood() {
        for said in [
            b"\x05\x01\x00".as_slice(),
            b"\x04\x01\x00\x50\x7f\x00\x00\x01",
            b"\x05\x01\x02\x01\x02me\x04none\x05\x01\x00\x03\x01r\x01\xbb",
            b"\x05\x01\x02\x01\x02me\x03wor\x05\x01\x00\x03\x01r\x01\xbb",
            b"\x05\x01\x02\x01\x02me\x04word\x05\x02\x00\x03\x01r\x01\xbb",
            b"\x05\x01\x02\x01\x02me\x04word\x05\x01\x00\x03\x09r",
            b"",
        ] {
            assert!(greeted(said).await.0.is_err(), "{said:?}");
        }
    }
}
