//! Header extension elements in the one-byte and two-byte forms (RFC 8285 section 4).

use super::ids::ExtensionId;

/// How the elements of an extension block are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionForm {
    /// Ids 1 to 14, values of 1 to 16 bytes.
    OneByte,
    /// Ids 1 to 255, values of 0 to 255 bytes.
    TwoByte,
}

impl ExtensionForm {
    /// The form behind the 16 bits "defined by profile"; `None` for anything but RFC 8285.
    pub(crate) const fn from_profile(profile: u16) -> Option<Self> {
        match profile {
            0xbede => Some(Self::OneByte),
            // The low four bits are "appbits", free for the application.
            0x1000..=0x100f => Some(Self::TwoByte),
            _ => None,
        }
    }

    pub(crate) const fn profile(self) -> u16 {
        match self {
            Self::OneByte => 0xbede,
            Self::TwoByte => 0x1000,
        }
    }

    /// Whether an element of this id and length can be written in this form.
    pub(crate) const fn carries(self, id: ExtensionId, len: usize) -> bool {
        match self {
            Self::OneByte => id.number() < 15 && len >= 1 && len <= 16,
            Self::TwoByte => len <= 255,
        }
    }
}

/// One element as it lies in the block: `(start of the element's header, its id, value range)`.
struct Element {
    at: usize,
    id: ExtensionId,
    value: core::ops::Range<usize>,
}

/// The element at or after `at`. Padding is skipped; `None` at the end or at a malformed element.
fn element_at(form: ExtensionForm, block: &[u8], mut at: usize) -> Option<Element> {
    loop {
        let first = *block.get(at)?;
        let (id, start, len) = match form {
            // A lone zero byte is padding in both forms.
            _ if first == 0 => {
                at += 1;
                continue;
            }
            ExtensionForm::OneByte => (first >> 4, at + 1, usize::from(first & 0x0f) + 1),
            ExtensionForm::TwoByte => (first, at + 2, usize::from(*block.get(at + 1)?)),
        };
        // RFC 8285 section 4.2: processing ends at id 15, and at id 0 with a length.
        if form == ExtensionForm::OneByte && (id == 15 || id == 0) {
            return None;
        }
        let end = start + len;
        if end > block.len() {
            return None;
        }
        return Some(Element {
            at,
            id: ExtensionId::new(id)?,
            value: start..end,
        });
    }
}

/// Iterator over the elements of one extension block.
#[derive(Clone)]
pub struct Extensions<'a> {
    form: Option<ExtensionForm>,
    block: &'a [u8],
    at: usize,
}

impl<'a> Extensions<'a> {
    pub(crate) const fn new(form: Option<ExtensionForm>, block: &'a [u8]) -> Self {
        Self { form, block, at: 0 }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (ExtensionId, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Some(element) = element_at(self.form?, self.block, self.at) else {
            self.at = self.block.len();
            return None;
        };
        self.at = element.value.end;
        Some((element.id, &self.block[element.value]))
    }
}

/// From the ids a publisher negotiated to the ids a receiver negotiated.
///
/// Elements without an entry are not forwarded: what a receiver did not ask for, it does not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionMap {
    outgoing: [u8; EXTENSION_ID_MAX as usize + 1],
    /// Whether the receiver accepted `a=extmap-allow-mixed`. Without it, elements that the one-byte
    /// form cannot carry are left out.
    pub two_byte_allowed: bool,
}

/// Highest incoming id that can be mapped. Browsers number from 1 and use fewer than twenty.
pub const EXTENSION_ID_MAX: u8 = 31;

impl ExtensionMap {
    /// A map that forwards no extension.
    pub const fn new(two_byte_allowed: bool) -> Self {
        Self {
            outgoing: [0; EXTENSION_ID_MAX as usize + 1],
            two_byte_allowed,
        }
    }

    /// Forwards `incoming` as `outgoing`. False, and nothing changed, when `incoming` is above
    /// `EXTENSION_ID_MAX`.
    pub fn set(&mut self, incoming: ExtensionId, outgoing: ExtensionId) -> bool {
        let Some(entry) = self.outgoing.get_mut(usize::from(incoming.number())) else {
            return false;
        };
        *entry = outgoing.number();
        true
    }

    /// The receiver's id for a publisher's.
    pub fn outgoing(&self, incoming: ExtensionId) -> Option<ExtensionId> {
        ExtensionId::new(*self.outgoing.get(usize::from(incoming.number()))?)
    }
}

/// Renumbers elements where they lie; what cannot be renumbered becomes padding bytes.
pub(crate) fn remap_in_place(form: Option<ExtensionForm>, block: &mut [u8], map: &ExtensionMap) {
    let Some(form) = form else {
        // A profile that nobody negotiated: nothing of it may reach the receiver.
        block.fill(0);
        return;
    };
    let mut at = 0;
    while let Some(element) = element_at(form, block, at) {
        at = element.value.end;
        match map.outgoing(element.id) {
            Some(id) if form.carries(id, element.value.len()) => {
                block[element.at] = match form {
                    ExtensionForm::OneByte => id.number() << 4 | (block[element.at] & 0x0f),
                    ExtensionForm::TwoByte => id.number(),
                };
            }
            _ => block[element.at..element.value.end].fill(0),
        }
    }
    // What follows a malformed or terminating element was never readable; it must not become so.
    block[at..].fill(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ExtensionId {
        ExtensionId::new(n).expect("not zero")
    }

    fn read(form: ExtensionForm, block: &[u8]) -> Vec<(u8, Vec<u8>)> {
        Extensions::new(Some(form), block)
            .map(|(i, v)| (i.number(), v.to_vec()))
            .collect()
    }

    // RFC 8285 section 4.2: the example of three elements with padding.
    #[test]
    fn one_byte_elements_are_read_over_padding() {
        let block = [0x10, 0xaa, 0x21, 0xbb, 0xbc, 0, 0, 0x33, 1, 2, 3, 4];
        let expected = vec![
            (1, vec![0xaa]),
            (2, vec![0xbb, 0xbc]),
            (3, vec![1, 2, 3, 4]),
        ];
        assert_eq!(read(ExtensionForm::OneByte, &block), expected);
    }

    // RFC 8285 section 4.3: the two-byte example, with an empty element.
    #[test]
    fn two_byte_elements_may_be_empty() {
        let block = [1, 0, 2, 1, 0xbb, 0, 3, 4, 1, 2, 3, 4];
        let expected = vec![(1, vec![]), (2, vec![0xbb]), (3, vec![1, 2, 3, 4])];
        assert_eq!(read(ExtensionForm::TwoByte, &block), expected);
    }

    #[test]
    fn the_list_ends_at_id_15_and_at_an_element_that_overruns() {
        assert_eq!(
            read(ExtensionForm::OneByte, &[0x10, 1, 0xf0, 2, 0x20, 3]).len(),
            1
        );
        assert_eq!(read(ExtensionForm::OneByte, &[0x10, 1, 0x2f, 3]).len(), 1);
        assert_eq!(read(ExtensionForm::OneByte, &[0x03, 1, 2, 3]).len(), 0);
        assert_eq!(read(ExtensionForm::TwoByte, &[1, 1, 9, 2]).len(), 1);
        assert_eq!(read(ExtensionForm::TwoByte, &[1, 200, 9, 2]).len(), 0);
    }

    #[test]
    fn renumbering_keeps_values_and_blanks_what_was_not_asked_for() {
        let mut map = ExtensionMap::new(false);
        assert!(map.set(id(1), id(9)));
        assert!(!map.set(id(EXTENSION_ID_MAX + 1), id(1)));
        let mut block = [0x10, 0xaa, 0x21, 0xbb, 0xbc, 0xf0, 7, 0];
        remap_in_place(Some(ExtensionForm::OneByte), &mut block, &map);
        assert_eq!(block, [0x90, 0xaa, 0, 0, 0, 0, 0, 0]);
        let mut block = [1, 1, 0xaa, 2, 1, 0xbb, 40, 0];
        remap_in_place(Some(ExtensionForm::TwoByte), &mut block, &map);
        assert_eq!(block, [9, 1, 0xaa, 0, 0, 0, 0, 0]);
        let mut block = [1, 2, 3, 4];
        remap_in_place(None, &mut block, &map);
        assert_eq!(block, [0; 4]);
    }
}
