-- The rules of reaching people: roles, what stands at a device, do not disturb, blocks, children.

-- What a member is in the household: owner, adult or child. The founder of a household that was there
-- before is the one who came first.
alter table account add column role text not null default 'adult';
update account set role = 'owner' where household is not null and not exists (
    select 1 from account as other where other.household = account.household
    and (other.created_at_ms < account.created_at_ms
        or (other.created_at_ms = account.created_at_ms and other.id < account.id)));

-- Do not disturb on all that is this person's, without end time, and the IANA name of the zone whose
-- wall clock the weekly windows follow; null without a schedule.
alter table account add column quiet_everywhere boolean not null default false;
alter table account add column quiet_zone text;
-- Whom one press calls: a contact of the household, or a handle, or nobody.
alter table account add column top_contact text;
alter table account add column top_handle text;

-- The weekly windows of a person's do not disturb. Days are a sum of bits, Monday 1 to Sunday 64;
-- minutes are of the day. A window that ends before it begins ends on the next day.
create table quiet_window (
    account text not null references account (id) on delete cascade,
    place bigint not null,
    days bigint not null,
    from_minute bigint not null,
    to_minute bigint not null,
    primary key (account, place)
);

-- Who gets through a person's do not disturb: contacts of the household. No foreign key: a contact that
-- is deleted gets through no more, and one that is restored does again.
create table quiet_exception (
    account text not null references account (id) on delete cascade,
    contact text not null,
    primary key (account, contact)
);

-- What stands at a device beside what is signed. Capabilities and switches are what the device told.
alter table device add column room text not null default '';
alter table device add column quiet boolean not null default false;
alter table device add column has_microphone boolean not null default true;
alter table device add column has_speaker boolean not null default true;
alter table device add column has_screen boolean not null default false;
alter table device add column has_camera boolean not null default false;
alter table device add column microphone_on boolean not null default true;
alter table device add column camera_switch text not null default 'on';

-- Whom a person has blocked: by handle, whether anybody has it or not.
create table block (
    account text not null references account (id) on delete cascade,
    handle text not null,
    created_at_ms bigint not null,
    primary key (account, handle)
);

-- What the adults let a child do. Without a row everything is off but calling and messaging within the
-- household, and without consent nothing is possible at all. Who gave it and when is kept.
create table child (
    account text primary key references account (id) on delete cascade,
    calling boolean not null,
    messaging boolean not null,
    drop_in boolean not null,
    consent_by text,
    consent_at_ms bigint
);

-- Whom outside the household a child may reach and be reached by. No foreign key, as above.
create table child_contact (
    account text not null references account (id) on delete cascade,
    contact text not null,
    primary key (account, contact)
);

-- Members whose own app may not sign and who asked to leave.
create table leave_request (
    account text primary key references account (id) on delete cascade,
    created_at_ms bigint not null
);

-- Handles of people who deleted their account: nobody gets one before its time, so that nobody is taken
-- for somebody who just left.
create table retired_handle (
    handle text primary key,
    until_ms bigint not null
);
