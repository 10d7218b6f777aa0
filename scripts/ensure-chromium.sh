#!/usr/bin/env bash
# Installs Chromium, in which tests open the report, if the machine has neither it nor
# Chrome.
set -euo pipefail
. "$(dirname "$0")/install.sh"

present() {
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
		[ -d /Applications/Chromium.app ] || [ -d "/Applications/Google Chrome.app" ]
}

present && exit
install_package chromium chromium chromium "brew install --cask chromium"
present || {
	echo "chromium was installed but is not in the PATH" >&2
	exit 1
}
