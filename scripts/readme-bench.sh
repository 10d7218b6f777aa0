#!/usr/bin/env bash
# Runs the benchmark, and puts its output into docs/benchmarks/bench.txt, the first table
# of it into README.md, between the marks, and the pictures that README.md shows into
# docs/benchmarks/pictures. Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"${GO:-go}" run ./cmd/larder bench --out "$out/bench" "$@" | sed '/^results: /d; /^report: /d' >"$out/bench.txt"
sed '/^Latencies are those/q' "$out/bench.txt" >"$out/table.txt"
awk -v file="$out/table.txt" '
	/<!-- bench:end -->/ { skip = 0 }
	!skip { print }
	/<!-- bench:begin -->/ {
		skip = 1
		print "```"
		while ((getline line < file) > 0) print line
		print "```"
	}' README.md >"$out/README.md"
mkdir -p docs/benchmarks/pictures
for picture in $(grep -o 'docs/benchmarks/pictures/[a-z0-9-]*\.svg' README.md docs/bench.md | sed 's/.*\///' | sort -u); do
	if [ -e "$out/bench/charts/$picture" ]; then
		cp "$out/bench/charts/$picture" docs/benchmarks/pictures/
	fi
done
cat "$out/bench.txt" >docs/benchmarks/bench.txt
cat "$out/README.md" >README.md
