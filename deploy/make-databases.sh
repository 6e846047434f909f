#!/bin/sh
# The databases of contexts that have one of their own, on the same server: those that are not there are made, for the
# owner that migrates. PGHOST, PGUSER and PGPASSWORD say as whom: a superuser.
set -eu

psql --set ON_ERROR_STOP=1 --quiet --dbname postgres <<'SQL'
SELECT format('CREATE DATABASE %I OWNER strongbox_owner', name)
FROM unnest(ARRAY['rewards', 'mint', 'chain']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec
SQL
