-- Who may drop in on a household, as its adults have signed it.

-- A drop-in grant in its newest revision. What it says stands in the statement, which devices verify by
-- themselves; the columns are for the questions that are asked of the table. A revoked one stays until no
-- earlier revision of it could count any more, so that a device which was away learns of it.
create table drop_in_grant (
    household text not null references household (id) on delete cascade,
    -- Chosen by the app.
    id text not null,
    revision bigint not null,
    -- The contact that it is to; null: the own household. No foreign key: who deletes a contact takes its
    -- grants out and tells the devices.
    contact text,
    -- The app that signed it. No foreign key: it counts while that app is an adult's of the household.
    signer text not null,
    statement bytea not null,
    revoked boolean not null,
    expires_at_ms bigint not null,
    primary key (household, id)
);
create index drop_in_grant_expires on drop_in_grant (expires_at_ms);

-- Whether anybody may drop in on this device, whatever the grants.
alter table device add column drop_in boolean not null default true;
