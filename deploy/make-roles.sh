#!/bin/sh
# Run once by the postgres image when its data folder is new: the owner that migrates, and the login of the services,
# which may do only what the group strongbox_app is granted.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$STRONGBOX_OWNER_PASSWORD" --set service_password="$STRONGBOX_SERVICE_PASSWORD" <<'SQL'
CREATE ROLE strongbox_app NOLOGIN;
CREATE ROLE strongbox_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE strongbox_service LOGIN PASSWORD :'service_password';
GRANT strongbox_app TO strongbox_owner WITH ADMIN OPTION;
GRANT strongbox_app TO strongbox_service;
CREATE DATABASE strongbox OWNER strongbox_owner;
SQL
