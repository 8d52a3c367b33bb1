-- The role that Grafana reads by. Run by psql as a superuser each time the profile starts, with the
-- password in the environment; running it again changes nothing but the password.
\getenv password READER_PASSWORD

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cdrstore_reader') THEN
        CREATE ROLE cdrstore_reader;
    END IF;
END
$$;
ALTER ROLE cdrstore_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 20 PASSWORD :'password';
ALTER ROLE cdrstore_reader SET default_transaction_read_only = on;
ALTER ROLE cdrstore_reader SET statement_timeout = '30s';
ALTER ROLE cdrstore_reader SET timezone = 'UTC';
COMMENT ON ROLE cdrstore_reader IS 'Reads for Grafana; writes nothing.';
GRANT pg_read_all_data TO cdrstore_reader;
