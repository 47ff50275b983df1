//! What the relay refused, by reason.

/// The reasons with a code (RFC 8656 section 18), by their names in figures.
const CODES: [(u16, &str); 11] = [
    (400, "bad_request"),
    (401, "unauthorized"),
    (403, "forbidden"),
    (420, "unknown_attribute"),
    (437, "no_allocation"),
    (438, "stale_nonce"),
    (440, "address_family"),
    (441, "wrong_credentials"),
    (443, "peer_family"),
    (486, "quota"),
    (508, "capacity"),
];

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    by_code: [u64; CODES.len()],
    connections: u64,
    others: u64,
}

impl Refused {
    pub(super) fn note(&mut self, code: u16) {
        let at = CODES.iter().position(|(known, _)| *known == code);
        let count = at.and_then(|at| self.by_code.get_mut(at));
        *count.unwrap_or(&mut self.others) += 1;
    }

    /// A connection was closed at once, since there are too many.
    pub(super) const fn note_connection(&mut self) {
        self.connections += 1;
    }

    /// Each reason with its count.
    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = CODES.iter().map(|(_, name)| *name);
        let further = [("connections", self.connections), ("other", self.others)];
        names.zip(self.by_code).chain(further)
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_reason().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_counts_for_itself() {
        let mut refused = Refused::default();
        for code in [401, 486, 486, 999] {
            refused.note(code);
        }
        refused.note_connection();
        let counted: Vec<_> = refused
            .by_reason()
            .filter(|(_, count)| *count > 0)
            .collect();
        let expected = [
            ("unauthorized", 1),
            ("quota", 2),
            ("connections", 1),
            ("other", 1),
        ];
        assert_eq!((counted.as_slice(), refused.total()), (&expected[..], 5));
    }
}
