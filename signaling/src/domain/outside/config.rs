//! Where results are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The test from outside. Set by the composition root; there is nothing to configure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutsideConfig {
    /// The file of the last results. Without one they last as long as the process.
    pub file: Option<PathBuf>,
}
