-- The billing database of Corp, as the demo and the compose file load it.
create schema billing;

create table billing.accounts (
  upn text primary key,
  tier text not null,
  customer_since date not null,
  products text[] not null default '{}'
);

insert into billing.accounts (upn, tier, customer_since, products) values
  ('adele.vance@corp.example', 'gold', '2019-04-01', '{ledger,invoices}'),
  ('ben.olsen@corp.example', 'silver', '2021-09-15', '{invoices}'),
  ('grace.hopper@corp.example', 'platinum', '2016-01-02', '{ledger,invoices,audit}');

-- The service reads and does nothing else.
create role claimbridge login password 'demo-database-password';
grant usage on schema billing to claimbridge;
grant select on billing.accounts to claimbridge;
