package redisstore

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"slices"
	"strings"
)

// The scripts touch the keys of one slot each, so that they run on a cluster as
// they do on a single server.

//go:embed lua/*.lua
var lua embed.FS

// script is a program that Redis runs as one step.
type script struct {
	src, sha string
	// writes says that it writes whatever it finds, and so fails on a replica.
	writes bool
}

var (
	acquireScript        = load("nonce", "lock", "acquire")
	tagsScript           = load("nonce", "log", "late", "tags")
	fillScript           = load("nonce", "fill")
	renewScript          = load("nonce", "lock", "renew")
	unlockScript         = load("nonce", "unlock")
	removeScript         = load("nonce", "taint", "remove")
	quarantineScript     = load("nonce", "taint", "quarantine")
	quarantineOneScript  = load("nonce", "taint", "log", "quarantineone")
	releaseScript        = load("nonce", "taint", "release")
	announceScript       = load("nonce", "log", "announce")
	invalidateScript     = load("nonce", "taint", "log", "invalidate")
	invalidateTagsScript = load("nonce", "taint", "log", "late", "invalidatetags")
	quarantineTagsScript = load("nonce", "taint", "log", "late", "quarantinetags")
	releaseTagsScript    = load("nonce", "taint", "log", "late", "releasetags")
	beatScript           = load("nonce", "log", "agree", "time", "beat")
	clockScript          = load("nonce", "log", "time", "clock")
	settingsScript       = load("nonce", "log", "agree", "time", "settings")
)

// load joins files into a script, without the comments, which the server would
// keep in memory.
func load(files ...string) *script {
	var b strings.Builder
	for _, f := range files {
		src, err := lua.ReadFile("lua/" + f + ".lua")
		if err != nil {
			panic(err) // the file is part of the program
		}
		for line := range strings.Lines(string(src)) {
			if s := strings.TrimSpace(line); s != "" && !strings.HasPrefix(s, "--") {
				b.WriteString(line)
			}
		}
	}
	s := newScript(b.String())
	s.writes = (slices.Contains(files, "log") || slices.Contains(files, "taint")) && !slices.Contains(files, "agree")
	return s
}

func newScript(src string) *script {
	sum := sha1.Sum([]byte(src))
	return &script{src: src, sha: hex.EncodeToString(sum[:])}
}
