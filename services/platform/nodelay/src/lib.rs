//! Turns Nagle's algorithm off on connections of a library that leaves it on and does not hand out its sockets.
//!
//! sqlx 0.9.0 is that library (its issue 4335, mended after that release by its pull request 4336): a statement of two
//! writes, as every COPY is, waits up to 40 ms for the server's delayed acknowledgement of the first. Decision 0020 says
//! what else was considered; with the next release of sqlx this crate goes.
use std::io;

/// Sets `TCP_NODELAY` on every TCP connection of this process to `port`, whoever opened it, and tells how many lacked it.
/// Costs about a microsecond for each open descriptor: for the moment after connecting, not for each statement.
/// Other systems than Linux: does nothing and says 0.
///
/// # Errors
/// The descriptors of the process can't be listed.
pub fn on_connections_to(port: u16) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    return linux::on_connections_to(port);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = port;
        Ok(0)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::{BorrowedFd, RawFd};

    use socket2::SockRef;

    pub(super) fn on_connections_to(port: u16) -> io::Result<usize> {
        let open = std::fs::read_dir("/proc/self/fd")?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
        Ok(open.filter(|fd| set(*fd, port)).count())
    }

    /// Whether it is a connection to the port that had the delay until now.
    #[expect(unsafe_code, reason = "the library that owns the socket does not lend it")]
    fn set(fd: RawFd, port: u16) -> bool {
        // SAFETY: the descriptor was open a moment ago and is only asked about and given an option, never closed. Should
        // its owner close it meanwhile, the calls fail with EBADF; should its number be taken by another socket, that one
        // is changed only if it is such a connection too.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let socket = SockRef::from(&fd);
        let to_port =
            socket.peer_addr().ok().and_then(|peer| peer.as_socket()).is_some_and(|peer| peer.port() == port);
        to_port && matches!(socket.tcp_nodelay(), Ok(false)) && socket.set_tcp_nodelay(true).is_ok()
    }
}
