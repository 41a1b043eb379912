use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::ProstCodec;

/// What is set aside at once for a message. Most are smaller; larger ones grow their buffer.
const USUAL: usize = 1 << 10;

/// How much is gathered before it is sent.
const GATHERED: usize = 32 << 10;

/// The codec of all generated clients and servers: protobuf, with buffers of the size of our messages.
///
/// A call takes four buffers. By default they have 8 KiB each, for which the allocator has no quick way.
#[derive(Debug)]
pub struct Protobuf<Q, A>(PhantomData<(Q, A)>);

impl<Q, A> Default for Protobuf<Q, A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Q, A> Codec for Protobuf<Q, A>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    type Encode = Q;
    type Decode = A;
    type Encoder = <ProstCodec<Q, A> as Codec>::Encoder;
    type Decoder = <ProstCodec<Q, A> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Q, A>::raw_encoder(buffers())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<Q, A>::raw_decoder(buffers())
    }
}

/// The buffers of a call's messages.
pub fn buffers() -> BufferSettings {
    BufferSettings::new(USUAL, GATHERED)
}
