-- Domain tables of realm security. Nothing of them is for frontends.

-- The accounts, without anything secret. That an address is taken once in a tenant is kept by the artifact
-- of the address.
create table symphainy.user_accounts (
  tenant_id  text collate "C" not null,
  user_id    text collate "C" not null,
  email      text not null,
  name       text,
  roles      jsonb not null,
  status     text not null check (status in ('ACTIVE', 'DISABLED')),
  epoch      bigint not null check (epoch >= 1),
  version    bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, user_id)
) with (fillfactor = 50);

-- One row per session, without anything of which a token can be made.
create table symphainy.sessions (
  tenant_id       text collate "C" not null,
  session_ref     text collate "C" not null,
  user_id         text collate "C" not null,
  id_hash         text not null,
  gen             bigint not null check (gen >= 1),
  iat             bigint not null,
  exp             bigint not null,
  kid             text not null,
  rotated_at      timestamptz,
  seen            boolean not null,
  execution_id    text collate "C" not null,
  lifecycle_state text not null,
  version         bigint not null,
  expires_at      timestamptz not null,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (tenant_id, session_ref)
) with (fillfactor = 50);

select symphainy.admit_domain_table('user_accounts');
select symphainy.admit_domain_table('sessions');

insert into symphainy.schema_migrations (name) values ('20261120090400_security');
