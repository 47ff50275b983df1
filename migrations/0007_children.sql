-- Mail that waits to be sent, and consent for children.

-- A mail that the server has promised to send: stored before it is promised, taken out when the mail
-- server has it. One that was given up stays without address and text, so that it can be said; the
-- newest thousand of those are kept.
create table mail (
    id text primary key,
    -- Whose apps are told what became of it. Its mail goes with it.
    household text not null references household (id) on delete cascade,
    recipient text not null,
    subject text not null,
    body text not null,
    created_at_ms bigint not null,
    tries bigint not null,
    -- Null: given up.
    next_try_at_ms bigint
);
create index mail_next on mail (next_try_at_ms);

-- That an adult consented to a child's using this: who, when, to which text, and when it ended. The
-- newest one counts, and only while the child's own row says so too; older ones are the record of what
-- held when.
create table consent (
    id text primary key,
    -- The child.
    account text not null references account (id) on delete cascade,
    household text not null references household (id) on delete cascade,
    -- The adult's account. No foreign key: the record outlives it.
    given_by text not null,
    name text not null,
    email text not null,
    text_version bigint not null,
    given_at_ms bigint not null,
    -- SHA-256 of the secret in the mail's link, which needs no sign-in.
    secret_hash bytea not null,
    -- The mail that confirms it; null where the server sends none. Not in the table of mail: sent.
    mail text,
    withdrawn_at_ms bigint
);
create index consent_account on consent (account, given_at_ms);
create unique index consent_secret on consent (secret_hash);

-- Stands in other people's histories for a child whose data was deleted; nobody ever gets it.
insert into retired_handle (handle, until_ms) values ('removed-person', 9223372036854775807)
    on conflict do nothing;
