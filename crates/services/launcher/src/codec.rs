use std::{marker::PhantomData, sync::Arc};

use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, EncodeBuf, Encoder},
};
use tonic_prost::ProstDecoder;

/// Prost's codec for a message that the caller keeps: a call can be repeated without having been copied for it.
#[derive(Debug)]
pub struct Kept<Q, A>(PhantomData<(Q, A)>);

impl<Q, A> Default for Kept<Q, A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Q, A> Codec for Kept<Q, A>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    type Encode = Arc<Q>;
    type Decode = A;
    type Encoder = KeptEncoder<Q>;
    type Decoder = ProstDecoder<A>;

    fn encoder(&mut self) -> Self::Encoder {
        KeptEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(wire::buffers())
    }
}

/// Encodes a message that the caller keeps.
#[derive(Debug)]
pub struct KeptEncoder<Q>(PhantomData<Q>);

impl<Q: Message + 'static> Encoder for KeptEncoder<Q> {
    type Item = Arc<Q>;
    type Error = Status;

    fn buffer_settings(&self) -> BufferSettings {
        wire::buffers()
    }

    fn encode(&mut self, message: Arc<Q>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}
