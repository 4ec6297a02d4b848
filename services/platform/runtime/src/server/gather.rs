use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio::time::Instant;
use tonic::transport::server::Connected;

/// What a connection gathers before it writes in any case, bytes.
const ROOM: usize = 16 * 1024;
/// A flush that follows the last one sooner than this waits for the tasks that are already queued to run: on a connection
/// this busy their answers most likely go the same way. One that follows later is written at once.
const BUSY: Duration = Duration::from_millis(1);

/// A connection that writes the answers of one round of the scheduler together.
///
/// An answer that is ready wakes its connection, and tokio runs what was woken last first: without this the connection
/// wrote each answer by itself, a system call and a packet for some 700 bytes, and its caller woke up for each.
/// Decision 0025 has the figures.
pub(super) struct Gathering<S> {
    inner: BufWriter<S>,
    written: Option<Instant>,
    /// Bytes that were here when the flush was put off last.
    gathered: usize,
}

impl<S: AsyncWrite> Gathering<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { inner: BufWriter::with_capacity(ROOM, stream), written: None, gathered: 0 }
    }

    /// Whether a flush waits for more: as long as each round brings some, and not longer than a connection counts as busy.
    fn waits(&mut self) -> bool {
        let (here, busy) = (self.inner.buffer().len(), self.written.is_some_and(|at| at.elapsed() < BUSY));
        let waits = busy && here > self.gathered;
        self.gathered = if waits { here } else { 0 };
        waits
    }
}

impl<S: Connected> Connected for Gathering<S>
where
    S: AsyncWrite,
{
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.inner.get_ref().connect_info()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.inner.get_mut()).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waits() {
            // A task that wakes itself goes to the end of the queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let something = !self.inner.buffer().is_empty();
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        if something && flushed.is_ready() {
            self.written = Some(Instant::now());
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt;

    use super::*;

    /// What was written, a string for each time.
    #[derive(Default)]
    struct Sink(Vec<String>);

    impl AsyncWrite for Sink {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.0.push(String::from_utf8_lossy(buf).into_owned());
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Whether a flush is over after one look at it.
    async fn flushes(io: &mut Gathering<Sink>) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *io).poll_flush(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_together_leaves_together_and_what_comes_alone_at_once() {
        let mut io = Gathering::new(Sink::default());
        io.write_all(b"alone").await.unwrap();
        assert!(flushes(&mut io).await, "a quiet connection waits for nothing");
        for part in [&b"a"[..], b"b", b"c"] {
            io.write_all(part).await.unwrap();
            assert!(!flushes(&mut io).await, "more may come");
        }
        assert!(flushes(&mut io).await, "a round brought nothing");
        assert_eq!(io.inner.get_ref().0, ["alone", "abc"]);
        tokio::time::advance(BUSY).await;
        io.write_all(b"later").await.unwrap();
        assert!(flushes(&mut io).await);
        assert_eq!(io.inner.get_ref().0, ["alone", "abc", "later"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_flow_is_held_for_no_longer_than_a_connection_is_busy() {
        let mut io = Gathering::new(Sink::default());
        io.write_all(b"1").await.unwrap();
        assert!(flushes(&mut io).await);
        let mut rounds = 0;
        loop {
            io.write_all(b"2").await.unwrap();
            if flushes(&mut io).await {
                break;
            }
            tokio::time::advance(BUSY / 4).await;
            rounds += 1;
        }
        assert_eq!(rounds, 4);
        assert_eq!(io.inner.get_ref().0, ["1", "22222"]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_stays_behind() {
        let mut io = Gathering::new(Sink::default());
        io.write_all(b"first").await.unwrap();
        io.flush().await.unwrap();
        io.write_all(b"last").await.unwrap();
        io.shutdown().await.unwrap();
        assert_eq!(io.inner.get_ref().0, ["first", "last"]);
    }
}
