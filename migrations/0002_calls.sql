-- Calls: those that run, and those that are over.

-- A call that runs. Its row goes in the transaction that writes its history, so whatever is here at
-- a start was cut off by the last stop, and ends as "server restarted".
create table running_call (
    id text primary key,
    caller text not null references account (id) on delete cascade,
    caller_device text not null,
    -- Null for a handle that nobody has: such a call runs its time like any other.
    callee text references account (id) on delete cascade,
    callee_handle text not null,
    video boolean not null,
    started_at_ms bigint not null,
    answered_at_ms bigint,
    answered_device text
);

-- A past call as one of its two people sees it; the other has a row of their own. Names are kept as
-- they were. No media and no content, ever.
create table past_call (
    account text not null references account (id) on delete cascade,
    id text not null,
    outgoing boolean not null,
    party_handle text not null,
    party_name text not null,
    video boolean not null,
    started_at_ms bigint not null,
    answered_at_ms bigint,
    ended_at_ms bigint not null,
    reason text not null,
    primary key (account, id)
);
create index past_call_newest on past_call (account, started_at_ms);
create index past_call_id on past_call (id);
