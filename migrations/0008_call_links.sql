-- Call links, by which guests without an account come into a call.

-- A link that has not ended. Its secret never comes here. A link that is revoked is deleted, since to
-- whoever tries it an unknown, an ended and a revoked link are one and the same. Who waits at it is in
-- memory only.
create table call_link (
    -- Chosen by the app.
    id text primary key,
    -- Who lets guests in. The links of somebody who leaves end, and go with their account.
    maker text not null references account (id) on delete cascade,
    -- What the maker calls it; nobody else sees it.
    label text not null,
    made_at_ms bigint not null,
    expires_at_ms bigint not null
);
create index call_link_maker on call_link (maker, made_at_ms);
create index call_link_expires on call_link (expires_at_ms);

-- What a guest who is called said as their name: they have no account to take it from.
alter table running_call add column callee_name text;

-- Stands in histories and calls for a guest, who has no handle; nobody ever gets it.
insert into retired_handle (handle, until_ms) values ('call-guest', 9223372036854775807)
    on conflict do nothing;
