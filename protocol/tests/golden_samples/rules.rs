//! Samples of the rules of reaching people.

use homeline_protocol::Secret;
use homeline_protocol::session::{
    Callee, CameraSwitch, Capabilities, Child, ChildLimits, Consent, DeviceSettings, DoNotDisturb,
    Event, Member, PersonSettings, Place, QuietSchedule, QuietWindow, Request, Role, Switches,
    TopContact, Weekday,
};

use super::{ACCOUNT, AT_MS, CALL, CONTACT, DEVICE, INVITATION, MEDIA, account, blob, handle};

pub(crate) fn member() -> Member {
    let account = account();
    Member {
        id: account.id,
        handle: account.handle,
        display_name: account.display_name,
        role: Role::Owner,
    }
}

pub(crate) fn device_settings() -> DeviceSettings {
    DeviceSettings {
        room: "Upstairs".to_owned(),
        do_not_disturb: true,
        capabilities: CAPABILITIES,
        switches: SWITCHES,
        drop_in: true,
        recently_active: true,
    }
}

const CAPABILITIES: Capabilities = Capabilities {
    microphone: true,
    speaker: true,
    screen: false,
    camera: false,
};

const SWITCHES: Switches = Switches {
    microphone: false,
    camera: CameraSwitch::Shutter,
};

fn do_not_disturb() -> DoNotDisturb {
    let window = QuietWindow {
        days: vec![Weekday::Monday, Weekday::Sunday],
        from_minute: 1320,
        to_minute: 390,
    };
    DoNotDisturb {
        everywhere: true,
        schedule: Some(QuietSchedule {
            time_zone: "Europe/Berlin".to_owned(),
            windows: vec![window],
        }),
        exceptions: vec![CONTACT],
    }
}

pub(crate) fn person_settings() -> PersonSettings {
    PersonSettings {
        do_not_disturb: do_not_disturb(),
        blocked: vec![handle()],
        top_contact: Some(TopContact::Contact { contact: CONTACT }),
    }
}

fn limits() -> ChildLimits {
    ChildLimits {
        calling: true,
        messaging: false,
        drop_in: false,
        contacts: vec![CONTACT],
    }
}

pub(crate) fn child() -> Child {
    Child {
        account: ACCOUNT,
        limits: limits(),
        consent: Some(Consent {
            by: ACCOUNT,
            at_ms: AT_MS,
        }),
    }
}

pub(crate) fn events() -> Vec<Event> {
    let unasked = Child {
        consent: None,
        ..child()
    };
    vec![
        Event::DeviceSettingsChanged {
            device: DEVICE,
            label: "Kitchen".to_owned(),
            settings: device_settings(),
        },
        Event::DoNotDisturbChanged(do_not_disturb()),
        Event::DoNotDisturbChanged(DoNotDisturb::default()),
        Event::BlocksChanged {
            blocked: vec![handle()],
        },
        Event::TopContactChanged {
            top_contact: Some(TopContact::Person { handle: handle() }),
        },
        Event::TopContactChanged { top_contact: None },
        Event::ChildChanged(child()),
        Event::ChildChanged(unasked),
        Event::LeaveRequested { account: ACCOUNT },
        Event::CallSwitches {
            call: CALL,
            device: DEVICE,
            media: MEDIA,
        },
    ]
}

pub(crate) fn requests() -> Vec<Request> {
    [people(), devices(), quiet(), calls()].concat()
}

fn people() -> Vec<Request> {
    vec![
        Request::AdmitMember {
            invitation: INVITATION,
            account: ACCOUNT,
            device: DEVICE,
            adult: false,
            entry: blob(),
            chain: blob(),
            role: Some(Role::Child),
        },
        Request::SetRole {
            account: ACCOUNT,
            role: Role::Adult,
        },
        Request::RemoveMember {
            account: ACCOUNT,
            entries: vec![blob(), blob()],
        },
        Request::LeaveHousehold { entries: vec![] },
        Request::Deregister {
            password: Secret::new("correct horse"),
            hand_over_to: Some(ACCOUNT),
            entries: vec![blob()],
        },
        Request::SetChildLimits {
            account: ACCOUNT,
            limits: limits(),
        },
    ]
}

fn devices() -> Vec<Request> {
    vec![
        Request::SetDevice {
            device: DEVICE,
            label: Some("Kitchen".to_owned()),
            room: None,
        },
        Request::SetCapabilities {
            capabilities: CAPABILITIES,
        },
        Request::SetSwitches { switches: SWITCHES },
        Request::SetDeviceDoNotDisturb {
            device: DEVICE,
            on: true,
        },
    ]
}

fn quiet() -> Vec<Request> {
    vec![
        Request::SetDoNotDisturbEverywhere { on: false },
        Request::SetDoNotDisturb {
            do_not_disturb: do_not_disturb(),
        },
        Request::Block { handle: handle() },
        Request::Unblock { handle: handle() },
        Request::SetTopContact {
            top_contact: Some(TopContact::Person { handle: handle() }),
        },
        Request::SetTopContact { top_contact: None },
    ]
}

fn calls() -> Vec<Request> {
    let to = |to| Request::StartCall {
        call: CALL,
        to,
        video: false,
        invitation: blob(),
    };
    vec![
        to(Callee::Device { device: DEVICE }),
        to(Callee::Place { place: Place::Home }),
    ]
}
