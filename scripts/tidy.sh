#!/usr/bin/env bash
# Fails, and shows what would change, unless go.mod and go.sum of every module
# are as go mod tidy leaves them.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

code=0
while read -r dir; do
	(cd "$dir" && GOWORK=off "$go" mod tidy -diff) || {
		echo "not tidy: $dir" >&2
		code=1
	}
done < <("$go" list -m -f '{{.Dir}}')
exit $code
