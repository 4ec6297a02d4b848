//! Bodies that are looked at as they pass.
use super::{Asked, Personal, Reading, scan::Frames};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};
use tonic::{Status, body::Body};

type Data = <Body as http_body::Body>::Data;
type Polled = Poll<Option<Result<Frame<Data>, Status>>>;

/// A request on its way to the handler.
pub(crate) struct Question {
    inner: Body,
    personal: Arc<Personal>,
    asked: Arc<OnceLock<Asked>>,
    frames: Frames,
}

impl Question {
    pub fn new(inner: Body, reading: &Reading) -> Self {
        let (personal, asked) = (reading.personal().clone(), reading.asked.clone());
        Self { inner, personal, asked, frames: Frames::default() }
    }
}

impl http_body::Body for Question {
    type Data = Data;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        // One message is all that such a call has.
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && this.asked.get().is_none()
        {
            let (personal, asked) = (&this.personal, &this.asked);
            this.frames.feed(data, |message| _ = asked.set(Asked::read(personal, message)));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer on its way to the caller.
pub(crate) struct Answer {
    inner: Body,
    reading: Reading,
    frames: Frames,
}

impl Answer {
    pub fn new(inner: Body, reading: Reading) -> Self {
        Self { inner, reading, frames: Frames::default() }
    }
}

impl http_body::Body for Answer {
    type Data = Data;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    this.frames.feed(data, |message| this.reading.given(message));
                }
                if let Some(trailers) = frame.trailers_ref() {
                    this.reading.see(trailers);
                }
            }
            Poll::Ready(Some(Err(status))) => this.reading.set(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
