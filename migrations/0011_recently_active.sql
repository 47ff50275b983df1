-- Whether a home device may say that somebody is near it. What it says is kept in memory only, and for ten
-- minutes: no table holds when anybody was where.
alter table device add column recently_active boolean not null default true;
