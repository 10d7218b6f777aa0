#!/usr/bin/env bash
# Installs a C compiler if there is none: the race detector needs one, except on
# macOS.
set -euo pipefail
. "$(dirname "$0")/install.sh"

[ "$("${GO:-go}" env GOOS)" != darwin ] || exit 0
cc=$("${GO:-go}" env CC)
! command -v "${cc%% *}" >/dev/null || exit 0
install_package "gcc libc6-dev" - "a C compiler" "xcode-select --install"
