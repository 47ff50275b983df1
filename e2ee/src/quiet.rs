//! `Debug` that says what kind of thing it is and no more, for what holds names or sound.
//!
//! A log line or a failed assertion must not print who somebody is.

macro_rules! quiet_debug {
    ($($name:ident),* $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

pub(crate) use quiet_debug;

#[cfg(test)]
mod tests {
    use crate::chain::verify_chain;
    use crate::testkit::{House, NOW};

    #[test]
    fn debug_text_of_a_person_names_nobody() {
        let house = House::new(10);
        let identity = verify_chain(&house.app_chain(), NOW).unwrap();
        let text = format!("{identity:?} {:?}", house.roster);
        assert_eq!(text, "Identity { .. } Roster { .. }");
    }
}
