#!/bin/bash
# Ends with 0 if the server in this container answers. The image has no HTTP client, and starting a JVM costs more.
trap '' PIPE # a server with TLS may be gone after the first line
exec 3<>"/dev/tcp/127.0.0.1/${SHARDBUS_PORT:-8080}" || exit 1
printf 'GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 2>/dev/null
read -r -t 5 _ status _ <&3
case $? in
  0) [ "$status" = 200 ] ;;
  1) ;; # closed at once, as a server with TLS does; one that hangs keeps silent
  *) exit 1 ;;
esac
