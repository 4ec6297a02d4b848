//! What it takes to send a request anew: its whole body, and the knowledge that it never left.

use std::error::Error;

use futures::future::FutureExt;
use futures::stream::{self, StreamExt};
use tonic::body::Body;
use tonic::codegen::Bytes;

/// A request that may be sent twice is kept until its answer begins. Above this it is sent once.
const KEPT: usize = 8 << 20;

/// The body if all of it is there, as that of a single message is; else the same body to be sent as it comes.
pub(super) fn at_hand(body: Body) -> Result<Bytes, Body> {
    let mut rest = axum::body::Body::new(body).into_data_stream();
    let (mut begun, mut size) = (Vec::new(), 0);
    while let Some(next) = rest.next().now_or_never() {
        let Some(part) = next else {
            let parts: Vec<Bytes> = begun.into_iter().flatten().collect();
            return Ok(if let [one] = parts.as_slice() { one.clone() } else { parts.concat().into() });
        };
        size += part.as_ref().map_or(KEPT, Bytes::len);
        begun.push(part);
        if size >= KEPT {
            break;
        }
    }
    Err(Body::new(axum::body::Body::from_stream(stream::iter(begun).chain(rest))))
}

/// The connection took no more requests when this one's turn came.
pub(super) fn never_left(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&cause| cause.source())
        .any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(parts: impl futures::Stream<Item = Bytes> + Send + 'static) -> Body {
        Body::new(axum::body::Body::from_stream(parts.map(Ok::<_, std::io::Error>)))
    }

    async fn read(body: Body) -> Vec<u8> {
        axum::body::to_bytes(axum::body::Body::new(body), 2 * KEPT).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn a_message_is_at_hand_and_a_stream_is_passed_on_whole() {
        let parts = |n| stream::iter(vec![Bytes::from_static(b"pupil"); n]);
        assert_eq!(at_hand(body_of(parts(1))).unwrap(), "pupil");
        assert_eq!(at_hand(body_of(parts(2))).unwrap(), "pupilpupil");
        assert_eq!(at_hand(Body::empty()).unwrap(), "");
        // What comes after something has been waited for is a stream.
        let later = stream::once(async {
            tokio::task::yield_now().await;
            Bytes::from_static(b" later")
        });
        let written = at_hand(body_of(parts(1).chain(later))).unwrap_err();
        assert_eq!(read(written).await, b"pupil later");
        let long = stream::iter(vec![Bytes::from(vec![7; KEPT / 2]); 3]);
        let sent = at_hand(body_of(long)).unwrap_err();
        assert_eq!(read(sent).await.len(), KEPT / 2 * 3);
    }
}
