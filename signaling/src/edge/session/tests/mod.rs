//! The session machine, told as exchanges.
