-- The mapping store's roles, as the demo and the compose file have them: who owns the tables, and who the service is.
create role mappings_owner login password 'demo-mappings-owner-password';
create role mappings login password 'demo-mappings-password';
alter database mappings owner to mappings_owner;
