//! What the asker is told when nothing is tried.
//!
//! Only what the asker knows anyway, or what a member of the household may know. To everybody else a
//! block, do not disturb, a child's limits and an empty house are one and the same silence, for
//! which there are no words here.

use super::facts::Way;

/// Why nothing is tried. The words are for the asker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No key: what it would say could not be encrypted.
    #[error(
        "This browser is signed in without a key of its own. Add it under \"Add a device\" first."
    )]
    NoDevice,
    /// No certificate yet.
    #[error("You are not a member of the household yet. Somebody there has to let you in first.")]
    NotAdmitted,
    /// A person's own devices do not ring for themselves.
    #[error("This is your own handle. To reach a room, call the device that stands there.")]
    OwnHandle,
    /// The device that asks.
    #[error("This is the device that you are speaking to.")]
    OwnDevice,
    /// No adult has consented yet.
    #[error("An adult of your household has to allow this first, in the app under \"Children\".")]
    NoConsent,
    /// The adults have switched this way off for the asking child.
    #[error("{} is switched off for you. Ask an adult of your household.", name(*.0))]
    SwitchedOff(Way),
    /// Not among the contacts that were chosen for the asking child.
    #[error(
        "You can reach your household and the contacts that were chosen for you. Ask an adult to \
         add somebody."
    )]
    NotChosen,
    /// A child of the own household is in the call, and whoever is to be added is no contact of it.
    #[error(
        "A child of your household is in this call, who talks only with your household and with the \
         contacts that were chosen for them."
    )]
    ChildInCall,
    /// A child of the own household can't meet somebody who is in the call.
    #[error(
        "{person} talks only with the contacts that were chosen for them, and others are in this call."
    )]
    ChildApart {
        /// Who.
        person: String,
    },
    /// A child of the own household can't be reached this way.
    #[error("{} is switched off for {person}.", name(*.way))]
    ChildSwitchedOff {
        /// Who.
        person: String,
        /// Which way.
        way: Way,
    },
    /// A child of the own household may not use this yet.
    #[error("{person} can't be reached until an adult allows it, in the app under \"Children\".")]
    ChildNoConsent {
        /// Who.
        person: String,
    },
    /// A person of the own household is on do not disturb.
    #[error("{person} is on do not disturb.")]
    PersonQuiet {
        /// Who.
        person: String,
    },
    /// A device of the own household is on do not disturb.
    #[error("{label} is on do not disturb.")]
    DeviceQuiet {
        /// Which.
        label: String,
    },
    /// All devices of the own household that could be asked are on do not disturb.
    #[error("All devices there are on do not disturb.")]
    AllQuiet,
    /// A device of the own household can't do this.
    #[error("{label} can't do this: it lacks what is needed, or its microphone is off.")]
    DeviceCannot {
        /// Which.
        label: String,
    },
    /// Nobody may drop in on a device of the own household, whatever the grants.
    #[error("Drop in is switched off at {label}.")]
    DropInOff {
        /// Which.
        label: String,
    },
    /// The own household has no such device.
    #[error("Your household has no such device. It may have been removed.")]
    NoSuchDevice,
    /// The own household has no other device.
    #[error("There is no other device in your household that could be reached.")]
    NoDevices,
    /// Nobody there has let the asker drop in. Said alike for a handle that nobody has.
    #[error("You can drop in only on people and devices that have allowed it to you.")]
    NoGrant,
    /// Nobody waits so at a link of the asker's. Said alike for guests of others.
    #[error("This guest does not wait at a call link of yours any more.")]
    NoSuchGuest,
    /// Guests are not for children.
    #[error("Only adults can let guests in. Ask an adult of your household.")]
    ChildAsksForGuest,
    /// A child is in the call.
    #[error("A guest can't come into this call, because a child is in it.")]
    GuestApart,
    /// Announcements stay in the household.
    #[error("Announcements can be made only in your own household.")]
    NotHousehold,
}

fn name(way: Way) -> &'static str {
    match way {
        Way::Call => "Calling",
        Way::Message => "Messaging",
        Way::DropIn => "Drop in",
        Way::Announcement => "Announcing",
    }
}
