#!/usr/bin/env bash
# Installs PostgreSQL if the machine has none. Nothing but its programs is used: the
# tests start servers of their own.
set -euo pipefail
. "$(dirname "$0")/install.sh"

present() {
	command -v initdb >/dev/null && command -v postgres >/dev/null && return
	local dir
	for dir in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then return; fi
	done
	return 1
}

present && exit
install_package postgresql postgresql@17 PostgreSQL "brew install postgresql@17"
present || {
	echo "PostgreSQL was installed but initdb and postgres are not found" >&2
	exit 1
}
