-- People, households, their devices and what lets them in.
-- One dialect for SQLite and PostgreSQL: ids are text (32 hexadecimal digits), times are bigint
-- milliseconds since 1970. Never edited after release.

-- A family. Its id is the hash of its genesis key; who belongs to it is said by its roster.
create table household (
    id text primary key,
    genesis bytea not null,
    -- Handed to those who recover, who need it in their new app's certificate chain.
    recovery_certificate bytea not null,
    -- argon2id of the secret derived from the recovery code.
    recovery_hash text not null,
    created_at_ms bigint not null
);

-- The signed roster: an append-only chain, served to clients byte for byte.
create table roster_entry (
    household text not null references household (id),
    seq bigint not null,
    entry bytea not null,
    primary key (household, seq)
);

-- A person. The household is null until an invited member is admitted.
create table account (
    id text primary key,
    handle text not null unique,
    display_name text not null,
    password_hash text not null,
    household text references household (id),
    created_at_ms bigint not null
);
create index account_household on account (household);

-- An app or a home device. It mirrors the roster, which is the truth; household and chain are null
-- while an invited member waits. Removed devices stay: the roster never takes a key twice.
create table device (
    id text primary key,
    public_key bytea not null,
    account text not null references account (id) on delete cascade,
    household text references household (id),
    kind text not null,
    label text not null,
    adult boolean not null,
    chain bytea,
    created_at_ms bigint not null,
    removed_at_ms bigint
);
create index device_account on device (account);
create index device_household on device (household);

-- Bearer tokens, of which only the SHA-256 is kept. Without a device: signed in by password alone.
create table token (
    hash bytea primary key,
    account text not null references account (id) on delete cascade,
    device text references device (id) on delete cascade,
    created_at_ms bigint not null,
    last_used_at_ms bigint not null,
    expires_at_ms bigint not null
);
create index token_account on token (account);
create index token_device on token (device);

-- One-time tickets of recoveries in progress. A used one is kept until it expires, with the app it
-- made, so that a repeated request gets the same answer.
create table recovery_ticket (
    hash bytea primary key,
    account text not null references account (id) on delete cascade,
    used_by text references device (id),
    expires_at_ms bigint not null
);

-- The household's address book. Name and handle repeat what the signed card says; the revision
-- keeps an older card from replacing a newer one.
create table contact (
    household text not null references household (id),
    id text not null,
    name text not null,
    handle text not null,
    card bytea not null,
    revision bigint not null,
    primary key (household, id)
);

-- Signed answer policies of home devices.
create table answer_policy (
    device text primary key references device (id),
    household text not null references household (id),
    policy bytea not null,
    revision bigint not null
);
create index answer_policy_household on answer_policy (household);

-- Open invitations of further members; a used, cancelled or expired one is deleted.
create table invitation (
    id text primary key,
    household text not null references household (id),
    expires_at_ms bigint not null
);
create index invitation_household on invitation (household);

-- Those who signed up with an invitation and wait. No foreign key to the invitation: it may
-- expire while they wait.
create table join_request (
    account text primary key references account (id) on delete cascade,
    invitation text not null,
    household text not null references household (id),
    app text not null references device (id) on delete cascade,
    proof bytea not null,
    created_at_ms bigint not null
);
create index join_request_household on join_request (household);

-- Pairings that ended well, until they expire: the device may fetch its token even if the server
-- was restarted in between.
create table certified_pairing (
    id text primary key,
    secret_hash bytea not null,
    device text not null references device (id),
    expires_at_ms bigint not null
);
