#!/usr/bin/env bash
# Builds larder for every system into the directory dist, as VERSION, with checksums.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:?set VERSION, such as v0.1.0}
go=${GO:-go}

rm -rf dist
mkdir dist
for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
	os=${target%/*} arch=${target#*/} suffix=
	[ "$os" != windows ] || suffix=.exe
	file=dist/larder_${version}_${os}_$arch$suffix
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch "$go" build -trimpath -ldflags="-s -w -X main.version=$version" -o "$file" ./cmd/larder
	echo "$file $(wc -c <"$file") bytes"
done
cd dist
if command -v sha256sum >/dev/null; then sha256sum larder_*; else shasum -a 256 larder_*; fi >SHA256SUMS
