# Sourced. install_package DEBIAN BREW WHAT MACOS installs the packages DEBIAN with
# apt-get or BREW with brew, if that needs no answer from anybody. Otherwise it
# fails with one line that says how to install WHAT; MACOS is the command there.
# BREW is "-" where there is none.

install_package() {
	local debian=$1 brew=$2 what=$3 sudo=
	local advice="$what is needed: install it (Debian and Ubuntu: apt-get install $debian; macOS: $4)"
	if command -v apt-get >/dev/null; then
		if [ "$(id -u)" -ne 0 ]; then
			if ! sudo -n true 2>/dev/null; then
				echo "$advice" >&2
				return 1
			fi
			sudo="sudo -n"
		fi
		echo "$what is missing: installing $debian" >&2
		local apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
		# The lists of a new machine are empty. One source of several that
		# does not answer fails the update, but not what follows.
		$apt update </dev/null >/dev/null || true
		if $apt install -y --no-install-recommends $debian </dev/null >/dev/null; then
			return 0
		fi
	elif [ "$brew" != - ] && command -v brew >/dev/null; then
		echo "$what is missing: installing $brew" >&2
		if HOMEBREW_NO_AUTO_UPDATE=1 brew install --quiet "$brew" >/dev/null; then
			return 0
		fi
	fi
	echo "$advice" >&2
	return 1
}
