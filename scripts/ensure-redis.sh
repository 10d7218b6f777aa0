#!/usr/bin/env bash
# Installs redis-server if the machine has neither it nor valkey-server.
set -euo pipefail
. "$(dirname "$0")/install.sh"

present() { command -v redis-server >/dev/null || command -v valkey-server >/dev/null; }

present && exit
install_package redis-server redis redis-server "brew install redis"
present || {
	echo "redis-server was installed but is not in the PATH" >&2
	exit 1
}
