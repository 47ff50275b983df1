//! The call machine, told as tables.
