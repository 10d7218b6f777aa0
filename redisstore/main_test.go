package redisstore

import (
	"os"
	"testing"

	"github.com/larder-cache/larder/internal/redistest"
)

// runChild is the program of the child processes of tests.
var runChild func(text string)

func TestMain(m *testing.M) {
	if text := os.Getenv("LARDER_CHILD"); text != "" {
		runChild(text)
	}
	os.Exit(redistest.Main(m))
}
