//! Is there a living broker behind an address, and which version?
//!
//! A port that accepts connections proves nothing: Docker's proxy accepts before the broker does, and
//! a stopped process keeps accepting. So the first step of a real AMQP handshake is made: we send the
//! protocol header and the broker must answer `connection.start` (AMQP 0-9-1 §2.2.4, §1.4.2.1).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a living broker may take to answer. Generous, because a broker that is taken for dead
/// is killed, and a busy machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const PROTOCOL_HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Frame type METHOD, channel 0; then the size in four bytes; then class 10, method 10.
const METHOD_ON_CHANNEL_0: [u8; 3] = [1, 0, 0];
const CONNECTION_START: [u8; 4] = [0, 10, 0, 10];

/// The broker's version, or why nobody who speaks AMQP 0-9-1 answered.
pub(crate) async fn handshake(address: SocketAddr) -> Result<String, String> {
    match tokio::time::timeout(PATIENCE, shake(address)).await {
        Ok(Ok(frame)) => version(&frame),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no AMQP handshake within {} s", PATIENCE.as_secs())),
    }
}

async fn shake(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(PROTOCOL_HEADER).await?;
    let mut head = [0_u8; 7];
    stream.read_exact(&mut head).await?;
    let mut frame = head.to_vec();
    if head.starts_with(&METHOD_ON_CHANNEL_0) {
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        // `connection.start` has some hundred bytes; whoever announces more is no broker.
        (&mut stream)
            .take(u64::from(size.min(64 * 1024)))
            .read_to_end(&mut frame)
            .await?;
    }
    Ok(frame)
}

/// Reads the version out of `connection.start`'s server properties: the key `version` with a long
/// string. The bytes are searched and the table is not parsed, as this is the only thing that this
/// crate wants from AMQP.
fn version(frame: &[u8]) -> Result<String, String> {
    const KEY: &[u8] = b"\x07versionS";
    if !frame.starts_with(&METHOD_ON_CHANNEL_0) || frame.get(7..11) != Some(&CONNECTION_START) {
        return Err("what answers does not speak AMQP 0-9-1".to_owned());
    }
    let value = frame
        .windows(KEY.len())
        .position(|window| window == KEY)
        .and_then(|at| frame.get(at + KEY.len()..))
        .and_then(|rest| rest.split_first_chunk::<4>())
        .and_then(|(size, rest)| {
            let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
            std::str::from_utf8(rest.get(..size)?).ok()
        });
    Ok(value.unwrap_or("unknown").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).unwrap();
        [
            &METHOD_ON_CHANNEL_0[..],
            &size.to_be_bytes(),
            payload,
            &[0xce],
        ]
        .concat()
    }

    #[test]
    fn the_version_is_read_from_the_server_properties() {
        let payload = [
            &CONNECTION_START[..],
            &[0, 9],
            b"\x07versionS\x00\x00\x00\x054.3.6\x08platform",
        ]
        .concat();
        assert_eq!(version(&frame(&payload)), Ok("4.3.6".to_owned()));
    }

    #[test]
    fn a_stranger_is_no_broker() {
        assert!(version(b"HTTP/1.1 400 Bad Request").is_err());
        assert!(version(b"AMQP\x00\x00\x09\x01").is_err());
        assert!(version(b"").is_err());
    }

    #[test]
    fn a_broker_that_hides_its_version_is_a_broker() {
        assert_eq!(version(&frame(&CONNECTION_START)), Ok("unknown".to_owned()));
        let cut = [&CONNECTION_START[..], b"\x07versionS\x00\x00\xff\xff4.3"].concat();
        assert_eq!(version(&frame(&cut)), Ok("unknown".to_owned()));
    }
}
