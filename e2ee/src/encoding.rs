//! The byte encoding of everything signed: big-endian integers and length-prefixed vectors.
//!
//! See docs/identity.md, "Encoding". Decoding never panics and never accepts trailing bytes.

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the bytes end too early")]
    Truncated,
    #[error("{0} bytes are left over")]
    Trailing(usize),
    #[error("a string is not UTF-8")]
    NotUtf8,
    #[error("unknown version {0}")]
    Version(u8),
    #[error("unknown or refused value {value} for {field}")]
    Value { field: &'static str, value: u64 },
    #[error("more than {max} items of {field}")]
    TooMany { field: &'static str, max: usize },
}

/// Collects bytes in the order of the format.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Fixed-length bytes, without a length.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn vec16(&mut self, bytes: &[u8]) -> &mut Self {
        // Callers bound what they write (names, chains of six); a longer one is a bug of ours.
        let length = u16::try_from(bytes.len()).expect("a vec16 is bounded by its caller");
        self.u16(length).raw(bytes)
    }

    pub fn vec32(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u32::try_from(bytes.len()).expect("a vec32 is bounded by its caller");
        self.raw(&length.to_be_bytes()).raw(bytes)
    }

    /// UTF-8 in a vec16. What exceeds 65,535 bytes is cut at a character, so that no name a person
    /// typed can stop the program.
    pub fn string(&mut self, text: &str) -> &mut Self {
        let mut end = text.len().min(usize::from(u16::MAX));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.vec16(&text.as_bytes()[..end])
    }

    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// Reads bytes in the order of the format; `finish` refuses what is left over.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        if length > self.rest.len() {
            return Err(DecodeError::Truncated);
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.raw(N)?;
        Ok(bytes.try_into().expect("raw returned N bytes"))
    }

    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub fn vec16(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::from(self.u16()?);
        self.raw(length)
    }

    pub fn vec32(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = u32::from_be_bytes(self.array()?);
        self.raw(usize::try_from(length).map_err(|_| DecodeError::Truncated)?)
    }

    pub fn string(&mut self) -> Result<String, DecodeError> {
        let bytes = self.vec16()?;
        let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8)?;
        Ok(text.to_owned())
    }

    /// The version byte every body starts with.
    pub fn version(&mut self) -> Result<(), DecodeError> {
        match self.u8()? {
            1 => Ok(()),
            other => Err(DecodeError::Version(other)),
        }
    }

    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_written() {
        let mut writer = Writer::new();
        writer
            .u8(7)
            .u16(258)
            .u64(1 << 40)
            .vec16(b"ab")
            .vec32(b"cde")
            .string("küche");
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.u16(), Ok(258));
        assert_eq!(reader.u64(), Ok(1 << 40));
        assert_eq!(reader.vec16(), Ok(&b"ab"[..]));
        assert_eq!(reader.vec32(), Ok(&b"cde"[..]));
        assert_eq!(reader.string(), Ok("küche".to_owned()));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn short_long_and_wrong_bytes_are_errors() {
        assert_eq!(Reader::new(&[0, 5, 1]).vec16(), Err(DecodeError::Truncated));
        assert_eq!(
            Reader::new(&[255, 255, 255, 255]).vec32(),
            Err(DecodeError::Truncated)
        );
        assert_eq!(Reader::new(&[1]).finish(), Err(DecodeError::Trailing(1)));
        assert_eq!(
            Reader::new(&[0, 1, 0xff]).string(),
            Err(DecodeError::NotUtf8)
        );
        assert_eq!(Reader::new(&[2]).version(), Err(DecodeError::Version(2)));
    }

    #[test]
    fn an_overlong_name_is_cut_at_a_character() {
        let name = "ü".repeat(40_000);
        let mut writer = Writer::new();
        writer.string(&name);
        let bytes = writer.finish();
        let read = Reader::new(&bytes).string().unwrap();
        assert_eq!(read.len(), 65_534);
        assert!(name.starts_with(&read));
    }
}
