//! A cluster of three nodes in this process: one answers late, one dies.
//!
//! `cargo run -p dev-server --example faults`

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::time::{Duration, Instant};

use dev_server::{Config, DevServer, Fault, FaultRule};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends an info command to a node and returns its answer.
async fn ask(address: std::net::SocketAddr, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = command.len() as u8 + 1;
    let mut request = vec![2, 1, 0, 0, 0, 0, 0, length];
    request.extend_from_slice(command.as_bytes());
    request.push(b'\n');
    stream.write_all(&request).await?;
    let mut header = [0; 8];
    stream.read_exact(&mut header).await?;
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[6], header[7]]))];
    stream.read_exact(&mut body).await?;
    Ok(String::from_utf8_lossy(&body).trim().replace('\t', " "))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = DevServer::start(Config { nodes: 3, ..Config::default() }).await?;
    let addresses = server.addresses();
    for &address in &addresses {
        println!("{address}: {}", ask(address, "node").await?);
    }

    server.inject(Some(1), FaultRule::new(Fault::Late(Duration::from_millis(200))))?;
    let start = Instant::now();
    ask(addresses[1], "node").await?;
    println!("node 1 took {} ms", start.elapsed().as_millis());

    server.kill(2).await?;
    println!("node 2: {}", ask(addresses[2], "node").await.expect_err("it is dead"));
    println!("{:?}", server.counters(0)?);
    server.stop().await;
    Ok(())
}
