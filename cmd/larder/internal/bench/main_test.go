package bench

import (
	"os"
	"testing"

	"github.com/larder-cache/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
