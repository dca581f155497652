//! A question over HTTP, a connection each.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reflow_trace_durability::load::Failure;
use serde_json::Value;

/// Asks; how many bytes the answer has, and what it says.
pub(crate) fn post(server: &str, name: &str, body: &Value) -> Result<(usize, Value), Failure> {
    let address = server.trim_start_matches("ws://");
    let body = body.to_string();
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    let request = format!(
        "POST /api/{name} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("the server has hung up")?;
    let (head, content) = (String::from_utf8_lossy(&answer[..end]), &answer[end + 4..]);
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("{name}: {head}\n{}", String::from_utf8_lossy(content)).into());
    }
    Ok((content.len(), serde_json::from_slice(content)?))
}
