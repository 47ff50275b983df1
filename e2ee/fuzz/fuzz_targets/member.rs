//! MLS messages from the network, given to a member in and out of a group.

#![no_main]

mod house;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::member::Input;
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let (mut alone, now) = (house::member(), house::NOW);
    let mut idle = house::member();
    drop(alone.step(now, Input::Create));
    let bytes = bytes.to_vec();
    let input = || match kind % 4 {
        0 => Input::Welcome {
            welcome: bytes.clone(),
        },
        1 => Input::Commit {
            epoch: 0,
            commit: bytes.clone(),
        },
        2 => Input::Message {
            message: bytes.clone(),
        },
        _ => {
            let half = bytes.len() / 2;
            let (key_package, statement) = (bytes[..half].to_vec(), bytes[half..].to_vec());
            Input::Add {
                key_package,
                statement,
            }
        }
    };
    drop(alone.step(now, input()));
    drop(idle.step(now, input()));
    assert!(alone.encrypt_frame(b"x").is_err() && idle.encrypt_frame(b"x").is_err());
});
