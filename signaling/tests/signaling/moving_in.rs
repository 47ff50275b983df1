//! Who left a household, or was taken out of it, moves into another with the same account; and an owner
//! makes another the owner.

use homeline_protocol::http::{SignIn, SignedIn};
use homeline_protocol::id::InvitationId;
use homeline_protocol::session::{
    Callee, ErrorCode, Event, Home, Member, Reply, Request, Role, TopContact,
};
use homeline_protocol::{Blob, Secret};

use crate::home::{SECRET, admit, invite, join_requested};
use crate::leaving::{joins, removals, roster_of};
use crate::support::{Answer, Person, Server, Session};

/// Signed in by the password alone: that is what is left to somebody without a household.
async fn by_password(server: &Server, person: &Person) -> SignedIn {
    let (handle, password) = (person.handle.clone(), person.password.clone());
    let app = None;
    let sign_in = SignIn {
        handle,
        password,
        app,
    };
    server.post("/v1/sign-in", &sign_in).await.ok()
}

/// Asks to join with an account that is there, and a new app.
async fn ask(
    server: &Server,
    host: &Person,
    who: &Person,
    (invitation, password): (InvitationId, &Secret),
) -> (Person, Answer) {
    let link = (invitation, &SECRET);
    let (again, mut request) = Person::joining_as(host, who.handle.as_str(), who.account, link);
    request.password = password.clone();
    let answer = server.post("/v1/sign-up", &request).await;
    (again, answer)
}

async fn waits(
    server: &Server,
    host: &Person,
    who: &Person,
    invitation: InvitationId,
) -> (Person, Session) {
    let (mut again, answer) = ask(server, host, who, (invitation, &who.password)).await;
    let signed_in: SignedIn = answer.ok();
    assert_eq!(
        (signed_in.account, signed_in.household),
        (who.account, None)
    );
    again.token = signed_in.token;
    let session = again.session(server).await;
    (again, session)
}

/// Anna and Ben, whom Anna takes out again; and Cleo, who lives elsewhere.
async fn taken_out(server: &Server) -> (Person, Session, Person, Person, Session) {
    let mut anna = Person::founder(server, "anna").await;
    let mut phone = anna.session(server).await;
    let (ben, bens) = joins(server, (&mut anna, &mut phone), "ben", (true, None)).await;
    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    let entries = removals(server, &anna, &[&ben.app]);
    let account = ben.account;
    phone.done(Request::RemoveMember { account, entries }).await;
    assert_eq!(bens.goodbye().await, ErrorCode::DeviceRevoked);
    anna.roster = roster_of(&mut phone).await;
    let cleo = Person::founder(server, "cleo").await;
    let cleos = cleo.session(server).await;
    (anna, phone, ben, cleo, cleos)
}

fn members(home: Home) -> Vec<(String, Role)> {
    let members = home.household.unwrap().members.into_iter();
    let known = |one: Member| (one.handle.as_str().to_owned(), one.role);
    let mut all: Vec<_> = members.map(known).collect();
    // All came in one moment of this clock.
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[tokio::test]
async fn a_removed_member_joins_another_household_with_the_same_account_and_a_new_key() {
    let server = Server::start().await;
    let (_, mut phone, ben, cleo, mut cleos) = taken_out(&server).await;
    let alone = by_password(&server, &ben).await;
    assert_eq!(
        (alone.account, alone.device, alone.household),
        (ben.account, None, None)
    );

    let invitation = invite(&mut cleos).await;
    let (mut again, mut bens) = waits(&server, &cleo, &ben, invitation.id).await;
    assert_ne!(again.device(), ben.device());
    let asked = cleos.event(join_requested).await;
    assert_eq!(asked.account.id, ben.account);
    cleos.done(admit(&server, &cleo, &again, &invitation)).await;
    bens.event(|event| matches!(event, Event::Admitted { .. }).then_some(()))
        .await;
    let home = bens.home().await;
    assert!(home.contacts.is_empty(), "the old household's stay there");
    assert_eq!(phone.home().await.contacts.len(), 1);
    let expected = [
        ("ben".to_owned(), Role::Adult),
        ("cleo".to_owned(), Role::Owner),
    ];
    assert_eq!(members(home), expected);
    assert_eq!(members(phone.home().await).len(), 1);
    // The new app speaks for the new household, and is called by the old handle.
    again.roster = roster_of(&mut bens).await;
    bens.done(again.put_contact(7, 1, "Anna", "anna")).await;
    let call = homeline_protocol::id::CallId([3; 16]);
    let handle = ben.handle.clone();
    let to = Callee::Person { handle };
    let start = Request::StartCall {
        call,
        to,
        video: false,
        invitation: Blob(vec![1]),
    };
    phone.done(start).await;
    bens.event(|event| matches!(event, Event::IncomingCall { .. }).then_some(()))
        .await;
    // What the old household certified opens nothing.
    let refused = Session::open(server.address, &ben.token).await;
    assert_eq!(refused.err().unwrap().code, ErrorCode::DeviceRevoked);
}

#[tokio::test]
async fn nobody_moves_in_who_is_a_member_has_the_wrong_password_or_brings_an_old_key() {
    let server = Server::start().await;
    let (anna, _phone, ben, cleo, mut cleos) = taken_out(&server).await;
    let invitation = invite(&mut cleos).await;
    let wrong = Secret::new("no password of ben's");
    let (_, answer) = ask(&server, &cleo, &ben, (invitation.id, &wrong)).await;
    assert_eq!(answer.code(), ErrorCode::Conflict);
    // One person is in one household.
    let (_, answer) = ask(&server, &cleo, &anna, (invitation.id, &anna.password)).await;
    assert_eq!(answer.code(), ErrorCode::Conflict);
    assert!(answer.error().message.contains("Leave it first"));
    // The roster never takes a key twice, and neither does another one.
    let link = (invitation.id, &SECRET);
    let (_, mut request) = Person::joining_as(&cleo, "ben", ben.account, link);
    request.app.key = ben.app.public().0.to_vec().into();
    let answer = server.post("/v1/sign-up", &request).await;
    assert_eq!(answer.code(), ErrorCode::Conflict);
    assert!(cleos.home().await.join_requests.is_empty());
}

#[tokio::test]
async fn who_is_turned_away_keeps_the_account_and_asks_elsewhere_or_founds_a_household() {
    let server = Server::start().await;
    let (anna, mut phone, ben, cleo, mut cleos) = taken_out(&server).await;
    let invitation = invite(&mut cleos).await;
    let (_, mut bens) = waits(&server, &cleo, &ben, invitation.id).await;
    let refuse = Request::RefuseMember {
        invitation: invitation.id,
        account: ben.account,
    };
    cleos.done(refuse).await;
    bens.event(|event| matches!(event, Event::JoinRefused).then_some(()))
        .await;
    by_password(&server, &ben).await;

    // He asks Anna, and then Cleo again, instead.
    let at_anna = invite(&mut phone).await;
    let (first, _) = waits(&server, &anna, &ben, at_anna.id).await;
    waits(&server, &cleo, &ben, invitation.id).await;
    assert!(phone.home().await.join_requests.is_empty());
    let late = phone.refused(admit(&server, &anna, &first, &at_anna)).await;
    assert_eq!(late, ErrorCode::NotFound);
    // Or lives on his own.
    let (own, mut request) = Person::founding_as(&server, "ben", ben.account);
    request.password = ben.password.clone();
    let signed_in: SignedIn = server.post("/v1/sign-up", &request).await.ok();
    assert_eq!(signed_in.household, Some(own.household()));
    let mut bens = server.session(&signed_in.token).await;
    assert_eq!(
        members(bens.home().await),
        [("ben".to_owned(), Role::Owner)]
    );
    assert!(cleos.home().await.join_requests.is_empty());
}

#[tokio::test]
async fn whom_two_presses_call_stays_behind_with_the_contacts() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let (mut ben, mut bens) = joins(&server, (&mut anna, &mut phone), "ben", (true, None)).await;
    ben.roster = anna.roster.clone();
    phone.done(anna.put_contact(1, 1, "Mom", "mom")).await;
    let contact = homeline_protocol::id::ContactId([1; 16]);
    let top_contact = Some(TopContact::Contact { contact });
    bens.done(Request::SetTopContact { top_contact }).await;
    let entries = removals(&server, &ben, &[&ben.app]);
    bens.send_only(Request::LeaveHousehold { entries }).await;
    assert_eq!(bens.goodbye().await, ErrorCode::DeviceRevoked);
    let cleo = Person::founder(&server, "cleo").await;
    let mut cleos = cleo.session(&server).await;
    let invitation = invite(&mut cleos).await;
    let (_, mut bens) = waits(&server, &cleo, &ben, invitation.id).await;
    assert_eq!(bens.home().await.settings.top_contact, None);
}

#[tokio::test]
async fn the_owner_makes_another_adult_the_owner_and_nobody_else_can() {
    let server = Server::start().await;
    let mut anna = Person::founder(&server, "anna").await;
    let mut phone = anna.session(&server).await;
    let (ben, mut bens) = joins(&server, (&mut anna, &mut phone), "ben", (true, None)).await;
    let child = (false, Some(Role::Child));
    let (mia, _) = joins(&server, (&mut anna, &mut phone), "mia", child).await;
    let keyless = (false, None);
    let (dora, _) = joins(&server, (&mut anna, &mut phone), "dora", keyless).await;
    let hand_over = |to: &Person| Request::HandOverOwnership { to: to.account };

    assert_eq!(bens.refused(hand_over(&ben)).await, ErrorCode::Forbidden);
    for cannot in [&mia, &dora] {
        let refused = phone.refused(hand_over(cannot)).await;
        assert_eq!(refused, ErrorCode::BadRequest);
    }
    let zoe = Person::founder(&server, "zoe").await;
    assert_eq!(phone.refused(hand_over(&zoe)).await, ErrorCode::NotFound);

    phone.done(hand_over(&ben)).await;
    let owns = |event: &Event| match event {
        Event::MemberChanged(member) if member.role == Role::Owner => Some(member.id),
        _ => None,
    };
    assert_eq!(bens.event(owns).await, ben.account);
    let now = members(phone.home().await);
    assert_eq!(now[0], ("anna".to_owned(), Role::Adult));
    assert_eq!(now[1], ("ben".to_owned(), Role::Owner));
    // Anna can now be taken out, and Ben can't.
    assert_eq!(phone.refused(hand_over(&anna)).await, ErrorCode::Forbidden);
    let account = ben.account;
    let entries = removals(&server, &anna, &[&ben.app]);
    let refused = phone
        .refused(Request::RemoveMember { account, entries })
        .await;
    assert_eq!(refused, ErrorCode::BadRequest);
    let Ok(Reply::Done) = bens.request(hand_over(&anna)).await else {
        panic!("and back again")
    };
}
