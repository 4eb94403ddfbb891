#!/bin/sh
# Run by docker-compose.yml at each start: the namespace, keeping closed workflows as long as heal events are kept.
# Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and RETENTION.
set -eu

until temporal operator cluster health; do
  echo 'Waiting for Temporal …'
  sleep 2
done
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
# A new namespace is known to every part of the server only some seconds later.
until temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1 >/dev/null 2>&1; do
  echo 'Waiting for the namespace …'
  sleep 2
done
