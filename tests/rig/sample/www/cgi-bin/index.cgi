#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
printf '%s from %s\n' "${GREETING-no greeting}" "$(hostname)"
