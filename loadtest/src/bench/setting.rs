//! What is switched on while something is measured.

use std::fmt;

use homeline_media_node::{NodeConfig, OperatingPoint};

use crate::peer::Features;

/// One way to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Header extensions, descriptors, feedback and estimation.
    pub everything: bool,
    /// The node's operating point.
    pub point: OperatingPoint,
}

impl Setting {
    /// Nothing but media, at the default operating point: what the aims are about.
    pub const PLAIN: Self = Self {
        everything: false,
        point: OperatingPoint::Latency,
    };
    /// The same at the other operating point.
    pub const ECONOMY: Self = Self {
        everything: false,
        point: OperatingPoint::Economy,
    };
    /// Everything on.
    pub const EVERYTHING: Self = Self {
        everything: true,
        point: OperatingPoint::Latency,
    };
    /// All that are measured, the one with the aims first.
    pub const ALL: [Self; 3] = [Self::PLAIN, Self::ECONOMY, Self::EVERYTHING];

    /// What the peers use.
    pub const fn features(self) -> Features {
        if self.everything {
            Features::AllLayers
        } else {
            Features::Plain
        }
    }

    /// The node's configuration. Nothing that bears on the figures is left to its defaults.
    pub fn config(self) -> NodeConfig {
        NodeConfig {
            operating_point: self.point,
            bandwidth_estimation: self.everything,
            ..NodeConfig::default()
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features = if self.everything {
            "everything"
        } else {
            "plain"
        };
        let point = match self.point {
            OperatingPoint::Latency => "latency",
            OperatingPoint::Economy => "economy",
        };
        write!(f, "{features}, {point}")
    }
}
