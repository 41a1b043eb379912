use zeroize::Zeroizing;

/// How many random bytes are asked for at once.
const BLOCK: usize = 256;

/// Random indices below a bound, each as likely as the next.
pub(crate) struct Draw<F> {
    fill: F,
    /// What is drawn becomes part of a password, or of a name.
    block: Zeroizing<[u8; BLOCK]>,
    used: usize,
}

impl<E, F: FnMut(&mut [u8]) -> Result<(), E>> Draw<F> {
    /// From a source of random bytes.
    pub(crate) fn new(fill: F) -> Self {
        Self { fill, block: Zeroizing::new([0; BLOCK]), used: BLOCK }
    }

    /// One index below a bound, which is at most 256.
    pub(crate) fn below(&mut self, bound: usize) -> Result<usize, E> {
        loop {
            if let Some(index) = fair(self.byte()?, bound) {
                return Ok(index);
            }
        }
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Result<u8, E> {
        if self.used == BLOCK {
            (self.fill)(&mut *self.block)?;
            self.used = 0;
        }
        self.used += 1;
        Ok(self.block[self.used - 1])
    }
}

/// The index that a byte stands for. The last bytes stand for none: there are too few of them to be fair to all.
pub(super) fn fair(byte: u8, bound: usize) -> Option<usize> {
    let byte = usize::from(byte);
    (byte < 256 / bound * bound).then(|| byte % bound)
}
