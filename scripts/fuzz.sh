#!/usr/bin/env bash
# Runs every fuzz target of every module for FUZZTIME each. All run, also after
# one has failed; the exit code says whether all passed.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
fuzztime=${FUZZTIME:-10s}

targets=$(find . \( -name testdata -o -name vendor -o -name '.?*' \) -prune -o -name '*_test.go' -print |
	sort | xargs -r grep -EH '^func Fuzz[A-Za-z0-9_]*\(' |
	sed -E 's/^(.*)\/[^/]*:func (Fuzz[A-Za-z0-9_]*)\(.*/\1 \2/') || true
if [ -z "$targets" ]; then
	echo "there are no fuzz targets" >&2
	exit 1
fi

failed=()
while read -r dir target; do
	echo "== $target in $dir, $fuzztime"
	"$go" test -run='^$' -fuzz="^$target\$" -fuzztime="$fuzztime" "$dir" </dev/null || failed+=("$target in $dir")
done <<<"$targets"
if [ ${#failed[@]} -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}" >&2
	exit 1
fi
