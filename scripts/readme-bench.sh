#!/usr/bin/env bash
# Runs the benchmark and puts its output into docs/benchmarks/bench.txt and, between
# the marks, into README.md. Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"${GO:-go}" run ./cmd/larder bench --out "$out" "$@" | sed '/^results: /d' >docs/benchmarks/bench.txt
awk -v file=docs/benchmarks/bench.txt '
	/<!-- bench:end -->/ { skip = 0 }
	!skip { print }
	/<!-- bench:begin -->/ {
		skip = 1
		print "```"
		while ((getline line < file) > 0) print line
		print "```"
	}' README.md >"$out/README.md"
cat "$out/README.md" >README.md
