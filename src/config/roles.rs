//! Which parts of Homeline a process runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of Homeline.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// People, devices, sessions and calls, with the app and the database.
    Signaling,
    /// The media node (SFU).
    Media,
}

/// What a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// A whole server.
    Whole,
    /// A media node that stands alone, commanded over its control interface.
    MediaAlone,
}

/// Why a process can't run what it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RolesError {
    /// Nothing to do.
    #[error("no role is given: name signaling, media or both")]
    None,
    /// Signaling has no way to a media node on another machine yet.
    #[error(
        "signaling can't run without media yet: it reaches only a media node in its own process. Use both roles, or media alone"
    )]
    SignalingAlone,
}

impl Parts {
    /// What these roles are together.
    ///
    /// # Errors
    /// When there are none, or only signaling.
    pub fn of(roles: &[Role]) -> Result<Self, RolesError> {
        match (
            roles.contains(&Role::Signaling),
            roles.contains(&Role::Media),
        ) {
            (true, true) => Ok(Self::Whole),
            (false, true) => Ok(Self::MediaAlone),
            (true, false) => Err(RolesError::SignalingAlone),
            (false, false) => Err(RolesError::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_whole_or_a_media_node_and_nothing_else_yet() {
        let (signaling, media) = (Role::Signaling, Role::Media);
        assert_eq!(Parts::of(&[media, signaling]), Ok(Parts::Whole));
        assert_eq!(Parts::of(&[media, media]), Ok(Parts::MediaAlone));
        assert_eq!(Parts::of(&[signaling]), Err(RolesError::SignalingAlone));
        assert_eq!(Parts::of(&[]), Err(RolesError::None));
    }
}
