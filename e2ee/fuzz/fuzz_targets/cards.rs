//! Contact cards and answer policies.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    use homeline_e2ee::contact::Contact;
    use homeline_e2ee::policy::AnswerPolicy;
    drop(Contact::read(data));
    drop(AnswerPolicy::read(data));
});
