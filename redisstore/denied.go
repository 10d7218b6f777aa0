package redisstore

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// denial is what an error of a server says of a right that the user does not have, or of
// a command that the server does not have.
type denial uint8

const (
	notDenied      denial = iota
	deniedCommand         // the user may not use the command
	deniedKey             // the user may use the command, but not with this key
	deniedChannel         // the same, of a channel
	deniedAccess          // the server does not let the user in
	missingCommand        // the server does not have the command
	crossSlot             // the keys of a command are in several slots of a cluster
)

// denied reports whether an error says that a right or a command is missing, so that to
// ask again is of no use.
func denied(err error) bool { return denialOf(err) != notDenied }

// denialOf sorts an error by its code and, as Redis gives the errors of a script another
// code and does not say in a code what it denies, by its text: that of Redis 5 to 8 and
// of Valkey.
func denialOf(err error) denial {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return notDenied
	}
	return denialIn(reply.Error())
}

func denialIn(text string) denial {
	text = strings.TrimPrefix(text, "-")
	lower := strings.ToLower(text)
	has := func(part string) bool { return strings.Contains(lower, part) }
	switch {
	case strings.HasPrefix(text, "NOAUTH"), strings.HasPrefix(text, "WRONGPASS"):
		return deniedAccess
	case strings.HasPrefix(text, "CROSSSLOT"), has("script attempted to access keys that do not hash to the same slot"):
		return crossSlot
	case has("unknown command"), has("unknown redis command"), has("unknown subcommand"), has("command is not available"):
		return missingCommand
	case !strings.HasPrefix(text, "NOPERM") && !has("the user executing the script can't"):
		return notDenied
	case has("channel"):
		return deniedChannel
	case has("keys") || has("a key") || has(" key"):
		return deniedKey
	}
	return deniedCommand
}
