#!/bin/sh
# Run once by docker-compose.yml before Temporal starts: its two databases, and their schema up to this server's version.
# Reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD. Doing it again changes nothing.
set -eu
schema=/etc/temporal/schema/postgresql/v12

for name in temporal visibility; do
  case $name in
    temporal) database=temporal ;;
    visibility) database=temporal_visibility ;;
  esac
  temporal-sql-tool --db "$database" create
  temporal-sql-tool --db "$database" setup-schema -v 0.0
  temporal-sql-tool --db "$database" update-schema -d "$schema/$name/versioned"
done
