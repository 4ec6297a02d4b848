//! Which sockets are changed.
#![cfg(target_os = "linux")]
use std::net::{TcpListener, TcpStream};

#[test]
fn connections_to_the_port_only() {
    let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (database, other) = (listen(), listen());
    let port = database.local_addr().unwrap().port();
    let ours =
        [TcpStream::connect(("127.0.0.1", port)).unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap()];
    let elsewhere = TcpStream::connect(other.local_addr().unwrap()).unwrap();
    assert!(!ours[0].nodelay().unwrap(), "the system's default is a delay");

    assert_eq!(eduhub_nodelay::on_connections_to(port).unwrap(), 2);
    assert_eq!(eduhub_nodelay::on_connections_to(port).unwrap(), 0, "none is left");

    assert!(ours.iter().all(|stream| stream.nodelay().unwrap()));
    assert!(!elsewhere.nodelay().unwrap());
    assert!(!database.accept().unwrap().0.nodelay().unwrap(), "the server's end is the server's affair");
}
