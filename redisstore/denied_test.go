package redisstore

import (
	"fmt"
	"io"
	"testing"
)

// TestDenied_KnowsTheErrorsOfManyServers has errors as servers write them.
func TestDenied_KnowsTheErrorsOfManyServers(t *testing.T) {
	for text, want := range map[string]denial{
		"NOPERM this user has no permissions to run the 'time' command":                                              deniedCommand, // 6, 7
		"NOPERM this user has no permissions to run the 'select' command or its subcommand":                          deniedCommand, // 6
		"NOPERM User shop has no permissions to run the 'publish' command":                                           deniedCommand, // 7.2 and Valkey
		"NOPERM this user has no permissions to access one of the keys used as arguments":                            deniedKey,
		"NOPERM No permissions to access a key":                                                                      deniedKey, // 7.2
		"NOPERM this user has no permissions to access one of the channels used as arguments":                        deniedChannel,
		"NOPERM No permissions to access a channel":                                                                  deniedChannel,
		"ERR The user executing the script can't run this command or subcommand":                                     deniedCommand,
		"ERR The user executing the script can't run this command or subcommand script: 104ae65":                     deniedCommand,
		"ERR The user executing the script can't access at least one of the keys mentioned in the command arguments": deniedKey,
		"ERR The user executing the script can't publish to the channel mentioned in the command":                    deniedChannel,
		"ERR unknown command 'EVALSHA', with args beginning with: 'a' ":                                              missingCommand,
		"ERR unknown command `EVALSHA`, with args beginning with: ":                                                  missingCommand, // 5
		"ERR Unknown Redis command called from script script: 104ae65, on @user_script:1.":                           missingCommand,
		"NOAUTH Authentication required.":                                                                            deniedAccess,
		"WRONGPASS invalid username-password pair or user is disabled.":                                              deniedAccess,
		"CROSSSLOT Keys in request don't hash to the same slot":                                                      crossSlot,
		"CROSSSLOT Keys in request don't hash to the same slot (context='', command='evalsha')":                      crossSlot, // Redis Enterprise
		"OOM command not allowed when used memory > 'maxmemory'.":                                                    notDenied,
		"WRONGTYPE Operation against a key holding the wrong kind of value":                                          notDenied,
		"LOADING Redis is loading the dataset in memory":                                                             notDenied,
		"NOSCRIPT No matching script. Please use EVAL.":                                                              notDenied,
		"MOVED 1 127.0.0.1:1": notDenied,
	} {
		err := fmt.Errorf("%w: %w", errUnavailable, replyError(text))
		if got := denialOf(err); got != want || denied(err) != (want != notDenied) {
			t.Errorf("%q is %d, not %d", text, got, want)
		}
	}
	if denied(io.EOF) || denied(nil) || denied(fmt.Errorf("NOPERM by another")) {
		t.Error("what no server has said is taken for a refusal")
	}
}

func TestAnnounced_TellsTheTailFromARefusal(t *testing.T) {
	tail := logTail{"0123456789abcde ", 0x2020202020202020, 17} // spaces, as the bytes may be any
	for refusal, raw := range map[string]string{"": tail.String(), "NOPERM no": tail.String() + " NOPERM no"} {
		text, got := announced(raw)
		if parsed, err := parseTail(text); err != nil || parsed != tail || got != refusal {
			t.Errorf("%q is %v, %q, %v", raw, parsed, got, err)
		}
	}
	if text, refusal := announced("short"); text != "short" || refusal != "" {
		t.Errorf("what is no tail is %q, %q", text, refusal)
	}
}
