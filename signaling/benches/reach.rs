//! What a decision costs: may Anna call Ben, who has twenty devices, a schedule, exceptions and blocks,
//! and which of them ring. The facts are loaded.

use criterion::{Criterion, criterion_group, criterion_main};
use homeline_protocol::id::{AccountId, DeviceId, HouseholdId};
use homeline_protocol::session::{
    CameraSwitch, Capabilities, DeviceKind, QuietSchedule, QuietWindow, Switches, Weekday,
};
use homeline_signaling::domain::reach::{
    Asker, DeviceFacts, PersonFacts, QuietFacts, Schedule, StrangerCalls, StrangerLimits, Target,
    Way, World, reach,
};
use homeline_signaling::model::UnixMillis;

const DEVICES: u8 = 20;
const WINDOWS: u16 = 14;
const EXCEPTIONS: u8 = 64;

fn device(number: u8) -> DeviceFacts {
    DeviceFacts {
        device: DeviceId([number; 16]),
        kind: if number.is_multiple_of(2) {
            DeviceKind::App
        } else {
            DeviceKind::HomeDevice
        },
        label: format!("Room {number}"),
        quiet: number.is_multiple_of(5),
        capabilities: Capabilities {
            microphone: true,
            speaker: true,
            screen: true,
            camera: true,
        },
        switches: Switches {
            microphone: true,
            camera: CameraSwitch::On,
        },
        session: !number.is_multiple_of(3),
        push: true,
        drop_in: true,
    }
}

/// Open at other times than the one asked for, so that every window is looked at.
fn schedule() -> Option<Schedule> {
    let windows = (0..WINDOWS).map(|number| QuietWindow {
        days: vec![Weekday::Monday, Weekday::Friday],
        from_minute: number * 60,
        to_minute: number * 60 + 30,
    });
    let said = QuietSchedule {
        time_zone: "Europe/Berlin".to_owned(),
        windows: windows.collect(),
    };
    Schedule::try_from(&said).ok()
}

fn world() -> World {
    let handle = |name: &str| name.parse().expect("a handle");
    World {
        now: UnixMillis(1_795_305_600_000),
        way: Way::Call,
        asker: Asker {
            account: AccountId([1; 16]),
            handle: handle("anna"),
            name: "Anna".to_owned(),
            device: Some(DeviceId([200; 16])),
            household: Some(HouseholdId([1; 16])),
            child: None,
        },
        target: Target::Person {
            handle: handle("ben"),
            person: Some(PersonFacts {
                account: AccountId([2; 16]),
                name: "Ben".to_owned(),
                household: Some(HouseholdId([2; 16])),
                child: None,
                blocks_asker: false,
                knows_asker: false,
                stranger_calls: StrangerCalls::default(),
                quiet: QuietFacts {
                    everywhere: false,
                    schedule: schedule(),
                    exceptions: (0..EXCEPTIONS)
                        .map(|number| handle(&format!("friend{number}")))
                        .collect(),
                },
                devices: (0..DEVICES).map(device).collect(),
            }),
        },
        grants: vec![],
        limits: StrangerLimits {
            one_an_hour: 5,
            all_a_day: 20,
        },
        company: vec![],
    }
}

fn decide(criterion: &mut Criterion) {
    let world = world();
    criterion.bench_function("reach/call_to_20_devices", |bencher| {
        bencher.iter(|| reach(std::hint::black_box(&world)));
    });
}

criterion_group!(benches, decide);
criterion_main!(benches);
