use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use rand::Rng;

use crate::StackError;

/// Below the range from which Linux takes the ports of outgoing connections (32768 up), so that the port of a
/// killed service is still free when it comes back.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Enough to find a free one in a range that is nearly full.
const ATTEMPTS: usize = 1_000;

/// `count` different loopback addresses whose port nobody listens on.
///
/// # Errors
/// [`StackError::Io`] when nearly all ports are taken.
pub fn free_ports(count: usize) -> Result<Vec<SocketAddr>, StackError> {
    let mut rng = rand::rng();
    // Held until all are found: that makes them different.
    let mut held = Vec::with_capacity(count);
    for _ in 0..ATTEMPTS {
        if held.len() == count {
            break;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, rng.random_range(RANGE)));
        if let Ok(listener) = TcpListener::bind(address) {
            held.push((address, listener));
        }
    }
    if held.len() < count {
        let source = std::io::ErrorKind::AddrInUse.into();
        return Err(StackError::Io { what: format!("finding {count} free ports"), source });
    }
    Ok(held.into_iter().map(|(address, _)| address).collect())
}
