//! The services, as a ladder: each uses only those above it, received by constructor.
