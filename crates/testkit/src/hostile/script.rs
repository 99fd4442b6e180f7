//! The bytes that say what happens, taken one after the other.

/// Takes bytes from the front of the input for as long as there are any, and zeros from then on.
pub(super) struct Script<'a>(pub(super) &'a [u8]);

impl<'a> Script<'a> {
    pub(super) fn over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to 255 bytes, the number first.
    pub(super) fn some(&mut self) -> &'a [u8] {
        let length = self.byte().into();
        self.bytes(length)
    }

    pub(super) fn word(&mut self) -> u32 {
        let mut word = [0; 4];
        word.fill_with(|| self.byte());
        u32::from_le_bytes(word)
    }

    /// Usually a small number, sometimes an extreme one.
    pub(super) fn number(&mut self) -> u32 {
        match self.byte() {
            0xff => self.word(),
            0xfe => u32::MAX,
            0xfd => i32::MAX as u32,
            0xfc => 0x8000_0000,
            small => small.into(),
        }
    }

    pub(super) fn one<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[usize::from(self.byte()) % of.len()]
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 != 0
    }
}
